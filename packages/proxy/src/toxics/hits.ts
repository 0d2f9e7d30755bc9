/** A fault that has affected something. */
export interface Hit {
  /** The id of the injection. */
  readonly id: string
  /** The name of the fault. */
  readonly fault: string
}

/** The most hits of faults that have ended which are kept. */
const MAX_PAST = 100

/** The hits of faults that have ended, by the id of the injection. The oldest ones make room. */
export class PastHits<Kind extends Hit = Hit> {
  #hits: Map<string, Kind> | undefined

  add(hit: Kind): void {
    const hits = (this.#hits ??= new Map())
    hits.delete(hit.id)
    hits.set(hit.id, hit)
    for (const oldest of hits.keys()) {
      if (hits.size <= MAX_PAST) return
      hits.delete(oldest)
    }
  }

  /** Puts those of faults in force behind them. An injection is listed once. */
  with(inForce: readonly Kind[]): readonly Kind[] {
    if (this.#hits === undefined) return inForce
    const hits = new Map(this.#hits)
    for (const { id } of inForce) hits.delete(id)
    return [...hits.values(), ...inForce]
  }
}

/** A fault in force and what it meets, with what decides whether it affects that. */
interface Met {
  readonly fault: Hit
  readonly encounter: { readonly isHit: boolean }
}

/** The hits among faults that were chosen for something. */
export function hitsOf(met: Iterable<Met>): readonly Hit[] {
  return [...met].filter(({ encounter }) => encounter.isHit).map(({ fault: { id, fault } }) => ({ id, fault }))
}
