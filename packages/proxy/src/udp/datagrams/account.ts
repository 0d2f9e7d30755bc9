/**
 * What became of datagrams. At any instant,
 * `datagramsIn + datagramsDuplicated = datagramsOut + datagramsDropped + datagramsHeld`.
 */
export interface DatagramAccount {
  readonly datagramsIn: number
  /** Copies that faults made. */
  readonly datagramsDuplicated: number
  readonly datagramsOut: number
  readonly datagramsDropped: number
  readonly datagramsHeld: number
}

/** The names of a {@link DatagramAccount}, in order. */
export const DATAGRAM_COUNTERS = [
  'datagramsIn',
  'datagramsDuplicated',
  'datagramsOut',
  'datagramsDropped',
  'datagramsHeld',
] as const

/** A {@link DatagramAccount} that is counted on. */
export type DatagramCounters = Record<(typeof DATAGRAM_COUNTERS)[number], number>

export const noDatagrams = (): DatagramCounters => ({
  datagramsIn: 0,
  datagramsDuplicated: 0,
  datagramsOut: 0,
  datagramsDropped: 0,
  datagramsHeld: 0,
})

/** Why datagrams were dropped. */
export interface DropCounts {
  /** A fault dropped them. */
  readonly byFault: number
  /** A queue was full: that of a fault, of the proxy, or of a socket. */
  readonly queueFull: number
  /** They were of new clients, and the proxy had `maxSessions` already. */
  readonly turnedAway: number
  /** The system did not send them: they are too long, or the server has no address. */
  readonly unsent: number
  /** Their session or the proxy was closed while they were held. */
  readonly closed: number
}

export type DropReason = keyof DropCounts

/** {@link DropCounts} that are counted on. */
export type DropCounters = Record<DropReason, number>

export const noDrops = (): DropCounters => ({ byFault: 0, queueFull: 0, turnedAway: 0, unsent: 0, closed: 0 })
