import type { AnyFunction } from '@chaos/core/authoring'
import type { EventName, Failure, Message, Subscriber, Tap } from '../seams/bus.js'
import {
  listenerMessage,
  listenersOf,
  nameOf,
  type CallableEmitter,
  type EmitArgs,
} from '../seams/emitter-listeners.js'
import { isErrorUnheard } from './emitted-event.js'
import { replaced } from '../seams/method-seam.js'

/** The listeners inside the wrappers that a bus got, also through several faults. */
export const wrapped = new WeakMap<AnyFunction, AnyFunction>()
export const unwrapped = (listener: AnyFunction): AnyFunction => wrapped.get(listener) ?? listener

/** Another content for the listeners. */
interface Change {
  readonly payload: unknown
}

/** One place where a bus passes an event on: a call of one listener, or of `super.emit`. */
export interface Part {
  readonly payload: unknown
  /** Passes the event on. @param isLate Whether the bus has gone on meanwhile. */
  perform(change: Change | undefined, isLate: boolean): unknown
  /** What the bus gets for a part that is held or lost. */
  answer(isLost: boolean): unknown
  /** Makes the part fail. @returns What the bus gets. */
  fail(error: Error, how: Failure): unknown
  isGone(): boolean
  /** One message for each listener that the part reaches. */
  deliveries(): readonly Message[]
}

/** Runs work that is no part of an event under way. */
type Outside = <Result>(work: () => Result) => Result

interface Beginning {
  readonly tap: Tap
  readonly emitter: CallableEmitter
  readonly name: EventName
  readonly args: EmitArgs
  readonly outside: Outside
}

/** An event under way in a bus that calls its listeners itself. All parts share the fate of the first. */
export class DispatchedEvent {
  readonly name: EventName
  readonly args: EmitArgs
  readonly emitter: CallableEmitter
  readonly #tap: Tap
  readonly #outside: Outside
  readonly #parts: Part[] = []
  /** The content of each forwarding so far. */
  readonly #forwarded: (Change | undefined)[] = []
  /** Listeners that the bus removed itself, after their call. */
  readonly #kept = new Set<AnyFunction>()
  #failure: { readonly error: Error; readonly how: Failure } | undefined
  #isLost = false
  #isForEach = false

  constructor({ tap, emitter, name, args, outside }: Beginning) {
    this.emitter = emitter
    this.name = name
    this.args = args
    this.#tap = tap
    this.#outside = outside
  }

  is(name: unknown): boolean {
    return this.args[0] === name
  }

