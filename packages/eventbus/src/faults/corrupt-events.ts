import {
  checkDamage,
  damageOf,
  damageOptions,
  defineFault,
  option,
  seededStream,
  type OptionsOf,
} from '@chaos/core/authoring'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import type { EventName, Message } from '../seams/bus.js'
import { checkScope, scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic } from '../traffic/traffic.js'

const NAME = 'eventbus/corrupt-events'
const options = {
  ...damageOptions,
  change: option.optional(
    option.func<(payload: never, name: EventName) => unknown>(
      'Makes the damaged payload of the real one. In process only.',
    ),
  ),
  ...scopeOptions,
  ...scopeInProcess,
}

/** Options of {@link corruptEvents}. */
export type CorruptEventsOptions = OptionsOf<typeof corruptEvents>

/**
 * Damages the content of events.
 *
 * Models a publisher of another version, a broken serialiser, a frame that is cut off or damaged. The payload is never changed in place: listeners
 * get a damaged copy, and the publisher keeps the original. With `at`, text and bytes that hold JSON are read, damaged and written as JSON again. An
 * event that the damage does not fit (no such field, a number to truncate) is outside the scope of the fault.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an option of another kind of damage, `set` without `value`, `remove` without `at`, or `change` beside
 * another option of damage.
 */
export const corruptEvents = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Damages the content of events.',
  options,
  target: busTarget,
  check(options) {
    checkScope(options)
    checkDamage(options, NAME)
  },
  inject(bus: BusTarget, options, context) {
    const { change } = options
    const damage = damageOf(options)
    const chance = seededStream(context, 'damage')
    // Asked of each message before the fault decides, so that nothing is copied of a message that it does not affect.
    const applies = change === undefined ? ({ payload }: Message): boolean => damage.fits(payload) : undefined
    directTraffic(bus, { ...options, applies }, context, (message, traffic) => traffic.deliver(harmed(message)))

    /** A payload that cannot be copied, or throws when it is read again, must not throw in the application's own call: it comes as it is. */
    function harmed(message: Message): Message {
      const { name, payload } = message
      try {
        return message.withPayload(
          change === undefined ? damage.damaged(payload, () => chance(name)) : change(payload as never, name),
        )
      } catch {
        context.account('unreadable').unreadable += 1
        return message
      }
    }
  },
})
