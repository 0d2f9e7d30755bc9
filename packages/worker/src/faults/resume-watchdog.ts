import childProcess, { type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { builtin, type InjectionContext } from '@chaos/core/authoring'

const { spawn } = builtin('node:child_process', childProcess)

/**
 * Starts a guard process that resumes a stopped process. It sends SIGCONT when its standard input closes, which happens
 * however this process ends, and after `longestMs` in any case.
 */
export async function startResumeWatchdog(pid: number, longestMs: number, { defer }: InjectionContext): Promise<void> {
  const timer = `(trap 'kill $!; exit' TERM; sleep ${Math.ceil(longestMs / 1_000)} & wait $!; kill -CONT ${pid}) >/dev/null 2>&1 & timer=$!`
  const script = `${timer}; echo ready; cat >/dev/null; kill -CONT ${pid} 2>/dev/null; kill $timer 2>/dev/null`
  // Its own process group: a Ctrl-C must not end the guard before this process.
  const guard = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'pipe', 'ignore'] })
  defer(() => dismiss(guard))
  await once(guard.stdout, 'data')
  guard.unref()
  for (const stream of [guard.stdin, guard.stdout]) (stream as { unref?: () => void }).unref?.()
}

/** Closes the guard's standard input. It then sends SIGCONT and exits. */
async function dismiss(guard: ChildProcess): Promise<void> {
  if (guard.exitCode !== null || guard.signalCode !== null) return
  guard.ref()
  const left = once(guard, 'exit')
  guard.stdin?.end()
  await left
}
