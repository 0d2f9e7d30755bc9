import { allSeams, bindBus, type Bus, type SeamBinding } from '../seams/bus.js'
import { tellsListenersApart, watchListeners, type EmitterLike } from '../seams/emitter-listeners.js'
import { emitterSeam } from '../seams/emitter-seam.js'
import { findDeliveryMethod } from '../seams/find-delivery-method.js'
import { EmittedEvent, EventWithListeners, isErrorUnheard } from './emitted-event.js'

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
  passing: ReadonlySet<unknown>,
): SeamBinding {
  const isAwaited = 'emitSerial' in emitter
  const OneEvent = tellsListenersApart(emitter) ? EventWithListeners : EmittedEvent
  const emitOf = (method: 'emit' | 'emitSerial'): SeamBinding =>
    emitterSeam({
      object,
      inherited,
      method,
      owner: shared ? emitter : undefined,
      spares: (name) => passing.has(name),
      isUnheard: isErrorUnheard,
      messageOf: (args, self, below) => new OneEvent(args, self, below, isAwaited),
    })
  return isAwaited ? allSeams(emitOf('emit'), emitOf('emitSerial')) : emitOf('emit')
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
