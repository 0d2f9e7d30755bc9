import type { KnownHits } from './hits.js'
import { placeId, placesOf, pointId, type Run } from './model.js'
import { setId, without, type HitSet } from './sets.js'

/** What is remembered of a run. */
export interface Remembered {
  readonly set: HitSet
  readonly run: Run
  /** The ids of the places that the run reached. */
  readonly reached: ReadonlySet<string>
  /** What the run showed, as one string: equal for runs that cannot be told apart. */
  readonly trace: string
}

/** The runs of a search, and what follows from them without another run. */
export class Memory {
  readonly #runs = new Map<string, Remembered>()
  readonly #failing: HitSet[] = []
  readonly #resolved = new Map<string, Remembered>()
  readonly #twins = new Map<string, HitSet>()

  constructor(readonly hits: KnownHits) {}

  get runs(): readonly Remembered[] {
    return [...this.#runs.values()]
  }

  get failing(): readonly HitSet[] {
    return this.#failing
  }

  remember(set: HitSet, run: Run): Remembered {
    const ids = run.reached.map(({ point }) => pointId(point))
    const remembered: Remembered = {
      set,
      run,
      reached: placesOf(run.reached),
      trace: JSON.stringify([ids, run.passed, run.outcome, run.answer]),
    }
    this.#runs.set(setId(set), remembered)
    return remembered
  }

  runOf(set: HitSet): Remembered | undefined {
    return this.#runs.get(setId(set))
  }

  addFailing(set: HitSet): void {
    this.#failing.push(set)
  }

  /** A set that is known to look like another: the other is searched on, this one is not. */
  addTwin(set: HitSet, other: HitSet): void {
    this.#twins.set(setId(set), other)
  }

  twinOf(set: HitSet): HitSet | undefined {
    return this.#twins.get(setId(set))
  }

  /** The run that shows what a set does: its own, or that of a smaller set under which the rest of its hits is never reached. */
  resolve(set: HitSet): Remembered | undefined {
    const id = setId(set)
    const known = this.#runs.get(id) ?? this.#resolved.get(id)
    if (known !== undefined || set.length === 0) return known
    for (let n = 0; n < set.length; n += 1) {
      const smaller = this.resolve(without(set, n))
      const isUnknown = smaller === undefined || smaller.run.isCut === true
      if (isUnknown || smaller.reached.has(this.#placeOf(set[n] as number))) continue
      this.#resolved.set(id, smaller)
      return smaller
    }
    return undefined
  }

  /** Whether a set has all hits of another, or a lasting hit in the place of a single one. */
  contains(set: HitSet, smaller: HitSet): boolean {
    return smaller.every((index) => set.includes(index) || set.some((other) => this.#covers(other, index)))
  }

  #covers(lasting: number, single: number): boolean {
    const [one, other] = [this.hits.hit(lasting), this.hits.hit(single)]
    return (
      one.times === 'always' &&
      other.times === undefined &&
      one.kind === other.kind &&
      pointId(one.point) === pointId(other.point)
    )
  }

  #placeOf(index: number): string {
    const { point, kind } = this.hits.hit(index)
    return placeId(point, kind)
  }
}
