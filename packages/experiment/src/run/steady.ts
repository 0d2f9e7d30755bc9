import type { Sample } from '../probes/read.js'
import type { Curve } from './evidence.js'

/** The first stretch of time in which every probe held. */
export interface SteadyStretch {
  /** The reading from which on all held. */
  readonly from: number
  /** How long before it they may have been back already, in ms: the time since the reading before. */
  readonly fromErrorMs: number
  /** The readings by which all had held for so long. */
  readonly heldAt: number
}

type Samples = readonly Sample[]

/** A curve in which every time without a reading that is too long to count as watched stands as a reading without data, at its end. */
export function withGaps({ samples, maxGapMs }: Pick<Curve, 'samples' | 'maxGapMs'>): readonly Sample[] {
  return samples.flatMap((sample, index) => {
    const before = samples[index - 1]
    if (before === undefined || sample.at - before.at <= maxGapMs) return [sample]
    const at = Math.max(before.at, sample.at - 1e-3)
    return [{ ...sample, askedAt: at, at, value: undefined, isGood: false, quality: 'none' as const, problem: `there was no reading for ${Math.round(sample.at - before.at)} ms` }, sample]
  })
}

/**
 * Finds when all probes have held for `holdForMs` without a break, looking at readings from `since` on.
 *
 * A probe holds from its first good reading until a bad one; no data is bad. A stretch counts once every probe has a good reading at or beyond its
 * end, so nothing is taken for granted that was not read. Without a probe there is no such stretch. Gaps are to be marked first ({@link withGaps}).
 */
export function steadyStretch(curves: readonly Samples[], since: number, holdForMs: number): SteadyStretch | undefined {
  if (curves.length === 0) return undefined
  const later = curves.map((samples) => samples.filter(({ at }) => at >= since))
  // Each turn begins just behind the last bad reading of the turn before, so there are at most as many as bad readings.
  for (let after = Number.NEGATIVE_INFINITY; ; ) {
    const firsts = later.map((samples) => samples.find(({ at, isGood }) => at > after && isGood))
    if (firsts.some((first) => first === undefined)) return undefined
    const from = Math.max(...firsts.map((first) => first?.at ?? 0))
    const bad = later.flatMap((samples, index) => samples.filter(({ at, isGood }) => !isGood && at > (firsts[index]?.at ?? 0) && at <= from + holdForMs)).map(({ at }) => at)
    if (bad.length > 0) {
      after = Math.max(...bad)
      continue
    }
    const ends = later.map((samples) => samples.find(({ at }) => at >= from + holdForMs)?.at)
    if (ends.some((end) => end === undefined)) return undefined
    const before = Math.max(since, ...curves.map((samples) => samples.filter(({ at }) => at < from).at(-1)?.at ?? Number.NEGATIVE_INFINITY).filter((at) => at < from))
    return { from, fromErrorMs: Math.max(0, from - before), heldAt: Math.max(...ends.map((end) => end ?? 0)) }
  }
}
