import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { expectAcknowledgements, refusalOf } from '../traffic/acknowledgement.js'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import { scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic } from '../traffic/traffic.js'

const { seam: _always, ...scope } = scopeOptions
const options = {
  afterMs: option.optional(option.durationMs('Time until it is delivered again, in ms. 0: at once.'), 0),
  ...scope,
  ...scopeInProcess,
}

/** Options of {@link redeliverEvents}. */
export type RedeliverEventsOptions = OptionsOf<typeof redeliverEvents>

/**
 * Delivers events that were acknowledged once more, by the broker itself and marked as redelivered.
 *
 * Models the redelivery that follows a failover or a rebalance: the broker has not kept that the event was done. Whoever consumes it must recognise
 * it. An operation is the acknowledgement of an event that was delivered for the first time; that of a redelivery passes and is not counted.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` on a bus whose consumers cannot give a delivery back.
 */
export const redeliverEvents = defineFault({
  name: 'eventbus/redeliver-events',
  kind: 'standing',
  summary: 'Delivers events that were acknowledged once more, marked as redelivered.',
  options,
  target: busTarget,
  inject(bus: BusTarget, options, context) {
    expectAcknowledgements(bus, { requeue: true })
    const applies = ({ isRedelivered = false }: { readonly isRedelivered?: boolean }): boolean => !isRedelivered
    directTraffic(bus, { ...options, seam: 'ack', order: 'free', applies }, context, (message, traffic) => {
      const refusal = refusalOf(message)
      return options.afterMs === 0 ? traffic.deliver(refusal) : traffic.hold(refusal, options.afterMs).answer
    })
  },
})
