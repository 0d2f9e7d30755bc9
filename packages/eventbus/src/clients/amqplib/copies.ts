import { inject, type Injection } from '@chaos/core'
import { defineFault, MAX_TIMER_MS, type AnyFunction, type Below } from '@chaos/core/authoring'
import type { AmqplibChannel, AmqplibDelivery } from './delivery.js'

/** What tells a copy from its original: content that was changed keeps its fields. */
type Fields = AmqplibDelivery['fields']

/** The copies of a channel that their consumer has yet to settle. */
interface Unsettled {
  readonly copies: Set<Fields>
  readonly guard: Promise<Injection>
}

const unsettledOf = new WeakMap<AmqplibChannel, Unsettled>()
const copies = new WeakSet<Fields>()

/** Whether a delivery is a copy, of which the broker knows nothing. */
export const isCopy = ({ fields }: AmqplibDelivery): boolean => copies.has(fields)

/**
 * Another delivery of the same message, as after a lost acknowledgement.
 *
 * The broker closes a channel that settles one delivery twice. So whatever its consumer says of the copy is kept from the broker, for as long as
 * there are copies it has not settled, though the fault that made them may have ended before.
 */
export function copyOf(channel: AmqplibChannel, original: AmqplibDelivery): AmqplibDelivery {
  return unknownToBroker(channel, original, { ...original.fields, redelivered: true })
}

/** A delivery of which the broker knows nothing any more, since it was settled before its consumer got it. */
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

/** Takes note that a copy was settled. The last one takes the guard with it. */
function settle(channel: AmqplibChannel, { fields }: AmqplibDelivery): void {
  const unsettled = unsettledOf.get(channel)
  unsettled?.copies.delete(fields)
  if (unsettled?.copies.size !== 0) return
  unsettledOf.delete(channel)
  void unsettled.guard.then((guard) => guard.rollback())
}

/** Breaks nothing: laid and taken back as faults are. */
const settleCopies = defineFault({
  name: 'eventbus/settle-copies',
  kind: 'standing',
  summary: 'Keeps from the broker what is said of copies of which it does not know.',
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
