import { largest } from '../shared/numbers.js'
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
    return [
      {
        ...sample,
        askedAt: at,
        at,
        value: undefined,
        isGood: false,
        quality: 'none' as const,
        problem: `there was no reading for ${Math.round(sample.at - before.at)} ms`,
      },
      sample,
    ]
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
  // Where each curve has its first good reading behind the last bad one that is known. It only ever goes on, so that all turns together read a curve once or twice.
  const places = later.map(() => 0)
  for (let after = Number.NEGATIVE_INFINITY; ;) {
    for (const [index, samples] of later.entries()) {
      let place = places[index] ?? 0
      for (
        let sample = samples[place];
        sample !== undefined && (sample.at <= after || !sample.isGood);
        sample = samples[place]
      )
        place += 1
      if (place === samples.length) return undefined
      places[index] = place
    }
    const from = largest(later.map((samples, index) => samples[places[index] ?? 0]?.at ?? since))
    const lasts = later.map((samples, index) => lookAhead(samples, places[index] ?? 0, from + holdForMs))
    const bad = largest(lasts.map((last) => last.bad))
    if (bad > after) {
      after = bad
      continue
    }
    if (lasts.some(({ end }) => end === undefined)) return undefined
    // All may have been back as soon as none was bad any more: each may have come back just after the reading before its first good one.
    const before = largest(
      later.map((samples, index) => samples[(places[index] ?? 0) - 1]?.at ?? since),
      since,
    )
    return { from, fromErrorMs: Math.max(0, from - before), heldAt: largest(lasts.map(({ end }) => end ?? 0)) }
  }
}

/** The last bad reading from a place on until a moment, and the first reading at the moment or beyond it. */
function lookAhead(
  samples: Samples,
  place: number,
  until: number,
): { readonly bad: number; readonly end: number | undefined } {
  let bad = Number.NEGATIVE_INFINITY
  let end: number | undefined
  for (let index = place; index < samples.length; index += 1) {
    const sample = samples[index]
    if (sample === undefined) break
    if (sample.at >= until) end ??= sample.at
    if (sample.at > until) break
    if (!sample.isGood) bad = sample.at
  }
  return { bad, end }
}
