import type { Clock } from '@chaos/core'
import { inWords } from '../shared/answer.js'
import { withTimeout } from '../shared/time.js'
import { probeTypeOf, type Probe } from './probe-types.js'
import { isWithin, type Tolerance } from './tolerance.js'

/** One reading of a probe. */
export interface Sample {
  /** Number of the reading: from 0, without a hole, for each reader. */
  readonly n: number
  /** When the question was sent, in ms since the epoch. */
  readonly askedAt: number
  /** When the answer was there, in ms since the epoch. */
  readonly at: number
  /** `undefined`: no data. */
  readonly value: number | undefined
  /** Whether the value keeps its bounds. No data never does. */
  readonly isGood: boolean
  /**
   * What the value is worth. `measured`: a number that was read. `idle`: nothing happened, or there is nothing, in a series that is known to exist;
   * the value is what the probe's `emptyIs` says. `none`: no data.
   */
  readonly quality: 'measured' | 'idle' | 'none'
  /** Why there is no data. */
  readonly problem?: string
  /**
   * When the data itself is from, in ms since the epoch. By the clock of Prometheus, where it tells, as it does of a plain series; for a `metric` page
   * by our own: when the page last became another one.
   */
  readonly dataAt?: number
}

/** Reads one probe, again and again. Never rejects: a probe that fails to answer in time gives no data, never a pass. */
export type ProbeReader = (signal?: AbortSignal) => Promise<Sample>

/** Longest wait for a reading, in ms, unless the probe says otherwise. */
const DEFAULT_TIMEOUT_MS = 2_000

/** The bounds of a probe; an HTTP probe without any wants its status. */
export function toleranceOf(probe: Probe): Tolerance {
  return probe.tolerance ?? { equals: 1 }
}

/** How long a probe waits for an answer, in ms. */
export function timeoutOf({ timeoutMs = DEFAULT_TIMEOUT_MS }: Probe): number {
  return timeoutMs
}

/** Makes the reader of a probe. It keeps what a window needs to look back. */
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
