import { byName, defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { busOf, busTarget, type BusTarget } from '../in-process/bus-target.js'
import type { Message } from '../seams/bus.js'
import { failureOf, failureOptions, makeErrorOption } from '../traffic/listener-failure.js'
import { messageIdentity } from '../traffic/message-identity.js'
import { scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic } from '../traffic/traffic.js'

const NAME = 'eventbus/poison-events'
const { seam: _always, ...scope } = scopeOptions
const options = {
  nth: option.optional(option.count('Which event of each name is the poison message.', 1), 1),
  keyAt: option.optional(
    option.text('Path of the field that identifies a redelivered event: orderId. Default: the whole payload.'),
  ),
  ...failureOptions,
  ...scope,
  ...scopeInProcess,
  makeError: makeErrorOption,
}

/** Options of {@link poisonEvents}. */
export type PoisonEventsOptions = OptionsOf<typeof poisonEvents>

/**
 * Makes the nth event of each name fail on every delivery.
 *
 * Models a poison message, which no consumer can process: a consumer that retries it for ever blocks its queue. An
 * operation is an attempt to deliver the poison message; other events pass and are not counted. After `limit` attempts
 * the message is delivered successfully. Events with equal keys are one event.
 */
export const poisonEvents = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Makes one event fail on every delivery.',
  options,
  target: busTarget,
  inject(bus: BusTarget, options, context) {
    const applies = poison(options.nth, options.keyAt, busOf(bus).seams.ack !== undefined)
    directTraffic(bus, { ...options, seam: 'delivery', order: 'free', applies }, context, (message, traffic) =>
      traffic.fail(message, failureOf(options, NAME), options.how),
    )
  },
})

/**
 * Whether a message is the poison message: the nth of its name, or one with the same key. `byName` bounds the memory
 * for many names.
 */
function poison(nth: number, keyAt: string | undefined, isCarried: boolean): (message: Message) => boolean {
  const seenOf = byName<{ count: number; last: Message['args'] | undefined; key: unknown }>(() => ({
    count: 0,
    last: undefined,
    key: undefined,
  }))
  return ({ name, args, payload }) => {
    const key = messageIdentity(payload, keyAt, isCarried)
    const seen = seenOf(name)
    if (seen.count >= nth) return Object.is(seen.key, key)
    // All deliveries of one event share its arguments: the event counts once.
    if (seen.last !== args) seen.count += 1
    const isPoison = seen.count === nth
    // From now on the key identifies it.
    seen.last = isPoison ? undefined : args
    seen.key = key
    return isPoison
  }
}
