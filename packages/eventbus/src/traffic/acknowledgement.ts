import { ChaosError } from '@chaos/core'
import { busOf, type BusTarget } from '../in-process/bus-target.js'
import type { Message } from '../seams/bus.js'

/**
 * Checks that a fault of acknowledgements works on a bus.
 *
 * @param needs.requeue Whether consumers must be able to requeue a delivery.
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when the bus has no acknowledgements, or its consumers cannot requeue.
 */
export function expectAcknowledgements(target: BusTarget, { requeue }: { readonly requeue: boolean }): void {
  const { kind, seams, requeues = false } = busOf(target)
  if (seams.ack === undefined) {
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `The fault needs acknowledgements, and ${kind} has none. Choose another fault, or bind the seam \`ack\` of the bus.`,
    )
  }
  if (requeue && !requeues) {
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `The fault needs consumers that can requeue a delivery (negative acknowledgement), and those of ${kind} cannot. Use eventbus/lose-acks, which leaves the delivery unacknowledged.`,
    )
  }
}

/** An acknowledgement that reaches the broker as a refusal, so that the broker redelivers the message. */
export function refusalOf(message: Message): Message {
  const { name, args, payload, subscriber, isAwaited = false } = message
  return {
    name,
    args,
    payload,
    subscriber,
    isAwaited,
    forward: () => message.refuse?.(),
    withPayload: (other) => refusalOf(message.withPayload(other)),
    answer: () => message.answer(),
    isGone: () => message.isGone?.() === true,
  }
}
