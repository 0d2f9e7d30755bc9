import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { expectAcknowledgements } from '../traffic/acknowledgement.js'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import { scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic } from '../traffic/traffic.js'

const { seam: _always, ...scope } = scopeOptions
const options = {
  redeliverAfterMs: option.optional(
    option.durationMs(
      'Time until the message of a lost acknowledgement is requeued, in ms. Default: when the fault ends, unless the broker redelivers it earlier.',
    ),
  ),
  ...scope,
  ...scopeInProcess,
}

/** Options of {@link loseAcks}. */
export type LoseAcksOptions = OptionsOf<typeof loseAcks>

/**
 * Drops acknowledgements on their way to the broker, so that processed messages are redelivered.
 *
 * Models a consumer that crashes or loses its connection between its work and its `ack`: the duplicate that every
 * at-least-once broker delivers sooner or later. The consumer considers the message acknowledged. The broker keeps the
 * message, counts it against the prefetch window, and redelivers it by its own rules (a closed channel, an ack wait, a
 * stalled job, a claim). Messages that are still unacknowledged when the fault ends are requeued.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when the bus has no acknowledgements.
 */
export const loseAcks = defineFault({
  name: 'eventbus/lose-acks',
  kind: 'standing',
  summary: 'Drops acknowledgements, so that the broker redelivers processed messages.',
  options,
  target: busTarget,
  inject(bus: BusTarget, options, context) {
    expectAcknowledgements(bus, { requeue: false })
    const { redeliverAfterMs = Number.POSITIVE_INFINITY } = options
    directTraffic(bus, { ...options, seam: 'ack', order: 'free' }, context, (message, traffic) => {
      const answer = traffic.drop(message)
      context.hold({
        afterMs: redeliverAfterMs,
        on: { isGone: () => message.isGone?.() === true },
        // A disconnected client cannot requeue; its broker requeues by itself.
        run: () => void Promise.resolve(message.refuse?.()).catch(() => undefined),
        fail: () => undefined,
      })
      return answer
    })
  },
})
