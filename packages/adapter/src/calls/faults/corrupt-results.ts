import {
  checkDamage,
  damageOf,
  damageOptions,
  defineFault,
  option,
  seededStream,
  type OptionsOf,
} from '@chaos/core/authoring'
import { asItIs, callOptions } from '../call.js'
import type { FailedCall } from '../error-options.js'
import { covering } from '../../operations/covering.js'
import { methodTarget } from '../methods.js'
import { callSeam } from '../seam.js'

const NAME = 'adapter/corrupt-results'
const options = {
  ...callOptions,
  ...damageOptions,
  change: option.optional(
    option.func<(result: never, call: FailedCall) => unknown>(
      'Makes the damaged result of the real one. In process only.',
    ),
  ),
}

/** Options of {@link corruptResults}. */
export type CorruptResultsOptions = OptionsOf<typeof corruptResults>

/**
 * Damages what calls answer.
 *
 * Models a reply that is cut short, a bad disk or cable, a serialiser that disagrees. The call succeeds with a wrong result. The damage is done in a copy,
 * so the data of the service stays as it is. A result that the damage does not fit (a class instance, a date) stays as it is: use `at` or `change` for it.
 * Each item of an iteration or a stream is a result. An operation is a call, and its name is the name of the method.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an option of another kind of damage, `set` without `value`, `remove` without `at`, or `change` beside
 * another option of damage; `CHAOS_TARGET_MISMATCH` when `methods` match nothing
 */
export const corruptResults = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Damages what calls answer.',
  options,
  check: (options) => checkDamage(options, NAME),
  target: methodTarget,
  inject(target, { change, ...options }, context) {
    const damage = damageOf(options)
    const chance = seededStream(context, 'damage')
    const layOver = covering(context)
    callSeam(options)(target, context, ({ answers, proceed, name: method, args, within = asItIs }) => {
      const spoil = (data: unknown): unknown => {
        try {
          return damage.damaged(data, () => chance(method))
        } catch {
          // It contains itself, or throws when it is read: then it comes as it is.
          return data
        }
      }
      return answers.through(
        proceed(),
        {
          item: (result) => (change === undefined ? within(result, spoil) : change(result as never, { method, args })),
        },
        layOver,
      )
    })
  },
})
