import { ChaosError } from '@chaos/core'
import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { asItIs, callOptions } from '../call.js'
import { damaged, damages } from '../../operations/damage.js'
import type { FailedCall } from '../error-options.js'
import { covering } from '../../operations/covering.js'
import { methodTarget } from '../methods.js'
import { callSeam } from '../seam.js'

const NAME = 'adapter/corrupt-results'
const options = {
  ...callOptions,
  damage: option.optional(
    option.oneOf(
      damages,
      'truncate: the second half is missing; garble: one letter, bit or number is wrong; empty: nothing is in it. Default: truncate.',
    ),
  ),
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
 * Models a reply that is cut short, a bad disk or cable, a serialiser that disagrees. The call succeeds with a wrong result: texts, bytes, lists and plain
 * objects are damaged in a copy, the service's own data stays; what `damage` cannot damage (a class instance, a date) stays as it is: use `change` for it.
 * Of an iteration or a stream each item is a result. An operation is a call; its name is the method's.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when both `damage` and `change` are given; `CHAOS_TARGET_MISMATCH` when `methods` match nothing
 */
export const corruptResults = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Damages what calls answer.',
  options,
  check({ damage, change }) {
    if (damage !== undefined && change !== undefined)
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `Expected \`damage\` or \`change\` of ${NAME}, got both. Keep one of them.`,
      )
  },
  target: methodTarget,
  inject(target, { damage = 'truncate', change, ...options }, context) {
    const roll = context.rolls('damage')
    let drawn = 0
    const chance = (): number => roll((drawn += 1))
    const spoil = (data: unknown): unknown => {
      try {
        return damaged(data, damage, chance)
      } catch {
        // It contains itself, or throws when it is read: then it comes as it is.
        return data
      }
    }
    const layOver = covering(context)
    callSeam(options)(target, context, ({ answers, proceed, name: method, args, within = asItIs }) =>
      answers.through(
        proceed(),
        {
          item: (result) => (change === undefined ? within(result, spoil) : change(result as never, { method, args })),
        },
        layOver,
      ),
    )
  },
})
