import { option, type InjectionContext } from '@chaos/core/authoring'
import type { Call, CallNeeds } from './affect-calls.js'
import { attempt } from './answers.js'
import { signalIn } from '../operations/caller-signal.js'

/** Where a call is held: `request`, before the service gets it; `response`, after the service did it. */
export const seamOption = option.optional(
  option.oneOf(
    ['request', 'response'],
    'request: before the service gets the call; response: after it did it. Default: request.',
  ),
  'request',
)
export type Seam = 'request' | 'response'

/** How an answer is held back. */
export interface Lateness {
  readonly seam: Seam
  /** How long, in ms. `Infinity`: until the injection ends. */
  readonly afterMs: number
  /** What the caller gets when the time is up. Default, and always when the injection ends: what it gets in health. */
  readonly timeUp?: (() => unknown) | undefined
}

/** What methods must be able to do to be held at a seam. */
export function needsOf(seam: Seam): CallNeeds {
  return seam === 'request' ? { needs: 'late' } : { only: 'promise' }
}

/**
 * Answers a call late: when its time is up, when the injection ends, or with the reason of the caller's own signal as soon as that aborts.
 * A request that was given up never reaches the service.
 */
export function answerLate(context: InjectionContext, call: Call, { seam, afterMs, timeUp }: Lateness): unknown {
  const signal = call.signal ?? signalIn(call.args)
  const orInHealth = (inHealth: () => unknown) => (): unknown =>
    timeUp === undefined || context.signal.aborted ? inHealth() : timeUp()
  if (seam === 'request')
    return call.answers.late?.(
      (run, abandon) => void context.hold({ afterMs, run, abandon, signal }),
      orInHealth(call.proceed),
    )

  const answer = attempt(call.proceed)
  // Whoever gave up on the call hears nothing more of it.
  answer.catch(() => undefined)
  const answered = orInHealth(() => answer)
  return new Promise((resolve, reject) => {
    const run = (): void => resolve(answered())
    // A timeout and a hang count from the call, a delay from the answer: until then the call is held all the same, and accounted for.
    const countsFromCall = timeUp !== undefined || afterMs === Number.POSITIVE_INFINITY
    let isWaiting = !countsFromCall
    const leave =
      <Args extends readonly unknown[]>(how: (...args: Args) => void) =>
      (...args: Args): void => {
        isWaiting = false
        how(...args)
      }
    const held = context.hold({
      afterMs: countsFromCall ? afterMs : Number.POSITIVE_INFINITY,
      run: leave(run),
      abandon: leave(reject),
      signal,
    })
    const onAnswer = (): void => {
      if (!isWaiting) return
      context.hold({ afterMs, run, abandon: reject, signal })
      held.drop()
    }
    answer.then(onAnswer, onAnswer)
  })
}
