import { ChaosError } from '@chaos/core'
import { defineFault, option, type OptionsOf, seededStream } from '@chaos/core/authoring'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import { checkScope, orderOption, scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic, type HeldMessage } from '../traffic/traffic.js'

const options = {
  window: option.optional(
    option.count('Number of affected events of one name that are collected and delivered in another order.', 2),
    4,
  ),
  withinMs: option.optional(option.durationMs('The longest time that a window collects events, in ms.'), 1_000),
  order: orderOption,
  ...scopeOptions,
  ...scopeInProcess,
}

/** Options of {@link reorderEvents}. */
export type ReorderEventsOptions = OptionsOf<typeof reorderEvents>

/** The collected events of one name. */
interface Window {
  readonly messages: HeldMessage[]
  isLeaving: boolean
}

/**
 * Delivers events of one name in another order.
 *
 * Models retries, several partitions and several connections. The fault collects a window of affected events and
 * delivers it when it has `window` events or `withinMs` is over. No event keeps its place. Events that are collected when
 * the fault ends are delivered then, in their original order.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when `withinMs` is less than 1.
 * @see Sattolo's algorithm, which draws a cyclic permutation: no element keeps its place.
 */
export const reorderEvents = defineFault({
  name: 'eventbus/reorder-events',
  kind: 'standing',
  summary: 'Delivers events of one name in another order.',
  options,
  target: busTarget,
  check(options) {
    checkScope(options)
    if (options.withinMs < 1)
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `Expected \`withinMs\` of eventbus/reorder-events to be at least 1, got \`${options.withinMs}\`.`,
      )
  },
  inject(bus: BusTarget, options, context) {
    const chance = seededStream(context, 'order')
    const windows = new Map<PropertyKey, Window>()
    directTraffic(bus, options, context, (message, traffic) => {
      const key = traffic.keyOf(message)
      const window = windows.get(key) ?? { messages: [], isLeaving: false }
      windows.set(key, window)
      const leave = (): HeldMessage[] => {
        windows.delete(key)
        window.isLeaving = true
        return derangement(window.messages, () => chance(message.name))
      }
      const held = traffic.hold(message, options.withinMs, (deliver) => {
        // A window that is being delivered, or the end of the fault, delivers each message by itself.
        if (window.isLeaving || context.signal.aborted) {
          deliver()
          return
        }
        for (const one of leave()) {
          if (one === held) deliver()
          else one.deliver()
        }
      })
      window.messages.push(held)
      if (window.messages.length === options.window) for (const one of leave()) one.deliver()
      return held.answer
    })
  },
})

/** A random order in which no item keeps its place. */
function derangement<T>(items: readonly T[], draw: () => number): T[] {
  const order = [...items]
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(draw() * last)
    ;[order[last], order[other]] = [order[other] as T, order[last] as T]
  }
  return order
}