  /** The bus reaches a part of the event. @returns What the bus gets. */
  reach(part: Part): unknown {
    if (this.#parts.length === 0 || this.#isForEach) {
      this.#parts.push(part)
      return this.#tap.take(new EventMessage(this, part, undefined))
    }
    if (this.#failure !== undefined) return part.fail(this.#failure.error, this.#failure.how)
    if (this.#isLost) return part.answer(true)
    this.#parts.push(part)
    if (this.#forwarded.length === 0) return part.answer(false)
    const [first] = this.#forwarded.map((change) => part.perform(change, false))
    return first
  }

  /** Keeps a listener that its own bus removes: a held call still reaches it. */
  keep(listener: AnyFunction): void {
    if (this.#parts.length > 0 && this.#forwarded.length === 0) this.#kept.add(listener)
  }

  isListening(listener: AnyFunction): boolean {
    if (this.#kept.has(listener)) return true
    if (this.listeners().some((one) => one.listener === listener || one.raw === listener)) return true
    // A bus may keep its listeners in a list of its own.
    const own = this.#outside(() => this.emitter.listeners?.(this.args[0]))
    return own?.some((one) => unwrapped(one) === listener) === true
  }

  listeners(): ReturnType<typeof listenersOf> {
    const outside = this.#outside
    return outside(() => listenersOf(this.emitter, this.args[0])).map((one) => ({
      ...one,
      listener: unwrapped(one.listener),
      raw: unwrapped(one.raw),
      call: (args) => outside(() => one.call(args)),
      isStillThere: () => outside(() => one.isStillThere()),
    }))
  }

  forward(part: Part, change: Change | undefined, isLate: boolean): unknown {
    if (this.#isForEach) return part.perform(change, isLate)
    this.#forwarded.push(change)
    const errors: unknown[] = []
    const results = [...this.#parts].map((part) => {
      try {
        return part.perform(change, isLate)
      } catch (error) {
        errors.push(error)
        return undefined
      }
    })
    if (errors.length > 0) throw errors[0]
    return results[0]
  }

  answer(part: Part): unknown {
    return part.answer(this.#isLost)
  }

  lose(): void {
    this.#isLost = true
    for (const part of this.#parts) part.answer(true)
  }

  fail(part: Part, error: Error, how: Failure): unknown {
    this.#failure = { error, how }
    return part.fail(error, how)
  }

  isGone(): boolean {
    return this.#parts.every((part) => part.isGone())
  }

  eachOf(part: Part): readonly Message[] {
    this.#isForEach = true
    return part.deliveries()
  }
}

/** The event as a message. */
class EventMessage implements Message {
  readonly name: EventName
  readonly args: EmitArgs
  readonly #event: DispatchedEvent
  readonly #part: Part
  readonly #change: Change | undefined

  constructor(event: DispatchedEvent, part: Part, change: Change | undefined) {
    this.name = event.name
    this.args = event.args
    this.#event = event
    this.#part = part
    this.#change = change
  }

  get payload(): unknown {
    return this.#change === undefined ? this.#part.payload : this.#change.payload
  }
  forward(): unknown {
    return this.#event.forward(this.#part, this.#change, false)
  }
  forwardLate(): unknown {
    return this.#event.forward(this.#part, this.#change, true)
  }
  withPayload(payload: unknown): Message {
    return new EventMessage(this.#event, this.#part, { payload })
  }
  answer(): unknown {
    return this.#event.answer(this.#part)
  }
  lose(): void {
    this.#event.lose()
  }
  loseLate(): void {
    this.#event.lose()
  }
  isGone(): boolean {
    return this.#event.isGone()
  }
  fail(error: Error, how: Failure): unknown {
    return this.#event.fail(this.#part, error, how)
  }
  deliveries(): readonly Message[] {
    return this.#event.eachOf(this.#part)
  }
}

/** A call of `super.emit`. */
export class SuperPart implements Part {
  constructor(
    private readonly event: DispatchedEvent,
    private readonly args: EmitArgs,
    private readonly call: (args: EmitArgs) => unknown,
  ) {}
  get payload(): unknown {
    return this.args[1]
  }
  perform(change: Change | undefined): unknown {
    return this.isGone()
      ? undefined
      : this.call(change === undefined ? this.args : replaced(this.args, 1, change.payload))
  }
  answer(): unknown {
    return (this.event.emitter.listenerCount?.(this.args[0]) ?? 0) > 0
  }
  fail(error: Error, how: Failure): unknown {
    if (how === 'throw') throw error
    return Promise.reject(error)
  }
  isGone(): boolean {
    return this.args[0] === 'error' && isErrorUnheard(this.event.emitter)
  }
  deliveries(): readonly Message[] {
    return this.event.listeners().map((listener) => listenerMessage(this.event.emitter, listener, this.args))
  }
}

/** A call of one listener. */
export class ListenerPart implements Part {
  #result: { readonly value: unknown } | undefined
  #held: { readonly promise: Promise<unknown>; readonly settle: (value: unknown) => void } | undefined

  constructor(
    private readonly event: DispatchedEvent,
    private readonly listener: AnyFunction,
    private readonly args: readonly unknown[],
    private readonly call: (args: readonly unknown[]) => unknown,
  ) {}
  get payload(): unknown {
    return this.args[0]
  }
  perform(change: Change | undefined, isLate: boolean): unknown {
    if (isLate && this.isGone()) {
      this.#held?.settle(undefined)
      return undefined
    }
    const work = (): unknown => this.call(change === undefined ? this.args : replaced(this.args, 0, change.payload))
    if (this.#held === undefined) {
      const value = work()
      this.#result ??= { value }
      return value
    }
    // The bus may await the promise: it gets what the listener returns or throws.
    const outcome = new Promise((resolve) => resolve(work()))
    this.#held.settle(outcome)
    return outcome
  }
  answer(isLost: boolean): unknown {
    if (this.#result !== undefined) return this.#result.value
    if (isLost) {
      this.#held?.settle(undefined)
      return this.#held?.promise
    }
    if (this.#held === undefined) {
      let settle: (value: unknown) => void = () => undefined
      const promise = new Promise<unknown>((resolve) => (settle = resolve))
      this.#held = { promise, settle }
    }
    return this.#held.promise
  }
  fail(error: Error, how: Failure): unknown {
    if (how === 'throw') throw error
    this.#result = { value: Promise.reject(error) }
    return this.#result.value
  }
  isGone(): boolean {
    return !this.event.isListening(this.listener)
  }
  deliveries(): readonly Message[] {
    return [
      new ListenerCall(
        this,
        this.event,
        this.args,
        { name: nameOf(this.listener), identity: this.listener },
        undefined,
      ),
    ]
  }
}

/** A call of one listener as a message of its own, for a fault of each listener. */
class ListenerCall implements Message {
  readonly name: EventName
  #isLost = false

  constructor(
    private readonly part: Part,
    private readonly event: DispatchedEvent,
    readonly args: readonly unknown[],
    readonly subscriber: Subscriber,
    private readonly change: Change | undefined,
  ) {
    this.name = event.name
  }
  get payload(): unknown {
    return this.change === undefined ? this.part.payload : this.change.payload
  }
  forward(): unknown {
    return this.part.perform(this.change, false)
  }
  forwardLate(): unknown {
    return this.part.perform(this.change, true)
  }
  withPayload(payload: unknown): Message {
    return new ListenerCall(this.part, this.event, this.args, this.subscriber, { payload })
  }
  answer(): unknown {
    return this.part.answer(this.#isLost)
  }
  lose(): void {
    this.#isLost = true
    this.part.answer(true)
  }
  loseLate(): void {
    this.lose()
  }
  isGone(): boolean {
    return this.part.isGone()
  }
  fail(error: Error, how: Failure): unknown {
    return this.part.fail(error, how)
  }
}
