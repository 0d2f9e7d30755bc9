import { ChaosError } from '@chaos/core'
import { onAbort, option, type InjectionContext } from '@chaos/core/authoring'
import type { ProcessLike } from '../targets/processes.js'
import type { WorkerLike } from '../targets/workers.js'
import { exitOf, type Exiting } from './exit.js'
import { endedFirst } from './strike-each.js'

/** The options that say when an instant fault strikes. */
export const strikeTiming = {
  when: option.optional(
    option.oneOf(
      ['now', 'message', 'mid-task'],
      'When to strike: now, after the n-th message from the target (message), or right after the next message to it (mid-task).',
    ),
    'now',
  ),
  messages: option.optional(option.count('With `when: message`: the number of the message, from 1.', 1), 1),
}

interface StrikeTiming {
  readonly when: 'now' | 'message' | 'mid-task'
  readonly messages: number
}

/**
 * Waits until it is time to strike a thread or process. `mid-task` means right after a message was sent to it. The lease
 * bounds the wait.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if `when` is not `now` and the process has no IPC channel, `CHAOS_NO_LIVE_WORKER` if
 *   the thread or process ends first.
 */
export async function waitUntilStrike(
  one: WorkerLike | ProcessLike,
  timing: StrikeTiming,
  context: InjectionContext,
): Promise<void> {
  if (timing.when === 'now') return
  const waiting = new AbortController()
  const ignoreSignal = onAbort(context.signal, () => waiting.abort(context.signal.reason))
  const what = 'threadId' in one ? `Worker thread ${one.threadId}` : `Process ${String(one.pid)}`
  const ends = exitOf<[exitCode: number | null, signal?: string | null]>(one as Exiting<[number | null]>, {
    clock: context.clock,
    signal: waiting.signal,
  }).then(([exitCode, signal]) => {
    throw endedFirst(what, signal ?? `exit code ${String(exitCode)}`)
  })
  try {
    await Promise.race([moment(one, timing, context), ends])
  } finally {
    ignoreSignal()
    waiting.abort()
  }
}

/** Resolves at the moment of the strike. */
async function moment(
  one: WorkerLike | ProcessLike,
  { when, messages }: StrikeTiming,
  { patch }: InjectionContext,
): Promise<void> {
  const send = 'postMessage' in one ? 'postMessage' : 'send'
  if (typeof (one as Partial<Record<typeof send, unknown>>)[send] !== 'function') {
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `The process has no IPC channel for \`when: ${when}\`. Start it with \`fork\`, or with \`ipc\` in its \`stdio\`.`,
    )
  }
  await new Promise<void>((resolve) => {
    if (when === 'mid-task') {
      patch(
        one,
        send,
        (below) =>
          function handOver(this: unknown, ...args: unknown[]): unknown {
            const handed: unknown = Reflect.apply(below.call, this, args)
            resolve()
            return handed
          },
      )
      return
    }
    let left = messages
    patch(
      one,
      'emit',
      (below) =>
        function emit(this: unknown, ...args: unknown[]): unknown {
          const heard: unknown = Reflect.apply(below.call, this, args)
          if (args[0] === 'message' && (left -= 1) === 0) resolve()
          return heard
        },
    )
  })
}
