import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import { checkScope, orderOption, scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic } from '../traffic/traffic.js'

const options = {
  perSecond: option.count('Affected events that pass per second, all names together.', 1),
  backlog: option.optional(option.count('The most events that may wait; more events are dropped.'), 1_000),
  order: orderOption,
  ...scopeOptions,
  ...scopeInProcess,
}

/** Options of {@link throttleEvents}. */
export type ThrottleEventsOptions = OptionsOf<typeof throttleEvents>

/**
 * Limits the number of events per second, evenly spaced.
 *
 * Models a slow consumer or a narrow link behind a bounded queue: events above the limit wait, and events that find the
 * backlog full are dropped (`injection.account.dropped`). Events that wait when the fault ends are delivered then, in
 * order.
 */
export const throttleEvents = defineFault({
  name: 'eventbus/throttle-events',
  kind: 'standing',
  summary: 'Limits the number of events per second.',
  options,
  target: busTarget,
  check: checkScope,
  inject(bus: BusTarget, options, context) {
    const { perSecond, backlog } = options
    const { clock } = context
    let freeAt = clock.now()
    directTraffic(bus, options, context, (message, traffic) => {
      const now = clock.now()
      const turn = Math.max(now, freeAt)
      if (turn > now && traffic.account.held >= backlog) return traffic.drop(message)
      freeAt = turn + 1_000 / perSecond
      return turn > now ? traffic.hold(message, turn - now).answer : traffic.deliver(message)
    })
  },
})
