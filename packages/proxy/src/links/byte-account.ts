/** What became of bytes. At any instant, `bytesIn = bytesOut + bytesDropped + bytesHeld`. */
export interface ByteAccount {
  readonly bytesIn: number
  readonly bytesOut: number
  readonly bytesDropped: number
  readonly bytesHeld: number
}

/** The names of a {@link ByteAccount}, in order. */
export const BYTE_COUNTERS = ['bytesIn', 'bytesOut', 'bytesDropped', 'bytesHeld'] as const

/** A {@link ByteAccount} that is counted on. */
export type ByteCounters = Record<(typeof BYTE_COUNTERS)[number], number>

export const noBytes = (): ByteCounters => ({ bytesIn: 0, bytesOut: 0, bytesDropped: 0, bytesHeld: 0 })

/** Adds an account to another one. */
export function addBytes(sum: ByteCounters, account: ByteAccount): void {
  sum.bytesIn += account.bytesIn
  sum.bytesOut += account.bytesOut
  sum.bytesDropped += account.bytesDropped
  sum.bytesHeld += account.bytesHeld
}
