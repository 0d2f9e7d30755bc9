import { bindBus, type Bus, type Message, type SeamBinding, type Steps } from '../seams/bus.js'
import { methodSeam, replaced } from '../seams/method-seam.js'

/** An `EventTarget`, as far as faults need it. */
export interface EventTargetLike {
  dispatchEvent(event: never): boolean
  addEventListener(type: never, listener: never): void
}

/** A `BroadcastChannel` or `MessagePort`. */
export interface PortLike extends EventTargetLike {
  postMessage(message: never, transfer?: never): void
}

export function isEventTarget(value: unknown): value is EventTargetLike {
  return (
    typeof value === 'object' &&
    value !== null &&
    'dispatchEvent' in value &&
    typeof value.dispatchEvent === 'function' &&
    'addEventListener' in value
  )
}

export function isPort(value: unknown): value is PortLike {
  return isEventTarget(value) && 'postMessage' in value && typeof value.postMessage === 'function'
}

/** Where every event of Node's targets and ports arrives, whoever dispatched it: `(value, type, event)`. In the registry of symbols since Node.js 15. */
const DISPATCH = Symbol.for('nodejs.internal.kHybridDispatch')

/** Where a port keeps the ports that came with a message, while its listeners are called. */
const RECEIVING = Symbol.for('nodejs.internal.kCurrentlyReceivingPorts')

/** Whether a message brings ports along, which are there for as long as it is dispatched. */
function bringsPorts(target: unknown): boolean {
  const ports: unknown = Reflect.get(target as object, RECEIVING)
  return Array.isArray(ports) && ports.length > 0
}

/** Binds an `EventTarget`: an event's name is its type, its payload its `detail` or `data`. */
export function eventTargetBus(target: EventTargetLike): Bus {
  return bindBus({
    kind: 'an event target',
    isLocal: true,
    seams: {
      publish: methodSeam({
        object: target,
        method: 'dispatchEvent',
        name: ([event]) => (event as Event).type,
        payload: payloadAt(0),
        answer: () => true,
        fail: failLater,
      }),
      ...deliverySeam(target, (type) => type),
    },
  })
}

/**
 * Binds a `BroadcastChannel` or a `MessagePort`. The name of a channel's messages is the channel's, that of a port's is `message`.
 *
 * A message is cloned when it is posted, as in health. Messages that transfer objects pass straight through: they can be posted only once. So do those that arrive with ports.
 */
export function portBus(port: PortLike): Bus {
  const name = 'name' in port && typeof port.name === 'string' ? port.name : 'message'
  return bindBus({
    kind: 'a message port',
    seams: {
      publish: methodSeam({
        object: port,
        method: 'postMessage',
        name: ([, transfer]) => (transfers(transfer) ? undefined : name),
        payload: 0,
        snapshot: ([message]) => [structuredClone(message)],
      }),
      ...deliverySeam(port, (type) => (type === 'message' ? name : undefined)),
    },
  })
}

/** The seam where Node's own targets deliver; another implementation has none that can be found. */
function deliverySeam(
  target: EventTargetLike,
  nameOf: (type: string) => string | undefined,
): { readonly delivery?: SeamBinding } {
  if (!(DISPATCH in target)) return {}
  const inEvent = payloadAt(2)
  const seamOf = (isGone: () => boolean): SeamBinding =>
    methodSeam({
      object: target,
      method: DISPATCH,
      name: ([, type]) => nameOf(type as string),
      passes: (_args, self) => bringsPorts(self),
      // A port hands over a bare value, of which the event is made later.
      payload: {
        read: (args) => (args[2] === undefined ? args[0] : inEvent.read(args)),
        replace: (args, payload) =>
          args[2] === undefined ? replaced(args, 0, payload) : inEvent.replace(args, payload),
      },
      fail: failLater,
      isGone,
    })
  return {
    delivery: isPort(target) ? (tap, steps) => seamOf(watchClosing(target, steps))(tap, steps) : seamOf(() => false),
  }
}

/** Whether a port was closed since, at either end: its listeners get nothing any more. A `BroadcastChannel` has no event that says so. */
function watchClosing(port: PortLike, { defer, patch }: Steps): () => boolean {
  let isClosed = false
  const onClose = (): void => {
    isClosed = true
  }
  const heard = port as unknown as EventTarget
  heard.addEventListener('close', onClose)
  defer(() => heard.removeEventListener('close', onClose))
  if (port instanceof BroadcastChannel) {
    patch(
      port,
      'close',
      (below) =>
        function close(this: unknown, ...args: unknown[]): unknown {
          isClosed = true
          return below.call.apply(this, args) as unknown
        },
    )
  }
  return () => isClosed
}

const FIELDS = ['data', 'detail'] as const

/** The content of the event at a position. */
function payloadAt(index: number): {
  read: (args: readonly unknown[]) => unknown
  replace: (args: readonly unknown[], payload: unknown) => unknown[]
} {
  return {
    read: (args) => {
      const event = args[index] as object
      const field = FIELDS.find((name) => name in event)
      return field === undefined ? undefined : (Reflect.get(event, field) as unknown)
    },
    replace: (args, payload) => replaced(args, index, withContent(args[index] as Event, payload)),
  }
}

/** Another event of the same class and type with other content; an event that was dispatched cannot be changed. */
function withContent(event: Event, content: unknown): Event {
  const field = FIELDS.find((name) => name in event) ?? 'detail'
  const { bubbles, cancelable, composed } = event
  const copy = eventLike(event, { bubbles, cancelable, composed, [field]: content })
  // A class of the application may take its content in another way.
  if (!holds(copy, field, content))
    Object.defineProperty(copy, field, { value: content, configurable: true, enumerable: true, writable: true })
  return copy
}

/** Whether a field has this content. A getter that needs what only its constructor makes throws. */
function holds(event: Event, field: string, content: unknown): boolean {
  try {
    return Object.is(Reflect.get(event, field), content)
  } catch {
    return false
  }
}

/** An event of the same class. A constructor of the application that takes something else may throw: then it gets the prototype and the fields. */
function eventLike(event: Event, init: object): Event {
  try {
    return new (event.constructor as new (type: string, init: object) => Event)(event.type, init)
  } catch {
    const copy = Object.setPrototypeOf(new Event(event.type, init), Object.getPrototypeOf(event) as object) as Event
    for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(event)))
      if (!Object.hasOwn(copy, name)) Object.defineProperty(copy, name, member)
    return copy
  }
}

function transfers(transfer: unknown): boolean {
  const list: unknown = Array.isArray(transfer)
    ? transfer
    : typeof transfer === 'object' && transfer !== null && 'transfer' in transfer
      ? transfer.transfer
      : []
  return Array.isArray(list) && list.length > 0
}

/** A listener of an event target that fails, in either way, ends as an uncaught exception on the next tick; dispatching goes on. */
function failLater(error: Error): ReturnType<NonNullable<Message['fail']>> {
  process.nextTick(() => {
    throw error
  })
  return true
}
