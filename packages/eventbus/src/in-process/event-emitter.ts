import { bindBus, allSeams, type Bus, type EventName, type Message, type SeamBinding } from '../seams/bus.js'
import { findDeliveryMethod } from '../seams/find-delivery-method.js'
import { methodSeam } from '../seams/method-seam.js'
import {
  listenerMessage,
  listenersOf,
  rejectAs,
  tellsListenersApart,
  watchListeners,
  type CallableEmitter,
  type EmitterLike,
} from '../seams/emitter-listeners.js'

/** Whether a value is shaped like an event emitter. */
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

/** What of an emitter's own events a fault may touch. */
export interface BindEmitterOptions {
  /** Whether the events by which a Node.js stream works (`data`, `end`, `drain`, …) may be affected. Default `false`: a stream that loses one hangs. */
  readonly streamEvents?: boolean
}

/**
 * Binds an event emitter. Faults take an emitter as it is; bind it to choose options.
 *
 * Errors that nobody listens for, `newListener` and `removeListener` pass straight through.
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
      // Found when it is armed: the class may have changed since it was bound.
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
  const emitOf = (method: 'emit' | 'emitSerial'): SeamBinding =>
    methodSeam({
      object,
      inherited,
      method,
      name: (args) => args[0] as EventName,
      passes: (args, self) =>
        (shared && self !== emitter) || passing.has(args[0] as EventName) || isUnheardError(args, self),
      // It was heard when it was emitted; later it would be thrown.
      isGone: isUnheardError,
      payload: 1,
      isAwaited: isAsync,
      answer: ([name], self) =>
        isAsync ? Promise.resolve() : isListenedTo(self as CallableEmitter, name as EventName),
      ...(tellsListenersApart(emitter) && {
        deliveries: ({ name }: Message, args: readonly unknown[], self: unknown) =>
          listenersOf(self as CallableEmitter, name).map((listener) =>
            listenerMessage(self as CallableEmitter, listener, args),
          ),
      }),
      fail: (error, how, args, self) => {
        if (isAsync) return Promise.reject(error)
        if (how === 'throw') throw error
        rejectAs(self as CallableEmitter, Promise.reject(error), args)
        return true
      },
    })
  return isAsync ? allSeams(emitOf('emit'), emitOf('emitSerial')) : emitOf('emit')
}

/** Whether an event is an error that an emitter throws, since nobody listens. */
function isUnheardError([name]: readonly unknown[], self: unknown): boolean {
  return name === 'error' && (self as CallableEmitter).listenerCount?.('error') === 0
}

/** Events by which an emitter talks about itself: they are never held, changed or lost. */
const OWN_EVENTS: ReadonlySet<EventName> = new Set<EventName>(['newListener', 'removeListener'])

/** Events by which streams and sockets work. */
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

/** What `emit` returns in health: whether anybody listens. One that cannot say it (mitt) returns nothing. */
function isListenedTo(bus: CallableEmitter, name: EventName): boolean | undefined {
  return bus.listenerCount === undefined ? undefined : bus.listenerCount(name) > 0
}
