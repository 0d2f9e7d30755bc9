import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import {
  directionOption,
  interceptMessages,
  isLinkTarget,
  LINK_TARGET,
  type LinkTarget,
  type Sealed,
} from '../messages/link.js'

const options = {
  copies: option.optional(option.count('Copies that follow each affected message.', 1, 1_000), 1),
  ...directionOption,
}

/** Options of {@link duplicateMessages}: `copies`, default 1; `direction`, `both` (default), `outgoing` or `incoming`. */
export type DuplicateMessagesOptions = OptionsOf<typeof duplicateMessages>

/**
 * Delivers messages between threads or processes more than once.
 *
 * Models a sender that retries. The copies follow the message at once; each is an object of its own. A message that moves a port cannot
 * exist twice: it passes and is not counted. An operation is a message, named `outgoing` or `incoming`.
 *
 * @throws ChaosError `CHAOS_NO_LIVE_WORKER` when no end is open
 */
export const duplicateMessages = defineFault({
  name: 'worker/duplicate-messages',
  kind: 'standing',
  summary: 'Delivers messages between threads or processes more than once.',
  options,
  target: { expects: LINK_TARGET, accepts: isLinkTarget },
  inject(target: LinkTarget, { copies, direction }, context) {
    interceptMessages(target, direction, context, (message) => {
      if (message.isUnique || !context.operation(message.direction).shouldInject(message.args)) return message.pass()
      // Copied before it goes: what moves with it is gone afterwards. What cannot be cloned at all throws at its sender when it goes.
      const more: (Sealed | undefined)[] = []
      while (more.length < copies) more.push(message.copy())
      const result = message.pass()
      for (const copy of more) copy?.deliver()
      return result
    })
  },
})
