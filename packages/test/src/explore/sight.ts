import type { Scope } from '@chaos/core'
import { messageOf } from '@chaos/core/authoring'
import { pointText, type Point, type Run } from '../search/model.js'
import { carrierOf, type Kind } from './kinds.js'
import { CallNumbers, MAX_POINTS, ReachedPoints, type WatchedCall } from './points.js'
import type { KeyOf } from './setting.js'

const MAX_REASON = 1_000

/** Tells the point of a call that a kind sees. */
export type OnPoint = (kind: Kind, call: WatchedCall, point: Point) => void

/** What the watches of one run see: above the faults of the run, what the test calls; beneath them, what goes through to the targets. */
export class Sight {
  readonly #numbersAbove: CallNumbers
  readonly #numbersBelow: CallNumbers
  readonly #reached = new ReachedPoints()
  readonly #passed: string[] = []
  readonly #instants: ReadonlyMap<Kind, readonly Kind[]>
  #problem: string | undefined

  readonly #onPoint: OnPoint | undefined

  /**
   * @param isBroken Whether the faults of the run may keep calls from a target. Nothing is in the way to the others.
   * @param onPoint Called for each call that a kind sees above the faults, before they act.
   */
  constructor(
    root: Scope,
    keyOf: KeyOf,
    kinds: readonly Kind[],
    readonly isBroken: (target: string) => boolean,
    onPoint?: OnPoint,
  ) {
    this.#numbersAbove = new CallNumbers(root, keyOf)
    this.#numbersBelow = new CallNumbers(root, keyOf)
    this.#instants = instantsOf(kinds)
    this.#onPoint = onPoint
  }

  readonly above = (kinds: readonly Kind[], call: WatchedCall): void =>
    this.#guarded(() => {
      for (const seen of this.#numbersAbove.number(kinds, call)) {
        const { point } = seen
        this.#reached.add(point, seen.kinds)
        for (const kind of seen.kinds) {
          this.#onPoint?.(kind, call, point)
          for (const instant of this.#instants.get(kind) ?? [])
            this.#reached.add(happeningAt(point, instant.target), [instant])
        }
        if (!this.isBroken(point.target)) this.#pass(point, seen.kinds)
      }
    })

  readonly below = (kinds: readonly Kind[], call: WatchedCall): void =>
    this.#guarded(() => {
      for (const { point, kinds: own } of this.#numbersBelow.number(kinds, call)) this.#pass(point, own)
    })

  /** Why the run shows nothing that can be relied on. */
  get problem(): string | undefined {
    return this.#reached.isCut ? `The test makes more than ${MAX_POINTS} calls. Explore a smaller one.` : this.#problem
  }

  get shown(): Pick<Run, 'reached' | 'passed'> {
    return { reached: this.#reached.list, passed: this.#passed }
  }

  #pass(point: Point, kinds: readonly Kind[]): void {
    const text = pointText(point)
    for (const { name } of kinds) if (this.#passed.length < MAX_POINTS) this.#passed.push(`${text} ${name}`)
  }

  /** An error of `keyOf` must not reach the application's call. */
  #guarded(see: () => void): void {
    try {
      see()
    } catch (error) {
      this.#problem ??= `\`keyOf\` threw, so a call has no name: ${messageOf(error, { max: MAX_REASON })}`
    }
  }
}

/** The instant faults that happen at the calls which a kind sees: those of its target, and those of targets that have no other. */
function instantsOf(kinds: readonly Kind[]): ReadonlyMap<Kind, readonly Kind[]> {
  const carriers = kinds.filter((kind) => carrierOf(kind.target, kinds) === kind)
  const instants = kinds.filter(({ fault }) => fault.kind === 'instant')
  return new Map(
    carriers.map((carrier) => [
      carrier,
      instants.filter(({ target }) => target === carrier.target || carrierOf(target, kinds) === undefined),
    ]),
  )
}

/** The point of an instant fault that happens at a call: of its own target, or of another. */
function happeningAt(point: Point, target: string): Point {
  return target === point.target ? point : { ...point, target, at: point.target }
}
