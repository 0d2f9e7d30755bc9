import {
  bindBus,
  allSeams,
  type Bus,
  type EventName,
  type Failure,
  type Message,
  type SeamBinding,
} from '../seams/bus.js'
import { findDeliveryMethod } from '../seams/find-delivery-method.js'
import { methodSeam, replaced, type MessageParts } from '../seams/method-seam.js'
import {
  listenerMessage,
  listenersOf,
  rejectAs,
  tellsListenersApart,
  watchListeners,
  type CallableEmitter,
  type EmitArgs,
  type EmitterLike,
} from '../seams/emitter-listeners.js'

/** Whether a value has the methods of an event emitter. */
export function isEmitterLike(value: unknown): value is EmitterLike {
  return (
    typeof value === 'object' &&
    value !== null &&
    'emit' in value &&
    typeof value.emit === 'function' &&
    'on' in value &&
    typeof value.on === 'function'
  )
}

/** Options of {@link bindEmitter}. */
export interface BindEmitterOptions {
  /**
   * Whether faults may affect the internal events of a Node.js stream (`data`, `end`, `drain`, …). Default `false`,
   * because a stream hangs without them.
   */
  readonly streamEvents?: boolean
}

/**
 * Binds an event emitter. Faults also accept an unbound emitter; bind it to set options.
 *
 * `error` events without a listener, `newListener` and `removeListener` are never affected.
 */
export function bindEmitter(emitter: EmitterLike, { streamEvents = false }: BindEmitterOptions = {}): Bus {
  const passing = isStream(emitter) && !streamEvents ? new Set([...OWN_EVENTS, ...STREAM_EVENTS]) : OWN_EVENTS
  const seam = (member: ReturnType<typeof findDeliveryMethod>): SeamBinding => emitSeam(emitter, member, passing)
  return bindBus({
    kind: 'an event emitter',
    isLocal: true,
    knowsSubscribers: tellsListenersApart(emitter),
    watchListeners: (see) => watchListeners(emitter, see),
    seams: {
      publish: (tap, steps) => seam({ object: emitter, inherited: false, shared: false })(tap, steps),
      // Looked up when the fault is armed: the class may have changed since the binding.
      delivery: (tap, steps) => seam(findDeliveryMethod(emitter, 'emit'))(tap, steps),
    },
  })
}

function emitSeam(
  emitter: EmitterLike,
  { object, inherited, shared }: ReturnType<typeof findDeliveryMethod>,
  passing: ReadonlySet<EventName>,
): SeamBinding {
  const isAsync = 'emitSerial' in emitter
  const OneEvent = tellsListenersApart(emitter) ? EventWithListeners : EmittedEvent
  const emitOf = (method: 'emit' | 'emitSerial'): SeamBinding =>
    methodSeam<EmitArgs, CallableEmitter>({
      object,
      inherited,
      method,
      isAwaited: isAsync,
      name: (args) => args[0],
      read(args, self) {
        const name = args[0]
        if ((shared && self !== emitter) || passing.has(name) || isUnheardError(name, self)) return undefined
        return new OneEvent(args, self, isAsync)
      },
    })
  return isAsync ? allSeams(emitOf('emit'), emitOf('emitSerial')) : emitOf('emit')
}

/** A class, since emitters are the busiest buses: it costs one object per event, closures cost six. */
class EmittedEvent implements MessageParts<EmitArgs> {
  readonly payload: unknown
  protected readonly args: EmitArgs
  protected readonly emitter: CallableEmitter
  readonly #isAsync: boolean

  /** @param isAsync Whether `emit` returns a promise, as that of emittery does. */
  constructor(args: EmitArgs, emitter: CallableEmitter, isAsync: boolean) {
    this.payload = args[1]
    this.args = args
    this.emitter = emitter
    this.#isAsync = isAsync
  }

  withPayload(payload: unknown): EmitArgs {
    return replaced(this.args, 1, payload)
  }
  /** It had a listener when it was emitted; without one, the emitter would throw it later. */
  isGone(): boolean {
    return isUnheardError(this.args[0], this.emitter)
  }
  answer(): unknown {
    return this.#isAsync ? Promise.resolve() : isListenedTo(this.emitter, this.args[0])
  }
  fail(error: Error, how: Failure): unknown {
    if (this.#isAsync) return Promise.reject(error)
    if (how === 'throw') throw error
    rejectAs(this.emitter, Promise.reject(error), this.args)
    return true
  }
}

/** An event of an emitter whose listeners can be called one by one. */
class EventWithListeners extends EmittedEvent {
  deliveries(): readonly Message[] {
    return listenersOf(this.emitter, this.args[0]).map((listener) => listenerMessage(this.emitter, listener, this.args))
  }
}

/** Whether the emitter throws this event: an `error` without a listener. */
function isUnheardError(name: EventName, emitter: CallableEmitter): boolean {
  return name === 'error' && emitter.listenerCount?.('error') === 0
}

/** Internal events of an emitter, which faults never affect. */
const OWN_EVENTS: ReadonlySet<EventName> = new Set<EventName>(['newListener', 'removeListener'])

/** Internal events of streams and sockets. */
const STREAM_EVENTS: readonly EventName[] = [
  'close',
  'data',
  'drain',
  'end',
  'error',
  'finish',
  'pause',
  'pipe',
  'prefinish',
  'readable',
  'resume',
  'unpipe',
  'connect',
  'connectionAttempt',
  'connectionAttemptFailed',
  'connectionAttemptTimeout',
  'lookup',
  'ready',
  'secure',
  'secureConnect',
  'timeout',
]

function isStream(emitter: object): boolean {
  return '_readableState' in emitter || '_writableState' in emitter
}

/**
 * What `emit` returns without a fault: whether the event has listeners. An emitter without `listenerCount` (mitt)
 * returns nothing.
 */
function isListenedTo(bus: CallableEmitter, name: EventName): boolean | undefined {
  return bus.listenerCount === undefined ? undefined : bus.listenerCount(name) > 0
}
