import { inject, type Injection } from '@chaos/core'
import { defineFault, MAX_TIMER_MS, type AnyFunction, type Below } from '@chaos/core/authoring'
import type { AmqplibChannel, AmqplibDelivery } from './delivery.js'

/** The identity of a copy: a copy with changed content keeps its `fields` object. */
type Fields = AmqplibDelivery['fields']

/** The copies of a channel that the consumer has not settled yet. */
interface Unsettled {
  readonly copies: Set<Fields>
  readonly guard: Promise<Injection>
}

const unsettledOf = new WeakMap<AmqplibChannel, Unsettled>()
const copies = new WeakSet<Fields>()

/** Whether a delivery is a copy, which the broker does not know. */
export const isCopy = ({ fields }: AmqplibDelivery): boolean => copies.has(fields)

/**
 * A second delivery of the same message, as after a lost acknowledgement.
 *
 * The broker closes a channel that settles one delivery twice. So the `ack`, `nack` or `reject` of a copy does not reach the
 * broker. This holds until the consumer has settled all copies, even after the end of the fault.
 */
export function copyOf(channel: AmqplibChannel, original: AmqplibDelivery): AmqplibDelivery {
  return unknownToBroker(channel, original, { ...original.fields, redelivered: true })
}

/** A delivery that was settled before its consumer got it, so the broker does not know it any more. */
export function settledDelivery(channel: AmqplibChannel, delivery: AmqplibDelivery): AmqplibDelivery {
  return isCopy(delivery) ? delivery : unknownToBroker(channel, delivery, { ...delivery.fields })
}

function unknownToBroker(channel: AmqplibChannel, original: AmqplibDelivery, fields: Fields): AmqplibDelivery {
  copies.add(fields)
  let unsettled = unsettledOf.get(channel)
  if (unsettled === undefined) {
    unsettled = { copies: new Set(), guard: inject(settleCopies(), channel, { leaseMs: MAX_TIMER_MS }) }
    unsettledOf.set(channel, unsettled)
  }
  unsettled.copies.add(fields)
  return { ...original, fields }
}

/** Records that a copy is settled. After the last copy, the guard is rolled back. */
function settle(channel: AmqplibChannel, { fields }: AmqplibDelivery): void {
  const unsettled = unsettledOf.get(channel)
  unsettled?.copies.delete(fields)
  if (unsettled?.copies.size !== 0) return
  unsettledOf.delete(channel)
  void unsettled.guard.then((guard) => guard.rollback())
}

/** Breaks nothing. It is a fault only to be armed and rolled back like one. */
const settleCopies = defineFault({
  name: 'eventbus/settle-copies',
  kind: 'standing',
  summary: 'Hides the acknowledgements of copies from the broker.',
  options: {},
  target: { expects: 'a channel of amqplib', accepts: () => true },
  inject(channel: AmqplibChannel, _options, context) {
    const layer = (below: Below): AnyFunction =>
      function (this: unknown, ...args: readonly [delivery: AmqplibDelivery, ...rest: readonly unknown[]]): unknown {
        const [delivery] = args
        if (!isCopy(delivery)) return below.call.apply(this, args) as unknown
        settle(channel, delivery)
        return undefined
      }
    for (const method of ['ack', 'nack', 'reject']) context.patch(channel, method, layer)
  },
})
