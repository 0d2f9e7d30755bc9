import type { Sample } from '../probes/read.js'

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

/**
 * Finds when all probes have held for `holdForMs` without a break, looking at readings from `since` on.
 *
 * A probe holds from its first good reading until a bad one; no data is bad. A stretch counts once every probe has a good reading at or beyond its
 * end, so nothing is taken for granted that nobody has read. Without a probe there is no such stretch.
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
