import { chainOf, hitId, pointId, type Hit, type Point, type Reached } from './model.js'
import type { HitSet } from './sets.js'

/** The hits that a search knows, in the order in which they were found. The index of a hit never changes. */
export class KnownHits {
  readonly #hits: Hit[] = []
  readonly #indexes = new Map<string, number>()
  readonly #byPoint = new Map<string, number[]>()
  readonly #first = new Set<string>()
  readonly #unstable = new Set<string>()
  /** For each chain of calls, the pairs of kinds that see different calls under its name. */
  readonly #apart = new Map<string, Set<string>>()

  /** Points that are left out of the search from now on. */
  exclude(reached: readonly Reached[]): void {
    for (const { point } of reached) this.#unstable.add(pointId(point))
  }

  isExcluded(point: string): boolean {
    return this.#unstable.has(point)
  }

  /** The points that runs without a fault reach. */
  addFirst(reached: readonly Reached[]): void {
    for (const one of reached) this.#first.add(pointId(one.point))
    this.add(reached)
  }

  /** Whether a run without a fault reaches a point. */
  isFirst(point: string): boolean {
    return this.#first.has(point)
  }

  /** Adds the points that a run has reached, with the kinds that can act there. Returns whether some hit is new. */
  add(reached: readonly Reached[]): boolean {
    const before = this.#hits.length
    const seen = new Map<string, Reached[]>()
    for (const one of reached) {
      const { point, kinds } = one
      const id = pointId(point)
      if (this.#unstable.has(id)) continue
      for (const kind of kinds) this.#addHit({ point, kind })
      for (const other of seen.get(id) ?? []) this.#setApart(one, other)
      seen.set(id, [...(seen.get(id) ?? []), one])
    }
    return this.#hits.length > before
  }

  #setApart({ point, kinds }: Reached, { kinds: others }: Reached): void {
    const chain = chainOf(point)
    const pairs = this.#apart.get(chain) ?? new Set<string>()
    this.#apart.set(chain, pairs)
    for (const kind of kinds) for (const other of others) pairs.add(pairOf(kind, other))
  }

  /** Whether two hits are of one chain of calls that both kinds see alike. */
  areOfOneChain(one: Hit, other: Hit): boolean {
    return sameChain(one, other) && !this.#areApart(one, other)
  }

  #areApart(one: Hit, other: Hit): boolean {
    return this.#apart.get(chainOf(one.point))?.has(pairOf(one.kind, other.kind)) === true
  }

  /** Adds the hits that begin at a call and never end: a call that is tried again has found an outage there, not a hiccup. */
  addLasting(first: Hit): boolean {
    const before = this.#hits.length
    for (const hit of this.at(pointId(first.point)).map((index) => this.hit(index)))
      if (hit.times === undefined) this.#addHit({ ...hit, times: 'always' })
    return this.#hits.length > before
  }

  #addHit(hit: Hit): void {
    const id = hitId(hit)
    if (this.#indexes.has(id)) return
    const index = this.#hits.push(hit) - 1
    this.#indexes.set(id, index)
    const point = pointId(hit.point)
    const beside = this.#byPoint.get(point)
    if (beside === undefined) this.#byPoint.set(point, [index])
    else beside.push(index)
  }

  hit(index: number): Hit {
    return this.#hits[index] as Hit
  }

  plan(set: HitSet): readonly Hit[] {
    return set.map((index) => this.hit(index))
  }

  indexOf(hit: Hit): number | undefined {
    return this.#indexes.get(hitId(hit))
  }

  /** The hits of a point. */
  at(point: string): readonly number[] {
    return this.#byPoint.get(point) ?? []
  }

  /** The hits of each call: those of each point, apart by kinds that see different calls under its name. A call is hit once. */
  get calls(): readonly HitSet[] {
    return [...this.#byPoint.values()].flatMap((all) => (this.#apart.size === 0 ? [all] : this.#callsOf(all)))
  }

  #callsOf(all: HitSet): readonly HitSet[] {
    const calls: number[][] = []
    for (const index of all) {
      const own = calls.find((call) => !call.some((other) => this.#areApart(this.hit(index), this.hit(other))))
      if (own === undefined) calls.push([index])
      else own.push(index)
    }
    return calls
  }

  /** The hits of each point. */
  get points(): readonly HitSet[] {
    return [...this.#byPoint.values()]
  }

  get hits(): readonly Hit[] {
    return this.#hits
  }
}

const pairOf = (one: string, other: string): string => [one, other].sort().join('\0')

/** Whether two calls have one name: the same scope, target, operation and key. */
export function sameChain(one: { readonly point: Point }, other: { readonly point: Point }): boolean {
  return chainOf(one.point) === chainOf(other.point)
}
