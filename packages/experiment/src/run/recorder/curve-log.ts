import type { Clock } from '@chaos/core'
import { probeTypeOf, type Probe } from '../../probes/probe-types.js'
import { probeReader, timeoutOf, toleranceOf, type Sample } from '../../probes/read.js'
import { boundsInWords } from '../../probes/tolerance.js'
import type { Curve } from '../../evidence/evidence.js'

/** How late a reading may be, in ms, before the time without it counts as a gap. */
const SLACK_MS = 2_000

/** The recorded readings of one probe. */
export interface CurveLog {
  readonly probe: Probe
  /** Every reading since the run began. */
  readonly samples: readonly Sample[]
  /** Reads once and records the reading. @returns `undefined` when the run aborted the reading. */
  read(signal: AbortSignal): Promise<Sample | undefined>
  /** The evidence of the probe: its readings from a moment on. */
  curve(from: number): Curve
}

/** Records the readings of a probe. */
export function curveLog(probe: Probe, clock: Clock, pollMs: number): CurveLog {
  const samples: Sample[] = []
  const read = probeReader(probe, clock)
  const tolerance = toleranceOf(probe)
  const type = probeTypeOf(probe)
  const described = {
    probe: probe.name,
    source: probe.type,
    origin: type.origin?.(probe),
    unit: probe.unit,
    bounds: boundsInWords(tolerance, probe.unit),
    thresholds: Object.values(tolerance)
      .filter((bound) => bound !== undefined)
      .map(Number),
    maxAgeMs: type.maxAgeMs?.(probe),
    maxGapMs: timeoutOf(probe) + pollMs + SLACK_MS,
  }
  return {
    probe,
    samples,
    async read(signal) {
      const sample = await read(signal)
      if (signal.aborted) return undefined
      samples.push(sample)
      return sample
    },
    curve: (from) => ({ ...described, samples: samples.filter(({ at }) => at >= from) }),
  }
}
