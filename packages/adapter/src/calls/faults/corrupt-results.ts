import {
  checkDamage,
  damageOf,
  damageOptions,
  defineFault,
  option,
  seededStream,
  type OptionsOf,
} from '@chaos/core/authoring'
import { wholeResult, callOptions } from '../call.js'
import type { FailedCall } from '../error-options.js'
import { answerChanges } from '../answer.js'
import { methodTarget } from '../methods.js'
import { callSeam } from '../seam.js'

const NAME = 'adapter/corrupt-results'
const options = {
  ...callOptions,
  ...damageOptions,
  change: option.optional(
    option.func<(result: never, call: FailedCall) => unknown>(
      'Function that makes the damaged result from the real one. In process only.',
    ),
  ),
}

/** Options of {@link corruptResults}. */
export type CorruptResultsOptions = OptionsOf<typeof corruptResults>

/**
 * Damages the results of calls.
 *
 * Models a reply that is cut short, a bad disk or cable, or a serializer that disagrees with its reader. The call
 * succeeds with a wrong result. The fault damages a copy, so the data of the service stays intact. A result that the
 * damage does not change (a class instance, an empty text, `null`) comes as it is, and its call counts as passed; use `at`
 * or `change` for it. Each item of an iteration or a stream is a result, and the call counts as affected once one of them
 * is damaged. An operation is a call; its name is the name of the method.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if an option belongs to another kind of damage, if `set` has no `value` or
 *   `remove` no `at`, or if `change` is combined with another option of damage; `CHAOS_TARGET_MISMATCH` if `methods`
 *   match nothing.
 */
export const corruptResults = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Damages the results of calls.',
  options,
  check: (options) => checkDamage(options, NAME),
  target: methodTarget,
  inject(target, { change, ...options }, context) {
    const damage = damageOf(options)
    const chance = seededStream(context, 'damage')
    const changes = answerChanges(context)
    callSeam(options, { countsEffects: true })(target, context, (call) => {
      const { answers, proceed, name: method, args, within = wholeResult, lands } = call
      const damaged = (result: unknown): unknown => {
        const hit = { isDamaged: false }
        const damagedData = (data: unknown): unknown => {
          const copy = damage.damaged(data, () => chance(method))
          hit.isDamaged ||= !Object.is(copy, data)
          return copy
        }
        try {
          const copy = within(result, damagedData)
          return hit.isDamaged ? copy : result
        } catch {
          // A result that throws when it is read stays as it is.
          return result
        }
      }
      const item = (result: unknown): unknown => {
        if (context.signal.aborted) return result
        if (change === undefined) {
          const copy = damaged(result)
          return !Object.is(copy, result) && lands() ? copy : result
        }
        return lands() ? change(result as never, { method, args }) : result
      }
      return answers.through(proceed(), { item }, changes)
    })
  },
})
