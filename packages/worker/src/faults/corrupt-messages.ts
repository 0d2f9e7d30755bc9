import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { damaged } from '../messages/damage.js'
import { directionOption, interceptMessages, isLinkTarget, LINK_TARGET, type LinkTarget } from '../messages/link.js'

const options = {
  damage: option.optional(
    option.oneOf(
      ['garble', 'truncate', 'remove'],
      'garble: a wrong value of the same kind; truncate: cut off in the middle; remove: undefined.',
    ),
    'garble',
  ),
  field: option.optional(
    option.text('The field to damage: names of properties and indices, joined by dots. Default: the first leaf.'),
  ),
  ...directionOption,
  change: option.optional(option.func<(message: unknown) => unknown>('Makes the message that is delivered instead.')),
}

/**
 * Options of {@link corruptMessages}: `damage`, `garble` (default), `truncate` or `remove`; `field`, default the first leaf; `direction`,
 * `both` (default), `outgoing` or `incoming`; or `change`, a function that makes the message that is delivered instead.
 */
export type CorruptMessagesOptions = OptionsOf<typeof corruptMessages>

/**
 * Changes what messages between threads or processes say.
 *
 * Models two versions that do not agree, or memory that two threads share without care. One field of the message is damaged; the sender's
 * own object stays as it is, and what moves with the message still moves. A message without that field is delivered as it is. An operation
 * is a message, named `outgoing` or `incoming`.
 *
 * @throws ChaosError `CHAOS_NO_LIVE_WORKER` when no end is open
 */
export const corruptMessages = defineFault({
  name: 'worker/corrupt-messages',
  kind: 'standing',
  summary: 'Changes what messages between threads or processes say.',
  options,
  target: { expects: LINK_TARGET, accepts: isLinkTarget },
  inject(target: LinkTarget, { damage, field, change, direction }, context) {
    const changed = (value: unknown): unknown => {
      try {
        return change === undefined ? damaged(value, damage, field) : change(value)
      } catch {
        // It must not throw where the application posts or hears; the message goes on as it was.
        return value
      }
    }
    interceptMessages(target, direction, context, (message) => {
      if (!context.operation(message.direction).shouldInject(message.args)) return message.pass()
      const own = message.seal()
      own.value = changed(own.value)
      own.deliver()
      return message.accepted
    })
  },
})
