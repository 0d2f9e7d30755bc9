import { largest } from '../shared/numbers.js'
import type { Sample } from '../probes/read.js'
import type { Curve } from './evidence.js'

/** The first period in which every probe held. */
export interface SteadyStretch {
  /** The time of the first reading at which all probes held. */
  readonly from: number
  /** How much earlier the probes may have recovered, in ms: the time since the previous reading. */
  readonly fromErrorMs: number
  /** The time of the reading at which all probes had held for `holdForMs`. */
  readonly heldAt: number
}

type Samples = readonly Sample[]

/** Adds a reading without data at the end of every gap that is longer than `maxGapMs`. */
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
 * A probe holds from its first good reading until a bad one. A reading without data is bad. A period counts once every
 * probe has a good reading at or after its end, so nothing unread is assumed. Without probes there is no such period.
 * Call {@link withGaps} first.
 */
export function steadyStretch(curves: readonly Samples[], since: number, holdForMs: number): SteadyStretch | undefined {
  if (curves.length === 0) return undefined
  const later = curves.map((samples) => samples.filter(({ at }) => at >= since))
  // The index of each curve's first good reading after its last known bad one. It never decreases, so all iterations
  // together read a curve at most twice.
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
    // Each probe may have recovered just after the reading before its first good one, and all as soon as the last did.
    const before = largest(
      later.map((samples, index) => samples[(places[index] ?? 0) - 1]?.at ?? since),
      since,
    )
    return { from, fromErrorMs: Math.max(0, from - before), heldAt: largest(lasts.map(({ end }) => end ?? 0)) }
  }
}

/** The last bad reading between an index and a moment, and the first reading at or after the moment. */
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
