import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { expectAcknowledgements } from '../traffic/acknowledgement.js'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import type { Message } from '../seams/bus.js'
import { scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic, type HeldMessage } from '../traffic/traffic.js'

const { seam: _always, ...scope } = scopeOptions
const options = {
  processingMs: option.durationMs('Time that each affected delivery takes longer, one after the other, in ms.'),
  backlog: option.optional(
    option.count(
      'Deliveries that wait in the consumer at most; when more come, the oldest goes on before its time.',
      1,
    ),
    1_000,
  ),
  ...scope,
  ...scopeInProcess,
}

/** So many consumers are remembered before those that are free are forgotten. */
const MAX_CONSUMERS = 1_000

/** Options of {@link lagConsumer}. */
export type LagConsumerOptions = OptionsOf<typeof lagConsumer>

/**
 * Makes a consumer slower than its publishers: deliveries get on one after the other, each so long after the one before it.
 *
 * Models consumer lag. Nothing is acknowledged before its turn, so the prefetch window (`prefetch`, `max_ack_pending`, `COUNT`, `concurrency`) fills, the broker
 * keeps the rest, and its backlog grows as long as more is published than `1000 / processingMs` a second. Unlike `throttleEvents` it loses
 * nothing. What waits when the fault ends gets on at once, in order, and the consumer catches up.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` on a bus where nothing is acknowledged, and nothing therefore lags behind.
 */
export const lagConsumer = defineFault({
  name: 'eventbus/lag-consumer',
  kind: 'standing',
  summary: 'Makes a consumer slower than its publishers, so that the backlog of its broker grows.',
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
      // A full backlog is never longer than that, however much came.
      const turn = Math.min(Math.max(now, freeAt.get(consumer) ?? 0), now + backlog * processingMs) + processingMs
      // Whoever is free by now is no slower for being forgotten.
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
