import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { directionOption, interceptMessages, isLinkTarget, LINK_TARGET, type LinkTarget } from '../messages/link.js'

const options = { ...directionOption }

/** Options of {@link dropMessages}: `direction`, `both` (default), `outgoing` or `incoming`. */
export type DropMessagesOptions = OptionsOf<typeof dropMessages>

/**
 * Loses messages between threads or processes.
 *
 * Models a receiver that was replaced in between, or a handler that returns too early. The sender notices nothing: what moves is detached,
 * what cannot be cloned throws, ports that travelled with a lost message close. An operation is a message, named `outgoing` or `incoming`.
 *
 * @throws ChaosError `CHAOS_NO_LIVE_WORKER` when no end is open
 */
export const dropMessages = defineFault({
  name: 'worker/drop-messages',
  kind: 'standing',
  summary: 'Loses messages between threads or processes.',
  options,
  target: { expects: LINK_TARGET, accepts: isLinkTarget },
  inject(target: LinkTarget, { direction }, context) {
    interceptMessages(target, direction, context, (message) => {
      if (!context.operation(message.direction).shouldInject(message.args)) return message.pass()
      message.seal().discard()
      return message.accepted
    })
  },
})
