import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { directionOption, interceptMessages, isLinkTarget, LINK_TARGET, type LinkTarget } from '../messages/link.js'

const options = {
  distance: option.optional(option.count('Messages of the same direction that overtake each affected one.', 1), 1),
  maxHoldMs: option.optional(option.durationMs('The longest an affected message waits to be overtaken, in ms.'), 1_000),
  ...directionOption,
}

/**
 * Options of {@link reorderMessages}: `distance`, how many messages overtake, default 1; `maxHoldMs`, default 1000; `direction`, `both`
 * (default), `outgoing` or `incoming`.
 */
export type ReorderMessagesOptions = OptionsOf<typeof reorderMessages>

/** A message that waits to be overtaken. */
interface Waiting {
  left: number
  /** Lets it go. */
  readonly go: () => void
}

/**
 * Lets later messages between threads or processes overtake earlier ones.
 *
 * Models two paths of different length. An affected message goes right after the `distance`-th unaffected one behind it, or when `maxHoldMs`
 * is over; the others keep their order, and so do the affected ones among each other. An operation is a message, named `outgoing` or
 * `incoming`.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when `maxHoldMs` does not fit a timer, `CHAOS_NO_LIVE_WORKER` when no end is open
 */
export const reorderMessages = defineFault({
  name: 'worker/reorder-messages',
  kind: 'standing',
  summary: 'Lets later messages between threads or processes overtake earlier ones.',
  options,
  target: { expects: LINK_TARGET, accepts: isLinkTarget },
  inject(target: LinkTarget, { distance, maxHoldMs, direction }, context) {
    const lines = new Map<symbol, Set<Waiting>>()
    interceptMessages(target, direction, context, (message) => {
      const waiting = lines.get(message.line) ?? new Set<Waiting>()
      lines.set(message.line, waiting)
      if (context.operation(message.direction).shouldInject(message.args)) {
        const { deliverLate, late } = message.seal()
        const one: Waiting = { left: distance, go: () => held.run() }
        const run = (): void => {
          waiting.delete(one)
          deliverLate()
        }
        waiting.add(one)
        const held = context.hold({ afterMs: maxHoldMs, run, ...late })
        return message.accepted
      }
      const result = message.pass()
      for (const one of waiting) {
        one.left -= 1
        if (one.left === 0) one.go()
      }
      return result
    })
  },
})
