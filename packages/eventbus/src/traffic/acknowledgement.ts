import { ChaosError } from '@chaos/core'
import { busOf, type BusTarget } from '../in-process/bus-target.js'
import type { Message } from '../seams/bus.js'

/**
 * Makes sure that a bus can feel a fault of acknowledgements.
 *
 * @param needs.requeue Whether its consumers must be able to give a delivery back.
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when they cannot, or when nothing is acknowledged at all.
 */
export function expectAcknowledgements(target: BusTarget, { requeue }: { readonly requeue: boolean }): void {
  const { kind, seams, requeues = false } = busOf(target)
  if (seams.ack === undefined) {
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `Expected a bus whose consumers acknowledge what they have processed, got ${kind}, where nothing is acknowledged. Choose a fault that this bus can feel, or bind its seam \`ack\`.`,
    )
  }
  if (requeue && !requeues) {
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `Expected a bus whose consumers can give a delivery back to the broker (a negative acknowledgement), got ${kind}, where they cannot. Use eventbus/lose-acks, which leaves it unacknowledged.`,
    )
  }
}

/** An acknowledgement that reaches the broker as its opposite: what was acknowledged is delivered again. */
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
