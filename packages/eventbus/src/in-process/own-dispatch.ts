import { AsyncLocalStorage } from 'node:async_hooks'
import type { AnyFunction, Below } from '@chaos/core/authoring'
import { nameOfEvent, type EventName, type SeamBinding, type Steps, type Tap } from '../seams/bus.js'
import type { CallableEmitter, EmitArgs } from '../seams/emitter-listeners.js'
import { DispatchedEvent, ListenerPart, SuperPart, unwrapped, wrapped } from './dispatched-event.js'
import { isErrorUnheard } from './emitted-event.js'

/** A bus that calls its listeners itself, and possibly `super.emit` as well. */
export interface OwnDispatch {
  readonly emitter: CallableEmitter
  /** The object whose `emit` overrides that of the emitter class. */
  readonly override: object
  /** Whether no fault may affect events of this name. */
  readonly spares: (name: unknown) => boolean
}

/**
 * Binds the delivery of a bus whose `emit` calls the result of `listeners()` or `rawListeners()`.
 *
 * One event is one message, however often the bus calls a listener for it: each call in `emit`, also after an `await`, belongs
 * to the event that is under way. What reaches the listeners first decides; all other calls of the event share its fate. A held
 * listener answers with a promise, so that a bus that awaits its listeners measures the delay. An `AsyncLocalStorage` carries
 * the event, only while the fault is in force.
 */
export function ownDispatchSeam({ emitter, override, spares }: OwnDispatch): SeamBinding {
  return (tap, steps) => {
    const under = new UnderWay()
    steps.defer(() => under.end())
    const inside = patching(steps, override, { inherited: true })

    const patchEmitter = patching(steps, emitter, {})
    /** Begins an event, unless no fault may affect it. */
    const begin = (args: EmitArgs): DispatchedEvent | undefined => {
      const name = spares(args[0]) ? undefined : nameOfEvent(args[0])
      const isSpared = name === undefined || !tap.covers(name) || (args[0] === 'error' && isErrorUnheard(emitter))
      return isSpared ? undefined : under.begin(tap, emitter, name, args)
    }
    patchEmitter('emit', (below) => {
      return function (this: CallableEmitter, ...args: EmitArgs): unknown {
        const emit = (): unknown => below.call.apply(this, args) as unknown
        return under.run(this === emitter ? begin(args) : undefined, emit)
      }
    })
    inside('emit', (below) => {
      return function (this: CallableEmitter, ...args: EmitArgs): unknown {
        // A bus may also emit below its own `emit`: what it got from elsewhere, or put in a queue.
        const event = this === emitter ? (under.isAny() ? under.eventOf(args[0]) : begin(args)) : undefined
        const call = (given: EmitArgs): unknown => below.call.apply(this, given) as unknown
        if (event === undefined) return call(args)
        return event.reach(new SuperPart(event, args, (given) => under.run(undefined, () => call(given))))
      }
    })
    const given = new WeakSet<AnyFunction>()
    const wrappedFor = (name: unknown, listener: unknown): unknown => {
      if (typeof listener !== 'function' || given.has(listener)) return listener
      const wrapper = function (this: unknown, ...args: readonly unknown[]): unknown {
        const call = (changed: readonly unknown[]): unknown =>
          under.run(undefined, () => listener.apply(this, changed) as unknown)
        // The event of this call: a bus may keep the list for the next one, or beyond the fault.
        const event = under.eventOf(name)
        if (event === undefined) return call(args)
        return event.reach(new ListenerPart(event, unwrapped(listener), args, call))
      }
      given.add(wrapper)
      wrapped.set(wrapper, unwrapped(listener))
      return likeListener(wrapper, listener)
    }
    for (const method of ['listeners', 'rawListeners'] as const) {
      const layer = (below: Below): AnyFunction =>
        function (this: CallableEmitter, ...args: EmitArgs): unknown {
          const found = below.call.apply(this, args) as unknown
          if (this !== emitter || under.eventOf(args[0]) === undefined || !Array.isArray(found)) return found
          return found.map((listener: unknown) => wrappedFor(args[0], listener))
        }
      // The class may override it, and may call that of its base class.
      patchEmitter(method, layer)
      inside(method, layer)
    }
    for (const method of ['off', 'removeListener'] as const)
      patchEmitter(method, (below) => {
        return function (this: CallableEmitter, ...args: readonly unknown[]): unknown {
          const listener = typeof args[1] === 'function' ? unwrapped(args[1]) : args[1]
          // A bus that takes its own `once` listeners off the list does so after their call, which may be held.
          if (typeof listener === 'function') under.eventOf(args[0])?.keep(listener)
          return below.call.apply(this, [args[0], listener, ...args.slice(2)]) as unknown
        }
      })
  }
}

/** Patches the members that an object has. */
const patching =
  ({ patch }: Steps, object: object, options: { readonly inherited?: boolean }) =>
  (method: string, layer: (below: Below) => AnyFunction): void => {
    if (method in object) patch(object, method, layer, options)
  }

/** Copies what a bus may have noted on a listener: its priority, or the listener inside a wrapper of `once`. */
function likeListener(wrapper: AnyFunction, listener: AnyFunction): AnyFunction {
  for (const key of Reflect.ownKeys(listener)) {
    if (key === 'prototype' || key === 'arguments' || key === 'caller') continue
    Object.defineProperty(wrapper, key, Object.getOwnPropertyDescriptor(listener, key) as PropertyDescriptor)
  }
  return wrapper
}

/** The event that is under way in this call, and in what it awaits. */
class UnderWay {
  readonly #current = new AsyncLocalStorage<DispatchedEvent | undefined>()
  #isOver = false

  run<Result>(event: DispatchedEvent | undefined, work: () => Result): Result {
    if (this.#isOver || (event === undefined && this.#current.getStore() === undefined)) return work()
    return this.#current.run(event, work)
  }

  begin(tap: Tap, emitter: CallableEmitter, name: EventName, args: EmitArgs): DispatchedEvent {
    return new DispatchedEvent({ tap, emitter, name, args, outside: (work) => this.run(undefined, work) })
  }

  /** Whether any event is under way. */
  isAny(): boolean {
    return this.#current.getStore() !== undefined
  }

  eventOf(name: unknown): DispatchedEvent | undefined {
    const event = this.#current.getStore()
    return event?.is(name) === true ? event : undefined
  }

  end(): void {
    this.#isOver = true
    this.#current.disable()
  }
}
