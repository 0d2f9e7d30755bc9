import { allSeams, bindBus, type Bus, type SeamBinding } from '../seams/bus.js'
import { isEventEmitter2, tellsListenersApart, watchListeners, type EmitterLike } from '../seams/emitter-listeners.js'
import { emitterSeam } from '../seams/emitter-seam.js'
import { deliveryOf, returnsPromise } from './delivery-of.js'
import { EmittedEvent, EventWithListeners, isErrorUnheard } from './emitted-event.js'
import { ownDispatchSeam } from './own-dispatch.js'

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
  const { listenerAdded, listenerRemoved } = emitter.constructor as Metaevents
  const spares = (name: unknown): boolean =>
    passing.has(name) || (typeof name === 'symbol' && (name === listenerAdded || name === listenerRemoved))
  return bindBus({
    kind: 'an event emitter',
    isLocal: true,
    knowsSubscribers: tellsListenersApart(emitter),
    watchListeners: (see) => watchListeners(emitter, see),
    seams: {
      publish: emitSeam(emitter, spares),
      // Looked up when the fault is armed: the class may have changed since the binding.
      delivery: (tap, steps) => deliverySeam(emitter, spares)(tap, steps),
    },
  })
}

/** The events by which emittery reports its own listeners. It refuses them at any other time, so they cannot be held. */
interface Metaevents {
  readonly listenerAdded?: unknown
  readonly listenerRemoved?: unknown
}

function deliverySeam(emitter: EmitterLike, spares: (name: unknown) => boolean): SeamBinding {
  const delivery = deliveryOf(emitter)
  if (delivery.at === 'emit') return emitSeam(emitter, spares)
  const { override } = delivery
  return delivery.at === 'super' ? emitSeam(emitter, spares, override) : ownDispatchSeam({ emitter, override, spares })
}

/** @param override Covers the `emit` that this object inherits and others share. Default: the `emit` of the emitter. */
function emitSeam(emitter: EmitterLike, spares: (name: unknown) => boolean, override?: object): SeamBinding {
  const object = override ?? emitter
  const OneEvent = tellsListenersApart(emitter) ? EventWithListeners : EmittedEvent
  const emitOf = (method: string, isAwaited: boolean): SeamBinding =>
    emitterSeam({
      object,
      inherited: override !== undefined,
      method,
      owner: override === undefined ? undefined : emitter,
      spares,
      isUnheard: isErrorUnheard,
      messageOf: (args, self, below) => new OneEvent(args, self, below, isAwaited),
    })
  const called = override === undefined ? emitter : (Object.getPrototypeOf(override) as object)
  const others = [
    ...('emitSerial' in emitter ? ['emitSerial'] : []),
    ...(isEventEmitter2(emitter) ? ['emitAsync'] : []),
  ]
  return allSeams(emitOf('emit', returnsPromise(called, 'emit')), ...others.map((method) => emitOf(method, true)))
}

/** Internal events of an emitter, which faults never affect. */
const OWN_EVENTS: ReadonlySet<unknown> = new Set(['newListener', 'removeListener'])

/** Internal events of streams and sockets. */
const STREAM_EVENTS: readonly string[] = [
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
