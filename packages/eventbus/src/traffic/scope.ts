import { ChaosError } from '@chaos/core'
import { fieldOf, globMatcher, option, synchronousAnswer } from '@chaos/core/authoring'
import type { EventName, Message } from '../seams/bus.js'

const where = option.fields(
  'Affects only events whose payload has these values, by field path: { "order.country": "DE" }. In process also a function of payload and name.',
)
const subscriber = option.names(
  'Affects only these subscribers: names or globs of listeners, consumers or groups; in process also the listener itself. Default: all.',
)

/** Which messages a fault may affect, in addition to the blast radius that every fault has. */
export const scopeOptions = {
  seam: option.optional(
    option.oneOf(
      ['delivery', 'publish'],
      'delivery: between the bus and its listeners; publish: before the event reaches the bus.',
    ),
    'delivery',
  ),
  where: option.optional(where),
  subscriber: option.optional(subscriber),
} as const

/** The same options with functions, which only callers in this process can pass. */
export const scopeInProcess = {
  where: option.optional(
    option.either(
      where,
      option.func<(payload: unknown, name: EventName) => boolean>('Whether an event may be affected.'),
      'values by field path, or a function',
    ),
  ),
  subscriber: option.optional(
    option.either(
      subscriber,
      option.func<(...args: never[]) => unknown>('The listener to affect.'),
      'a name or glob, a list of them, or a listener',
    ),
  ),
} as const

/** The `order` option of every fault that holds messages. */
export const orderOption = option.optional(
  option.oneOf(['keep', 'free'], 'keep: events of one name stay in order; free: they may overtake each other.'),
  'keep',
)

/** The parsed scope options. */
export interface Scope {
  readonly seam: 'delivery' | 'publish'
  readonly where?:
    | Readonly<Record<string, string | number | boolean | null>>
    | ((payload: unknown, name: EventName) => boolean)
    | undefined
  readonly subscriber?: string | readonly string[] | ((...args: never[]) => unknown) | undefined
}

/**
 * Checks that `subscriber` and `seam` go together.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when `subscriber` is given with the seam `publish`, where the subscribers are not known yet.
 */
export function checkScope({ seam, subscriber }: Partial<Scope>): void {
  if (subscriber === undefined || seam !== 'publish') return
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    '`subscriber` needs the seam `delivery`: at `publish`, the subscribers of an event are not known yet. Leave out `subscriber` or `seam`.',
  )
}

/** Compiles a scope into one test. `undefined`: the scope covers every message. */
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
