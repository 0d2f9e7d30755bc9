import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { InjectionContext } from '@chaos/core/authoring'

/**
 * Lets a stopped process go on when we die, however we die: a process of its own that sends SIGCONT as soon as our end of its pipe closes,
 * and in any case after so long.
 */
export async function watchOverStopped(pid: number, longestMs: number, { defer }: InjectionContext): Promise<void> {
  const timer = `(trap 'kill $!; exit' TERM; sleep ${Math.ceil(longestMs / 1_000)} & wait $!; kill -CONT ${pid}) >/dev/null 2>&1 & timer=$!`
  const script = `${timer}; echo ready; cat >/dev/null; kill -CONT ${pid} 2>/dev/null; kill $timer 2>/dev/null`
  // A group of its own: a Ctrl-C that ends us must not end it first.
  const guard = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'pipe', 'ignore'] })
  defer(() => dismiss(guard))
  await once(guard.stdout, 'data')
  guard.unref()
  for (const stream of [guard.stdin, guard.stdout]) (stream as { unref?: () => void }).unref?.()
}

/** Closing its pipe makes it send SIGCONT and leave. */
async function dismiss(guard: ChildProcess): Promise<void> {
  if (guard.exitCode !== null || guard.signalCode !== null) return
  guard.ref()
  const left = once(guard, 'exit')
  guard.stdin?.end()
  await left
}
