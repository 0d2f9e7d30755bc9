import type { Below } from '@chaos/core/authoring'
import { nameOfEvent, type EventName, type Failure, type Message } from '../seams/bus.js'
import {
  listenerMessage,
  listenersOf,
  rejectAs,
  type CallableEmitter,
  type EmitArgs,
} from '../seams/emitter-listeners.js'
import { isOfClosedSocket } from './closed-socket.js'
import { replaced } from '../seams/method-seam.js'

/** An event at the `emit` of an emitter. A class, since emitters are the busiest buses: it costs one object per event. */
export class EmittedEvent implements Message {
  readonly args: EmitArgs
  readonly isAwaited: boolean
  protected readonly emitter: CallableEmitter
  protected readonly below: Below

  /** @param isAwaited Whether `emit` returns a promise, as that of emittery does. */
  constructor(args: EmitArgs, emitter: CallableEmitter, below: Below, isAwaited: boolean) {
    this.args = args
    this.emitter = emitter
    this.below = below
    this.isAwaited = isAwaited
  }

  get name(): EventName {
    return nameOfEvent(this.args[0]) ?? ''
  }
  get payload(): unknown {
    return this.args[1]
  }
  forward(): unknown {
    return this.below.call.apply(this.emitter, this.args) as unknown
  }
  withPayload(payload: unknown): Message {
    return this.with(replaced(this.args, 1, payload))
  }
  /** It had a listener when it was emitted; without one, the emitter would throw it later. */
  isGone(): boolean {
    return (this.args[0] === 'error' && isErrorUnheard(this.emitter)) || isOfClosedSocket(this.emitter, this.args[0])
  }
  answer(): unknown {
    return this.isAwaited ? Promise.resolve() : isListenedTo(this.emitter, this.args[0])
  }
  fail(error: Error, how: Failure): unknown {
    if (this.isAwaited) return Promise.reject(error)
    if (how === 'throw') throw error
    rejectAs(this.emitter, Promise.reject(error), this.args)
    return true
  }
  protected with(args: EmitArgs): Message {
    return new EmittedEvent(args, this.emitter, this.below, this.isAwaited)
  }
}

/** An event of an emitter whose listeners can be called one by one. */
export class EventWithListeners extends EmittedEvent {
  deliveries(): readonly Message[] {
    return listenersOf(this.emitter, this.args[0]).map((listener) => listenerMessage(this.emitter, listener, this.args))
  }
  protected override with(args: EmitArgs): Message {
    return new EventWithListeners(args, this.emitter, this.below, this.isAwaited)
  }
}

/** Whether an `error` event has no listener, so that the emitter throws it. */
export const isErrorUnheard = (emitter: CallableEmitter): boolean => countOf(emitter, 'error') === 0

/** The number of listeners. `undefined`: the emitter does not know, or its own `listenerCount` throws. */
function countOf(emitter: CallableEmitter, name: EventName): number | undefined {
  try {
    return emitter.listenerCount?.(name)
  } catch {
    return undefined
  }
}

/**
 * What `emit` returns without a fault: whether the event has listeners. An emitter without `listenerCount` (mitt)
 * returns nothing.
 */
function isListenedTo(bus: CallableEmitter, name: EventName): boolean | undefined {
  const count = countOf(bus, name)
  return count === undefined ? undefined : count > 0
}
