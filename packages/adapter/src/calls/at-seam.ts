import { option, type InjectionContext, type Seam } from '@chaos/core/authoring'
import { attempt } from './answers.js'
import type { Call, ChosenCalls } from './call.js'
import type { MethodTarget } from './methods.js'
import { callSeam } from './seam.js'

/** Where a call is held: `request`, before the service gets it; `response`, after the service did it. */
export const seamOption = option.optional(
  option.oneOf(
    ['request', 'response'],
    'request: before the service gets the call; response: after it did it. Default: request.',
  ),
  'request',
)

/**
 * The calls of a target, held at one of the two seams.
 *
 * @param countsFrom What the time of a call held at `response` counts from: a timeout and a hang from the call, a delay from the answer
 */
export function callsAt(
  seam: 'request' | 'response',
  chosen: ChosenCalls,
  countsFrom: 'call' | 'answer',
): Seam<MethodTarget, Call> {
  if (seam === 'request') return callSeam(chosen, { needs: 'late' })
  const calls = callSeam(chosen, { only: 'promise' })
  return (target, context, act) => calls(target, context, (call) => act(responseOf(call, context, countsFrom)))
}

/** A call that the service does at once, and whose answer is what is held. */
function responseOf(call: Call, context: InjectionContext, countsFrom: 'call' | 'answer'): Call {
  return {
    ...call,
    later(keep) {
      const answer = attempt(call.proceed)
      // Whoever gave up on the call hears nothing more of it.
      answer.catch(() => undefined)
      return new Promise((resolve, reject) => {
        const rest = { proceed: () => resolve(answer), fail: reject }
        if (countsFrom === 'call') {
          keep(rest)
          return
        }
        // Until the answer is there the call is held all the same, and accounted for.
        let isWaiting = true
        const leave =
          <Args extends readonly unknown[]>(how: (...args: Args) => void) =>
          (...args: Args): void => {
            isWaiting = false
            how(...args)
          }
        const { signal } = call
        const held = context.hold({
          afterMs: Number.POSITIVE_INFINITY,
          run: leave(rest.proceed),
          abandon: leave(reject),
          signal,
        })
        const onAnswer = (): void => {
          if (!isWaiting) return
          keep(rest)
          held.drop()
        }
        answer.then(onAnswer, onAnswer)
      })
    },
  }
}
