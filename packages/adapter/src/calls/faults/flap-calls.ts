import { ChaosError, type Cancel } from '@chaos/core'
import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { failOperations } from '../../operations/fail.js'
import { methodTarget } from '../methods.js'
import { callSeam } from '../seam.js'
import { callOptions } from '../call.js'
import { errorOf, errorOptions, errorOptionsInProcess, failureTiming } from '../error-options.js'

const NAME = 'adapter/flap-calls'
const options = {
  downMs: option.durationMs('Length of each outage, in ms.'),
  upMs: option.durationMs('Time between outages, in ms.'),
  first: option.optional(option.oneOf(['down', 'up'], 'State of the service when the fault begins.'), 'down'),
  ...callOptions,
  ...errorOptions,
  ...errorOptionsInProcess,
}

/** Options of {@link flapCalls}. */
export type FlapCallsOptions = OptionsOf<typeof flapCalls>

/**
 * Refuses calls during repeated outages, by schedule.
 *
 * Models a service that restarts again and again, a bad link, or a failover that does not settle. Such outages close
 * circuit breakers too early and make retries pile up. The schedule starts when the fault is in force. Calls while the
 * service is up are outside the blast radius: they are neither affected nor counted. An operation is a call; its name
 * is the name of the method.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if a time does not fit a timer or is 0, or if more than one error is
 *   described; `CHAOS_TARGET_MISMATCH` if `methods` match nothing.
 * @see Simian Army's and Chaos Mesh's schedules, which start and end whole faults instead.
 */
export const flapCalls = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Refuses calls during repeated outages, by schedule.',
  options,
  check(options) {
    errorOf(NAME, options, 'ECONNREFUSED')
    for (const name of ['downMs', 'upMs'] as const) {
      if (options[name] === 0)
        throw new ChaosError(
          'CHAOS_INVALID_OPTION',
          `Expected \`${name}\` of ${NAME} to be more than 0 ms, got \`0\`. For a service that is never up, use \`refuseCalls\`.`,
        )
    }
  },
  target: methodTarget,
  inject(target, { downMs, upMs, first, ...options }, context) {
    let isDown = first === 'down'
    let cancel: Cancel = () => undefined
    const turn = (): void => {
      cancel = context.clock.after(
        isDown ? downMs : upMs,
        () => {
          isDown = !isDown
          turn()
        },
        { ref: false },
      )
    }
    turn()
    context.defer(() => cancel())
    const calls = callSeam(options, { isOn: () => isDown, timing: failureTiming(options, 'ECONNREFUSED') })
    failOperations(calls, target, context, errorOf(NAME, options, 'ECONNREFUSED'))
  },
})
