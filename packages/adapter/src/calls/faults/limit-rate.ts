import { defineFault, markInjected, option, type OptionsOf } from '@chaos/core/authoring'
import { failOperations } from '../../operations/fail.js'
import { quota } from '../../operations/quota.js'
import { methodTarget } from '../methods.js'
import { callSeam } from '../seam.js'
import { callOptions } from '../call.js'
import { errorOf, errorOptions, errorOptionsInProcess, failureTiming, type ErrorOf } from '../error-options.js'

const NAME = 'adapter/limit-rate'
const options = {
  calls: option.count('Calls that the service accepts per window.'),
  perMs: option.durationMs('Length of a window, in ms. A window begins with its first call.'),
  refusal: option.optional(
    option.oneOf(
      ['error', 'response'],
      'error: the call fails; response: the call answers with a Response of status 429, as fetch does.',
    ),
    'error',
  ),
  ...callOptions,
  ...errorOptions,
  ...errorOptionsInProcess,
}

/** Options of {@link limitRate}. */
export type LimitRateOptions = OptionsOf<typeof limitRate>

/**
 * Refuses calls beyond a quota.
 *
 * Models a service that limits its clients. A window begins with its first call. Calls beyond the quota are refused
 * until the window is over, with the time until then as `retry-after`, in whole seconds rounded up (RFC 9110, 10.2.3).
 * All methods of the target share one quota. Calls within the quota are outside the blast radius: they are neither
 * affected nor counted. An operation is a call; its name is the name of the method.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `perMs` does not fit a timer or more than one error is described;
 *   `CHAOS_TARGET_MISMATCH` if `methods` match nothing.
 * @see RFC 6585, 4: 429 Too Many Requests.
 */
export const limitRate = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Refuses calls beyond a quota, with the time until the next window.',
  options,
  check: (options) => void errorOf(NAME, options, 'fail-fast'),
  target: methodTarget,
  inject(target, { calls, perMs, refusal, ...options }, context) {
    const { isBeyond, retryAfterMs } = quota(context, calls, perMs)
    const retryAfter = (): string => String(Math.max(1, Math.ceil(retryAfterMs() / 1_000)))
    const tooMany: ErrorOf = () =>
      Object.assign(new Error('Too Many Requests'), {
        code: 'ERR_TOO_MANY_REQUESTS',
        status: 429,
        statusCode: 429,
        headers: { 'retry-after': retryAfter() },
      })
    if (refusal === 'error') {
      const limited = callSeam(options, { isOn: isBeyond, timing: failureTiming(options, tooMany) })
      failOperations(limited, target, context, errorOf(NAME, options, tooMany))
      return
    }
    callSeam(options, { isOn: isBeyond, needs: 'one' })(target, context, ({ answers }) =>
      answers.one?.(
        markInjected(
          new Response('Too Many Requests', {
            status: 429,
            statusText: 'Too Many Requests',
            headers: { 'retry-after': retryAfter() },
          }),
          NAME,
        ),
      ),
    )
  },
})
