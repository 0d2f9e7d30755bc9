import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { expectAcknowledgements, refusalOf } from '../traffic/acknowledgement.js'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import { scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic } from '../traffic/traffic.js'

const { seam: _always, ...scope } = scopeOptions
const options = {
  afterMs: option.optional(option.durationMs('Time until the redelivery, in ms. 0: at once.'), 0),
  ...scope,
  ...scopeInProcess,
}

/** Options of {@link redeliverEvents}. */
export type RedeliverEventsOptions = OptionsOf<typeof redeliverEvents>

/**
 * Makes the broker redeliver acknowledged events once, marked as redelivered.
 *
 * Models the redelivery after a failover or a rebalance: the broker has lost the acknowledgement, and the consumer must
 * recognize the repeated event. An operation is the acknowledgement of a first delivery. The acknowledgement of a
 * redelivery passes and is not counted.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when consumers of the bus cannot requeue a delivery.
 */
export const redeliverEvents = defineFault({
  name: 'eventbus/redeliver-events',
  kind: 'standing',
  summary: 'Makes the broker redeliver acknowledged events once, marked as redelivered.',
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
