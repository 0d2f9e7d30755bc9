import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import { checkScope, orderOption, scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic } from '../traffic/traffic.js'

const options = {
  perSecond: option.count('Affected events that go through in a second, all names together.', 1),
  backlog: option.optional(option.count('Events that wait at most; what comes beyond that is lost.'), 1_000),
  order: orderOption,
  ...scopeOptions,
  ...scopeInProcess,
}

/** Options of {@link throttleEvents}. */
export type ThrottleEventsOptions = OptionsOf<typeof throttleEvents>

/**
 * Lets only so many events through in a second, evenly spaced.
 *
 * Models a slow consumer or a narrow link in front of a queue that is bounded: what comes faster waits, and what finds the backlog full
 * is lost (`injection.account.dropped`). What waits when the fault ends is delivered then, in order.
 */
export const throttleEvents = defineFault({
  name: 'eventbus/throttle-events',
  kind: 'standing',
  summary: 'Lets only so many events through in a second.',
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
