import { option, type InjectionContext, type Seam } from '@chaos/core/authoring'
import { attempt } from './answer.js'
import type { Call, ChosenCalls } from './call.js'
import type { MethodTarget } from './methods.js'
import { callSeam } from './seam.js'

/**
 * The seam at which a call is held: `request`, before the service gets it, or `response`, after the service has handled
 * it.
 */
export const seamOption = option.optional(
  option.oneOf(
    ['request', 'response'],
    'request: before the service gets the call; response: after the service has handled it.',
  ),
  'request',
)

/**
 * The calls of a target, held at one of the two seams.
 *
 * @param countsFrom Where the hold of a call at `response` starts: at the call for a timeout or a hang, at the answer
 *   for a delay.
 */
export function callsAt(
  seam: 'request' | 'response',
  chosen: ChosenCalls,
  countsFrom: 'call' | 'answer',
): Seam<MethodTarget, Call> {
  if (seam === 'request') return callSeam(chosen, { needs: 'late' })
  const calls = callSeam(chosen, { needs: 'late one' })
  return (target, context, act) => calls(target, context, (call) => act(responseOf(call, context, countsFrom)))
}

/** A call that reaches the service at once and whose answer is held. */
function responseOf(call: Call, context: InjectionContext, countsFrom: 'call' | 'answer'): Call {
  return {
    ...call,
    later(keep) {
      const answer = attempt(call.proceed)
      // If the caller gives up, the answer needs a rejection handler.
      answer.catch(() => undefined)
      return new Promise((resolve, reject) => {
        const rest = { proceed: () => resolve(answer), fail: reject }
        if (countsFrom === 'call') {
          keep(rest)
          return
        }
        // The call counts as held until its answer arrives.
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
