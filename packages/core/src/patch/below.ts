import { findDescriptor, heldIn, type Slot } from './lookup.js'

/** Any function. A replacement for a method may have any signature. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- a patched member may have any signature
export type AnyFunction = Function

/** The function below a layer. Read `call` on every call and do not cache it: other layers come and go. */
export interface Below {
  readonly call: AnyFunction
  /** The layer below, if there is one: a function of another fault. It may leave at any time, `call` then skips it. */
  readonly next?: object | undefined
}

/** One replacement of a member. After its removal only code that still holds `fn` calls the layer; the other layers skip it. */
export interface Layer {
  readonly fn: AnyFunction
  left: boolean
  readonly below: BelowLayer
  /** Whether layers that come later go below. A copy of core of an earlier version knows no such layers. */
  readonly outermost?: boolean
}

/** An object whose functions are looked up by key. */
type Members = Readonly<Record<PropertyKey, AnyFunction>>

/**
 * Finds the function below a layer: the next layer in force, else the original member.
 *
 * `call` is on the path of every call of a patched member. The getter is small enough (27 bytes of bytecode) for V8 to
 * inline it early. The fields are plain properties because V8 folds their loads into the caller, which it does not do for
 * `#private` fields. Rare changes therefore update the fields, so that the getter need not check for them.
 */
export class BelowLayer implements Below {
  next: Layer | undefined
  /** The function to call, if it is the same on every call. */
  direct: AnyFunction | undefined
  /** Else the object to look the function up on. An inherited member is looked up on every call, since its class may be patched or restored. */
  under: Members
  key: PropertyKey
  bottom: AnyFunction | undefined

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

  /** Updates the layer below after one was removed. */
  reachFor(next: Layer | undefined): void {
    this.next = next
    this.direct = next?.fn ?? this.bottom
  }

  /**
   * A removed layer gets no more updates. From now on it finds the function below on each call.
   *
   * @param onCall Called before each such call: other code that wrapped the layer may have put it back on the member.
   */
  stepOver(onCall: () => void): void {
    this.direct = undefined
    this.under = new Search(this.next, this.bottom, this.under, this.key, onCall) as object as Members
    this.key = FOUND
  }
}

const FOUND = Symbol('found')

/** Finds the function below a removed layer: the next layer in force, else the original member. */
class Search {
  constructor(
    private next: Layer | undefined,
    private readonly bottom: AnyFunction | undefined,
    private readonly under: Members,
    private readonly key: PropertyKey,
    private readonly onCall: () => void,
  ) {}

  get [FOUND](): AnyFunction {
    this.onCall()
    while (this.next?.left === true) this.next = this.next.below.next
    return this.next?.fn ?? this.bottom ?? (this.under[this.key] as AnyFunction)
  }
}
