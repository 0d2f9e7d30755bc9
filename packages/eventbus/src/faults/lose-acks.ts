import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { expectAcknowledgements } from '../traffic/acknowledgement.js'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import { scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic } from '../traffic/traffic.js'

const { seam: _always, ...scope } = scopeOptions
const options = {
  redeliverAfterMs: option.optional(
    option.durationMs(
      "Time until a message whose acknowledgement was lost is given back to the broker, in ms. Default: when the fault ends, unless the broker's own time is up before.",
    ),
  ),
  ...scope,
  ...scopeInProcess,
}

/** Options of {@link loseAcks}. */
export type LoseAcksOptions = OptionsOf<typeof loseAcks>

/**
 * Loses acknowledgements on their way to the broker: a message is processed, and delivered again.
 *
 * Models a consumer that crashes, or loses its connection, between its work and its `ack`: the duplicate that every at-least-once broker
 * delivers sooner or later. The consumer takes the message for acknowledged; the broker keeps it, counts it against the prefetch window, and delivers it
 * again by its own rules (a closed channel, an ack wait, a stalled job, a claim). What it still keeps when the fault ends is given back to it.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` on a bus where nothing is acknowledged.
 */
export const loseAcks = defineFault({
  name: 'eventbus/lose-acks',
  kind: 'standing',
  summary: 'Loses acknowledgements, so that messages that were processed are delivered again.',
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
        // A client that is cut off meanwhile gives nothing back: its broker takes it back by itself.
        run: () => void Promise.resolve(message.refuse?.()).catch(() => undefined),
        fail: () => undefined,
      })
      return answer
    })
  },
})
