import type { Scope, SeenCall } from '@chaos/core'
import { chainOf, pointId, type Point, type Reached } from '../search/model.js'
import type { Kind } from './kinds.js'
import type { KeyOf } from './setting.js'

/** The most points of one run. */
export const MAX_POINTS = 5_000

/** A call that a watch has seen. */
export type WatchedCall = Omit<SeenCall, 'call'>

/** Whether a scope is the scope of a run, or within it. No scope at all counts: what was started before the run works in none. */
export function isWithin(root: Scope, scope: Scope | undefined): boolean {
  let outermost = scope
  while (outermost?.parent !== undefined) outermost = outermost.parent
  return outermost === undefined || outermost === root
}

/** Numbers the calls of a run, separately for each kind of fault, since not all kinds see the same calls. */
export class CallNumbers {
  readonly #counts = new Map<Kind, Map<string, number>>()

  constructor(
    readonly root: Scope,
    readonly keyOf: KeyOf,
  ) {}

  /**
   * Numbers a call that some kinds see.
   *
   * @returns The points that the call is for the kinds: mostly one.
   * @throws Any error of `keyOf`.
   */
  number(kinds: readonly Kind[], { operation, scope, args }: WatchedCall): readonly SeenAt[] {
    if (!isWithin(this.root, scope)) return []
    const name = String(operation)
    const points: SeenAt[] = []
    let [target, chain, key]: [string?, string?, string?] = []
    for (const kind of kinds) {
      if (kind.target !== target || chain === undefined) {
        target = kind.target
        key = this.keyOf?.(args, name, target)
        chain = chainOf({
          scope: scope?.path ?? '',
          target,
          operation: name,
          ...(key !== undefined && { key }),
        })
      }
      const call = this.#next(kind, chain)
      const last = points.at(-1)
      if (last?.point.call === call && last.point.target === target) last.kinds.push(kind)
      else
        points.push({
          point: { scope: scope?.path ?? '', target, operation: name, ...(key !== undefined && { key }), call },
          kinds: [kind],
        })
    }
    return points
  }

  #next(kind: Kind, chain: string): number {
    const known = this.#counts.get(kind)
    const counts = known ?? new Map<string, number>()
    if (known === undefined) this.#counts.set(kind, counts)
    const call = (counts.get(chain) ?? 0) + 1
    counts.set(chain, call)
    return call
  }
}

/** A point, and kinds that see its call. */
interface SeenAt {
  readonly point: Point
  readonly kinds: Kind[]
}

/** Collects the points of a run, in the order in which they are reached. */
export class ReachedPoints {
  readonly #points = new Map<string, { readonly point: Point; readonly kinds: Set<string> }>()
  /** How many calls of each chain each kind has seen. */
  readonly #seen = new Map<string, Map<string, number>>()
  isCut = false

  add(point: Point, kinds: readonly { readonly name: string }[]): void {
    const chain = chainOf(point)
    const seen = this.#seen.get(chain) ?? new Map<string, number>()
    this.#seen.set(chain, seen)
    const id = pointId(point)
    const known = this.#points.get(id)?.kinds
    if (known === undefined && this.#points.size >= MAX_POINTS) {
      this.isCut = true
      return
    }
    const own = known ?? new Set<string>()
    if (known === undefined) this.#points.set(id, { point, kinds: own })
    for (const { name } of kinds) {
      own.add(name)
      seen.set(name, Math.max(point.call, seen.get(name) ?? 0))
    }
  }

  /** Kinds that have seen different numbers of calls under one name do not see the same calls. */
  get list(): readonly Reached[] {
    return [...this.#points.values()].flatMap(({ point, kinds }) => {
      const seen = this.#seen.get(chainOf(point))
      const apart = new Map<number | undefined, string[]>()
      for (const kind of kinds) {
        const calls = seen?.get(kind)
        apart.set(calls, [...(apart.get(calls) ?? []), kind])
      }
      return [...apart.values()].map((own) => ({ point, kinds: own }))
    })
  }
}
