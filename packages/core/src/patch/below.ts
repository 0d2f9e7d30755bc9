import { findDescriptor, heldIn, type Slot } from './lookup.js'

/** Any function that can stand where a method stood. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- a patched member may have any signature
export type AnyFunction = Function

/** What lies under a layer: call it at call time, never keep what `call` holds. */
export interface Below {
  readonly call: AnyFunction
}

/** One replacement over a member. What left stays as a link for whoever still holds its function, and is stepped over by everyone else. */
export interface Layer {
  readonly fn: AnyFunction
  left: boolean
  readonly below: BelowLayer
}

/** An object as its members are looked up. */
type Members = Readonly<Record<PropertyKey, AnyFunction>>

/**
 * Reaches the next layer that has not left, else what the member held before the first one.
 *
 * Every call of a patched member passes `call`. It is small enough (27 bytes of bytecode) for V8 to inline it early, and its fields are
 * plain ones, because V8 folds loads of those, and not of `#private` ones, into the caller. So what changes rarely is settled when it changes.
 */
export class BelowLayer implements Below {
  next: Layer | undefined
  /** What `call` is, where it is the same from call to call. */
  direct: AnyFunction | undefined
  /** Else whose member it is: an inherited one is looked up each time, since its class may be patched, and restored, meanwhile. */
  under: Members
  key: PropertyKey
  readonly bottom: AnyFunction | undefined

  constructor(next: Layer | undefined, bottom: AnyFunction | undefined, holder: object, key: PropertyKey, slot: Slot) {
    this.next = next
    this.direct = next?.fn ?? bottom
    const prototype = Object.getPrototypeOf(holder) as Members
    this.under =
      slot === 'value'
        ? prototype
        : Object.defineProperty({}, key, { get: () => heldIn(findDescriptor(prototype, key), slot) })
    this.key = key
    this.bottom = bottom
  }

  get call(): AnyFunction {
    return this.direct ?? (this.under[this.key] as AnyFunction)
  }

  /** The layer beneath has left. */
  reachFor(next: Layer | undefined): void {
    this.next = next
    this.direct = next?.fn ?? this.bottom
  }

  /** Nobody tells a layer that has left what leaves beneath it: from now on it looks by itself. */
  stepOver(): void {
    this.direct = undefined
    this.under = new Search(this.next, this.bottom, this.under, this.key) as object as Members
    this.key = FOUND
  }
}

const FOUND = Symbol('found')

/** Where a layer that has left looks: the next one that has not left, else what the member held before. */
class Search {
  constructor(
    private next: Layer | undefined,
    private readonly bottom: AnyFunction | undefined,
    private readonly under: Members,
    private readonly key: PropertyKey,
  ) {}

  get [FOUND](): AnyFunction {
    while (this.next?.left === true) this.next = this.next.below.next
    return this.next?.fn ?? this.bottom ?? (this.under[this.key] as AnyFunction)
  }
}
