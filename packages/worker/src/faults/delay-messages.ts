import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { directionOption, interceptMessages, isLinkTarget, LINK_TARGET, type LinkTarget } from '../messages/link.js'

const options = {
  delayMs: option.durationMs('Time each affected message is held back, in ms.'),
  order: option.optional(
    option.oneOf(
      ['keep', 'free'],
      'keep: messages of one direction stay in order; free: they may overtake each other.',
    ),
    'keep',
  ),
  ...directionOption,
}

/** Options of {@link delayMessages}: `delayMs`; `order`, `keep` (default) or `free`; `direction`, `both` (default), `outgoing` or `incoming`. */
export type DelayMessagesOptions = OptionsOf<typeof delayMessages>

/**
 * Holds back messages between threads or processes.
 *
 * Models a receiver under load. `postMessage` does at once what it does in health: it clones, detaches what moves, and throws what cannot
 * be cloned; the message comes later. What is held when the fault ends is delivered then, in order. An operation is a message, named
 * `outgoing` or `incoming`; `only` may be a predicate of the message.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when `delayMs` does not fit a timer, `CHAOS_NO_LIVE_WORKER` when no end is open
 */
export const delayMessages = defineFault({
  name: 'worker/delay-messages',
  kind: 'standing',
  summary: 'Holds back messages between threads or processes.',
  options,
  target: { expects: LINK_TARGET, accepts: isLinkTarget },
  inject(target: LinkTarget, { delayMs, order, direction }, context) {
    const keepsOrder = order === 'keep'
    interceptMessages(target, direction, context, (message) => {
      const isChosen = context.operation(message.direction).shouldInject(message.args)
      if (!isChosen && !(keepsOrder && context.isHolding(message.line))) return message.pass()
      const { deliverLate: run, late } = message.seal()
      if (isChosen) context.hold({ afterMs: delayMs, order: keepsOrder ? message.line : undefined, run, ...late })
      else context.queue({ order: message.line, run, ...late })
      return message.accepted
    })
  },
})
