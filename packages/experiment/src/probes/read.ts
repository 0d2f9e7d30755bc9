import type { Clock } from '@chaos/core'
import { inWords } from '../shared/answer.js'
import { withTimeout } from '../shared/time.js'
import { probeTypeOf, type Probe } from './probe-types.js'
import { isWithin, type Tolerance } from './tolerance.js'

/** One reading of a probe. */
export interface Sample {
  /** Number of the reading: 0, 1, 2, … for each reader. A missing number shows lost evidence. */
  readonly n: number
  /** When the request was sent, in ms since the epoch. */
  readonly askedAt: number
  /** When the answer arrived, in ms since the epoch. */
  readonly at: number
  /** The value; `undefined`: no data. */
  readonly value: number | undefined
  /** Whether the value is within its bounds. No data is never good. */
  readonly isGood: boolean
  /**
   * The quality of the value. `measured`: a number was read. `idle`: nothing happened in a series that exists, and the
   * value is the probe's `emptyIs`. `none`: no data.
   */
  readonly quality: 'measured' | 'idle' | 'none'
  /** Why there is no data. */
  readonly problem?: string
  /**
   * The time of the data, in ms since the epoch. For a `prometheus` probe: when a plain series was scraped, by the
   * clock of Prometheus. For a `metric` probe: when the page last changed, by this process's clock. Absent if unknown.
   */
  readonly dataAt?: number
}

/** Reads one probe once. Never rejects: a probe that fails or answers late gives no data, which is never a pass. */
export type ProbeReader = (signal?: AbortSignal) => Promise<Sample>

/** Default of `timeoutMs`: the longest wait for a reading, in ms. */
const DEFAULT_TIMEOUT_MS = 2_000

/** The bounds of a probe. An HTTP probe without bounds requires its status. */
export function toleranceOf(probe: Probe): Tolerance {
  return probe.tolerance ?? { equals: 1 }
}

/** How long a probe waits for an answer, in ms. */
export function timeoutOf({ timeoutMs = DEFAULT_TIMEOUT_MS }: Probe): number {
  return timeoutMs
}

/** Creates the reader of a probe. It keeps the readings that a window needs. */
export function probeReader(probe: Probe, clock: Clock): ProbeReader {
  const measure = probeTypeOf(probe).read(probe, clock)
  let count = 0
  return async (signal) => {
    const n = count
    count += 1
    const askedAt = clock.now()
    try {
      const { value, quality, dataAt } = await withTimeout(clock, timeoutOf(probe), measure, signal)
      return {
        n,
        askedAt,
        at: clock.now(),
        value,
        isGood: isWithin(value, toleranceOf(probe)),
        quality,
        ...(dataAt === undefined ? {} : { dataAt }),
      }
    } catch (error) {
      return { n, askedAt, at: clock.now(), value: undefined, isGood: false, quality: 'none', problem: inWords(error) }
    }
  }
}
