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
      'Returns the damaged payload for the real one. In process only.',
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
 * Models a publisher with another version, a broken serializer, or a truncated or damaged frame. The payload is never
 * changed in place: listeners get a damaged copy, and the publisher keeps the original. With `at`, JSON in text or bytes
 * is parsed, damaged and serialized again. The fault skips an event that cannot take the damage, for example one without
 * the field, or a number that is to be truncated.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when an option belongs to another kind of damage, when `set` has no `value`,
 *   when `remove` has no `at`, or when `change` is combined with another damage option.
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
    // Checked before the fault decides, so that only affected messages are copied.
    const applies = change === undefined ? ({ payload }: Message): boolean => damage.fits(payload) : undefined
    directTraffic(bus, { ...options, applies }, context, (message, traffic) => traffic.deliver(harmed(message)))

    /**
     * A payload that cannot be copied or read must not throw in the application's call, so its message stays unchanged.
     */
    function harmed(message: Message): Message {
      try {
        const { name, payload } = message
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
