/**
 * A call that a fault can hit: found again in the next run by these names, however other calls interleave.
 */
export interface Point {
  /** The path of the scope in which the call is made. Empty: in none. */
  readonly scope: string
  readonly target: string
  /** The target whose call it is, if not `target`: an instant fault of a target that has no other happens at the calls of others. */
  readonly at?: string
  readonly operation: string
  /** What distinguishes the call by its arguments, if the search was given `keyOf`. */
  readonly key?: string
  /** The number of the call among those of the same scope, target, operation and key, from 1. */
  readonly call: number
}

/** One planned fault. */
export interface Hit {
  readonly point: Point
  /** The name of the fault, with its options if the target has several of that name. */
  readonly kind: string
  /** `always`: this call and all later ones of the same scope, target, operation and key. Default: this call alone. */
  readonly times?: 'always'
}

/**
 * A point that a run reached, and the kinds of faults that can act there. Kinds that see different calls under one name are in
 * entries of their own, each with the same point.
 */
export interface Reached {
  readonly point: Point
  readonly kinds: readonly string[]
}

/** Whether the test held. */
export type Outcome = { readonly verdict: 'holds' } | { readonly verdict: 'breaks'; readonly reason: string }

/** What one run with a set of planned faults showed. */
export interface Run {
  /** The points in the order in which they were reached, those that were hit included. */
  readonly reached: readonly Reached[]
  /** Whether more points may have been reached: the run took its account with it when it crashed. */
  readonly isCut?: true
  /** The names of the calls that went through to the targets, in order. Kinds that let the same calls through look alike to a target. */
  readonly passed: readonly string[]
  /** For each planned hit whether it landed. */
  readonly landed: readonly boolean[]
  readonly outcome: Outcome
  /** What the test returned, as text. Runs that answer differently can be told apart. */
  readonly answer: string
  readonly ms: number
  /** Errors that nobody handled, of runs that had ended and held. */
  readonly late?: readonly LateError[]
}

/** An error that nobody handled, which came after its run had ended. */
export interface LateError {
  /** The planned faults of that run. */
  readonly hits: readonly Hit[]
  readonly reason: string
}

/** Runs the test once with a set of planned faults. */
export type Subject = (plan: readonly Hit[]) => Promise<Run>

/** The target whose call a point is. */
export const calledAt = ({ target, at = target }: Pick<Point, 'target' | 'at'>): string => at

/** A separator that no name contains. */
const SEPARATOR = '\0'

/** The name of a call without its number: calls of one chain share it. */
export function chainOf({ scope, target, at, operation, key }: Omit<Point, 'call'>): string {
  return [scope, target, at ?? '', operation, ...(key === undefined ? [] : [key])].join(SEPARATOR)
}

/** The identity of a point, as one string. */
export function pointId(point: Point): string {
  return chainOf(point) + SEPARATOR + String(point.call)
}

/** The identity of a point as a kind of fault sees it, as one string. */
export function placeId(point: Point, kind: string): string {
  return pointId(point) + SEPARATOR + kind
}

/** The places that a run reached. */
export function placesOf(reached: readonly Reached[]): Set<string> {
  return new Set(reached.flatMap(({ point, kinds }) => kinds.map((kind) => placeId(point, kind))))
}

/** The identity of a planned hit, as one string. */
export function hitId({ point, kind, times }: Hit): string {
  return [pointId(point), kind, times ?? ''].join(SEPARATOR)
}

/** The points and kinds of a set, whatever its order. */
export function planId(hits: readonly Hit[]): string {
  return hits.map(hitId).sort().join('\n')
}

/** A point for people: `POST /orders: payments.charge #2`, `POST /orders: pool at payments.charge #2`. */
export function pointText({ scope, target, at, operation, key, call }: Point): string {
  const within = scope === '' ? '' : `${scope}: `
  return `${within}${at === undefined ? target : `${target} at ${at}`}.${operation}${key === undefined ? '' : `(${key})`} #${call}`
}

/** A hit for people. */
export function hitText({ point, kind, times }: Hit): string {
  return `${pointText(point)}${times === undefined ? '' : ' and all later calls'}: ${kind}`
}
