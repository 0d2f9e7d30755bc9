import { ChaosError } from '@chaos/core'
import { defineFault, option, type OptionsOf, type OptionsOutput, seededStream } from '@chaos/core/authoring'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import type { EventName, Message } from '../seams/bus.js'
import {
  bitsFlipped,
  damaged,
  hasBits,
  isDamageable,
  isLonger,
  REMOVED,
  setTo,
  truncatedTo,
  type Damage,
} from '../traffic/corruption.js'
import { checkScope, scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic } from '../traffic/traffic.js'

const options = {
  change: option.oneOf(
    ['set', 'remove', 'truncate', 'flip-bits'],
    'set: another value; remove: the field is gone; truncate: text, bytes or a list cut off; flip-bits: bits of text, bytes, a number or a boolean flipped.',
  ),
  at: option.optional(
    option.text('Path of the field to damage: order.items.0.price. Default: the payload as a whole.'),
  ),
  value: option.optional(option.scalar('What `set` puts in its place.')),
  length: option.optional(option.count('What `truncate` leaves, in bytes, characters or items. Default: half.')),
  bits: option.optional(option.count('Bits that `flip-bits` flips. Default 1.', 1, 1_000_000)),
  ...scopeOptions,
  ...scopeInProcess,
}

/** Options of {@link corruptEvents}. */
export type CorruptEventsOptions = OptionsOf<typeof corruptEvents>
type Options = OptionsOutput<typeof options>

/** Which change each option belongs to. */
const BELONGS_TO = { value: 'set', length: 'truncate', bits: 'flip-bits' } as const

/**
 * Damages the content of events.
 *
 * Models a publisher of another version, a broken serialiser, a cut or damaged frame. The payload is never changed in place: listeners
 * get a damaged copy, the publisher keeps what it had. Text and bytes that hold JSON are read, damaged and written as such. An event that cannot
 * be damaged so (no such field, a number to truncate) is outside the fault's scope.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for options of another `change`, `set` without `value`, or `remove` without `at`.
 */
export const corruptEvents = defineFault({
  name: 'eventbus/corrupt-events',
  kind: 'standing',
  summary: 'Damages the content of events.',
  options,
  target: busTarget,
  check(options: Options) {
    checkScope(options)
    const { change, at, value } = options
    for (const [name, of] of Object.entries(BELONGS_TO) as [keyof typeof BELONGS_TO, string][]) {
      if (options[name] !== undefined && change !== of)
        throw new ChaosError(
          'CHAOS_INVALID_OPTION',
          `Expected \`${name}\` with the change \`${of}\` only, got the change \`${change}\`. Leave \`${name}\` out.`,
        )
    }
    if (change === 'set' && value === undefined)
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        'Expected `value` with the change `set`, got none. Say what to put in its place.',
      )
    if (change === 'remove' && at === undefined)
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        'Expected `at` with the change `remove`, got none. Say which field to remove, or lose the whole event with dropEvents.',
      )
  },
  inject(bus: BusTarget, options, context) {
    const { at = '' } = options
    const damageOf = damages(options, seededStream(context, 'bits'))
    const fits = fitOf(options)
    // Asked of each message, before it is decided whether it is affected: so nothing is copied for it.
    directTraffic(
      bus,
      { ...options, applies: ({ payload }) => isDamageable(payload, at, fits) },
      context,
      (message, traffic) => traffic.deliver(harmed(message)),
    )

    /** A payload that cannot be copied, or throws when it is read again, must not throw in the application's own call: it comes as it is. */
    function harmed(message: Message): Message {
      try {
        return message.withPayload(damaged(message.payload, at, damageOf(message.name)))
      } catch {
        context.account('unreadable').unreadable += 1
        return message
      }
    }
  },
})

/** Which values the change can damage. */
function fitOf({ change, length }: Options): (value: unknown) => boolean {
  return { set: () => true, remove: () => true, truncate: isLonger(length), 'flip-bits': hasBits }[change]
}

function damages(
  { change, at, value, length, bits = 1 }: Options,
  chance: (name: EventName) => number,
): (name: EventName) => Damage {
  switch (change) {
    case 'set': {
      const set = setTo(value, at === undefined)
      return () => set
    }
    case 'remove':
      return () => () => REMOVED
    case 'truncate': {
      const truncate = truncatedTo(length)
      return () => truncate
    }
    case 'flip-bits':
      return (name) => bitsFlipped(bits, () => chance(name))
  }
}
