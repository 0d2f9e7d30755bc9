/** What the oracle and the requests can find wrong. */
export const KINDS = ['failed', 'rejected', 'lost', 'damaged', 'duplicated', 'reordered', 'undelivered'] as const
export type Kind = (typeof KINDS)[number]

/**
 * What a load says of itself and of the app, as the `load` section of an experiment reads it. Every counter counts up from the start of the load and
 * is never reset: whoever reads takes differences. All numbers are finite and not negative.
 */
export interface LoadReport extends Readonly<Record<Kind, number>> {
  /** The load generator's wall clock, in ms since the epoch. */
  readonly at: number
  /** Requests sent. */
  readonly requests: number
  /** Writes answered with success: what the oracle looks for. */
  readonly acknowledged: number
  /** Requests answered with 5xx, without an answer, or with one that cannot be read. */
  readonly failed: number
  /** Requests answered with 4xx. */
  readonly rejected: number
  /** Requests sent and not answered yet. */
  readonly underWay: number
  /** Age of the oldest request under way, in ms; 0 if there is none. */
  readonly oldestUnderWayMs: number
  /** Acknowledged entries that were not there when they were read, or not in the list. */
  readonly lost: number
  /** Entries that were there with other content than was acknowledged, in any field. */
  readonly damaged: number
  /** Entries that were there, or were pushed, more than once. */
  readonly duplicated: number
  /** Pushes that came after the push of a write that was only sent when theirs was acknowledged already. */
  readonly reordered: number
  /** Pushes that did not come in time to a listener that was connected, and connections that the listener could not open or keep. */
  readonly undelivered: number
  /** Acknowledged entries that the last full look compared, one by one and in the list; 0 before the first look, and after one that did not come to its end. */
  readonly verified: number
  /** Longest delay of the generator's own event loop since the previous report was served, or in the last 10 s if that is shorter, in ms. */
  readonly ownDelayMs: number
  /** The first offences since the previous look, in words, at most 10. */
  readonly offenders: readonly string[]
}
