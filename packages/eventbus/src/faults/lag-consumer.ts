import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { expectAcknowledgements } from '../traffic/acknowledgement.js'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import type { Message } from '../seams/bus.js'
import { scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic, type HeldMessage } from '../traffic/traffic.js'

const { seam: _always, ...scope } = scopeOptions
const options = {
  processingMs: option.durationMs('Additional processing time of each affected delivery, one after the other, in ms.'),
  backlog: option.optional(
    option.count('The most deliveries that wait in the consumer; one more releases the oldest early.', 1),
    1_000,
  ),
  ...scope,
  ...scopeInProcess,
}

/** Beyond this number of consumers, idle ones are forgotten. */
const MAX_CONSUMERS = 1_000

/** Options of {@link lagConsumer}. */
export type LagConsumerOptions = OptionsOf<typeof lagConsumer>

/**
 * Makes a consumer slower than its publishers: it handles one delivery after the other, each `processingMs` later.
 *
 * Models consumer lag. A waiting delivery is not acknowledged, so the prefetch window (`prefetch`, `max_ack_pending`,
 * `COUNT`, `concurrency`) fills and the broker keeps the rest. Its backlog grows while more than `1000 / processingMs`
 * messages per second are published. Unlike `throttleEvents`, this fault drops nothing. Deliveries that wait when the fault
 * ends go on at once, in order, and the consumer catches up.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when the bus has no acknowledgements, and so no lag.
 */
export const lagConsumer = defineFault({
  name: 'eventbus/lag-consumer',
  kind: 'standing',
  summary: 'Slows a consumer down, so that the backlog of its broker grows.',
  options,
  target: busTarget,
  inject(bus: BusTarget, options, context) {
    expectAcknowledgements(bus, { requeue: false })
    const { processingMs, backlog } = options
    const { clock } = context
    const freeAt = new Map<unknown, number>()
    const waiting = new Map<Message, HeldMessage>()
    directTraffic(bus, { ...options, seam: 'delivery' }, context, (message, traffic) => {
      const consumer = message.subscriber?.identity
      const now = clock.now()
      // A burst must not push the turn beyond the end of a full backlog.
      const turn = Math.min(Math.max(now, freeAt.get(consumer) ?? 0), now + backlog * processingMs) + processingMs
      // An idle consumer has no turn to remember.
      if (freeAt.size >= MAX_CONSUMERS && !freeAt.has(consumer))
        for (const [one, at] of freeAt) if (at <= now) freeAt.delete(one)
      freeAt.set(consumer, turn)
      const held = traffic.hold(message, turn - now, (deliver) => {
        waiting.delete(message)
        deliver()
      })
      waiting.set(message, held)
      const [oldest] = waiting.values()
      if (waiting.size > backlog) oldest?.deliver()
      return held.answer
    })
  },
})
