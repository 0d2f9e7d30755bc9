import { ownersOf } from '@chaos/core'
import { bindBus, type Bus, type EventName, type Seam } from '../bus.js'
import { methodSeam } from '../method-seam.js'

/** What an in-process bus must have: Node's `EventEmitter`, a class derived from it, or one that looks like it (eventemitter3, mitt). */
export interface EmitterLike {
  emit(name: never, ...args: never[]): unknown
  on(name: never, listener: never): unknown
}

/** How the faults call a bus. */
interface CallableEmitter {
  emit(name: EventName, ...args: unknown[]): unknown
  listenerCount?(name: EventName): number
}

/** Whether a value is shaped like an event emitter. */
export function isEmitterLike(value: unknown): value is EmitterLike {
  return typeof value === 'object' && value !== null && 'emit' in value && typeof value.emit === 'function' && 'on' in value && typeof value.on === 'function'
}

/** Binds an event emitter. Whatever is one is bound by itself: faults take it as it is. */
export function emitterBus(emitter: EmitterLike): Bus {
  return bindBus({
    kind: 'an event emitter',
    seams: { publish: (tap, steps) => emitSeam(emitter, 'publish')(tap, steps), delivery: (tap, steps) => emitSeam(emitter, 'delivery')(tap, steps) },
  })
}

function emitSeam(emitter: EmitterLike, seam: Seam): ReturnType<typeof methodSeam> {
  const { object, inherited, shared } = seamMember(emitter, seam)
  return methodSeam({
    object,
    inherited,
    method: 'emit',
    name: (args, self) => {
      const name = args[0] as EventName
      return (shared && !Object.is(self, emitter)) || passesStraight(self as CallableEmitter, name) ? undefined : name
    },
    payload: 1,
    answer: ([name], self) => isListenedTo(self as CallableEmitter, name as EventName),
  })
}

/** The member that stands at a seam. */
interface SeamMember {
  readonly object: object
  /** Whether it is what `object` inherits, although it has a member of its own. */
  readonly inherited: boolean
  /** Whether other buses pass here too, so that `this` must be looked at. */
  readonly shared: boolean
}

/**
 * Finds the `emit` of a seam.
 *
 * A class that overrides `emit` and publishes through `super.emit` is broken beneath its override when delivery is meant, so that its
 * own metrics see what its listeners feel. That place is the class's, hence shared. An `emit` that was assigned to the instance
 * itself is covered where it stands: what it captured cannot be known.
 */
function seamMember(bus: object, seam: Seam): SeamMember {
  const here: SeamMember = { object: bus, inherited: false, shared: false }
  if (seam === 'publish' || Object.hasOwn(bus, 'emit')) return here
  // The last owner is the emitter itself; the one before it is the override nearest to it.
  const override = ownersOf(bus, 'emit').at(-2)
  return override === undefined ? here : { object: override, inherited: true, shared: true }
}

/** Events by which an emitter talks about itself, and errors that nobody listens for: they are never held, changed or lost. */
function passesStraight(bus: CallableEmitter, name: EventName): boolean {
  if (name === 'newListener' || name === 'removeListener') return true
  return name === 'error' && bus.listenerCount?.('error') === 0
}

/** What `emit` returns in health: whether anybody listens. */
function isListenedTo(bus: CallableEmitter, name: EventName): boolean {
  return bus.listenerCount === undefined || bus.listenerCount(name) > 0
}
