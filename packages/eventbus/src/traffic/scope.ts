import { ChaosError } from '@chaos/core'
import { fieldOf, globMatcher, option, synchronousAnswer } from '@chaos/core/authoring'
import type { EventName, Message } from '../seams/bus.js'

const where = option.fields(
  'Values that fields of the payload must have, by path: { "order.country": "DE" }. In process also a function of payload and name. Others are not touched.',
)
const subscriber = option.names(
  'Subscribers it may affect: names or globs of listeners, consumers or groups; in process also the listener itself. Default: all.',
)

/** Which messages a fault may touch, beside the blast radius that every fault has. */
export const scopeOptions = {
  seam: option.optional(
    option.oneOf(
      ['delivery', 'publish'],
      'delivery: after the bus has stamped and counted the event; publish: before it sees it.',
    ),
    'delivery',
  ),
  where: option.optional(where),
  subscriber: option.optional(subscriber),
} as const

/** What only options of the same process can say of it. */
export const scopeInProcess = {
  where: option.optional(
    option.either(
      where,
      option.func<(payload: unknown, name: EventName) => boolean>('Says whether a payload may be affected.'),
      'values by field path, or a function',
    ),
  ),
  subscriber: option.optional(
    option.either(
      subscriber,
      option.func<(...args: never[]) => unknown>('The listener that may be affected.'),
      'a name or glob, a list of them, or a listener',
    ),
  ),
} as const

/** What every fault that keeps messages back lets choose. */
export const orderOption = option.optional(
  option.oneOf(['keep', 'free'], 'keep: events of one name stay in order; free: they may overtake each other.'),
  'keep',
)

/** The scope as a fault gets it. */
export interface Scope {
  readonly seam: 'delivery' | 'publish'
  readonly where?:
    | Readonly<Record<string, string | number | boolean | null>>
    | ((payload: unknown, name: EventName) => boolean)
    | undefined
  readonly subscriber?: string | readonly string[] | ((...args: never[]) => unknown) | undefined
}

/**
 * Refuses what does not go together.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for a subscriber at the publish seam, where nobody knows yet who gets the event.
 */
export function checkScope({ seam, subscriber }: Partial<Scope>): void {
  if (subscriber === undefined || seam !== 'publish') return
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    'Expected `subscriber` with the seam `delivery`, got the seam `publish`, where nobody knows yet who gets the event. Leave one of them out.',
  )
}

/** Compiles a scope into one test; `undefined`: it covers everything. */
export function scopeTest({
  where,
  subscriber,
}: Pick<Scope, 'where' | 'subscriber'>): ((message: Message) => boolean) | undefined {
  const tests = [whereTest(where), subscriberTest(subscriber)].filter((test) => test !== undefined)
  return tests.length === 0 ? undefined : (message) => tests.every((test) => test(message))
}

function whereTest(where: Scope['where']): ((message: Message) => boolean) | undefined {
  if (where === undefined) return undefined
  if (typeof where === 'function') return ({ payload, name }) => synchronousAnswer(where(payload, name))
  const fields = Object.entries(where)
  return ({ payload }) => fields.every(([path, value]) => Object.is(fieldOf(payload, path), value))
}

function subscriberTest(subscriber: Scope['subscriber']): ((message: Message) => boolean) | undefined {
  if (subscriber === undefined) return undefined
  if (typeof subscriber === 'function') return (message) => message.subscriber?.identity === subscriber
  const matches = globMatcher(typeof subscriber === 'string' ? [subscriber] : subscriber)
  return (message) => message.subscriber !== undefined && matches(message.subscriber.name)
}
