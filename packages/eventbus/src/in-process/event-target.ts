import { bindBus, type Bus, type Message, type SeamBinding } from '../seams/bus.js'
import { isOfClosedSocket } from './closed-socket.js'
import { methodSeam } from '../seams/method-seam.js'

/** The methods of an `EventTarget` that faults use. */
export interface EventTargetLike {
  dispatchEvent(event: never): boolean
  addEventListener(type: never, listener: never): void
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

/**
 * The method through which Node.js delivers every event of its targets and ports: `(value, type, event)`. A registered
 * symbol since Node.js 15.
 */
export const DISPATCH = Symbol.for('nodejs.internal.kHybridDispatch')

/** Binds an `EventTarget`. The name of an event is its type; its payload is `data` or `detail`. */
export function bindEventTarget(target: EventTargetLike): Bus {
  return bindBus({
    kind: 'an event target',
    isLocal: true,
    seams: {
      publish: methodSeam<readonly [event: Event]>({
        object: target,
        method: 'dispatchEvent',
        name: ([event]) => event.type,
        read: ([event]) => ({
          get payload() {
            return contentOf(event)
          },
          withPayload: (payload) => [withContent(event, payload)],
          isGone: () => isOfClosedSocket(target, event.type),
          answer: () => true,
          fail: failLater,
        }),
      }),
      ...deliverySeam(target),
    },
  })
}

/** The seam where Node.js delivers. Other implementations of `EventTarget` have no such method. */
function deliverySeam(target: EventTargetLike): { readonly delivery?: SeamBinding } {
  if (!(DISPATCH in target)) return {}
  return {
    delivery: methodSeam<readonly [value: unknown, type: string, event: Event]>({
      object: target,
      method: DISPATCH,
      name: ([, type]) => type,
      read: ([value, type, event]) => ({
        get payload() {
          return contentOf(event)
        },
        withPayload: (payload) => [value, type, withContent(event, payload)],
        isGone: () => isOfClosedSocket(target, type),
        fail: failLater,
      }),
    }),
  }
}

const FIELDS = ['data', 'detail'] as const

/** The content of an event. */
export function contentOf(event: Event): unknown {
  const field = FIELDS.find((name) => name in event)
  return field === undefined ? undefined : (Reflect.get(event, field) as unknown)
}

/** A new event of the same class and type with other content. A dispatched event cannot be changed. */
export function withContent(event: Event, content: unknown): Event {
  const field = FIELDS.find((name) => name in event) ?? 'detail'
  const { bubbles, cancelable, composed } = event
  const copy = eventLike(event, { bubbles, cancelable, composed, [field]: content })
  // The constructor of an application class may take its content in another way.
  if (!holds(copy, field, content))
    Object.defineProperty(copy, field, { value: content, configurable: true, enumerable: true, writable: true })
  return copy
}

/** Whether a field has this content. A getter may throw if the constructor of its class has not run. */
function holds(event: Event, field: string, content: unknown): boolean {
  try {
    return Object.is(Reflect.get(event, field), content)
  } catch {
    return false
  }
}

/**
 * An event of the same class. If the constructor throws because it takes other arguments, the prototype and the fields
 * are copied instead.
 */
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

/**
 * A failing listener of an event target, whether it throws or rejects, causes an uncaught exception on the next tick.
 * The other listeners are called.
 */
function failLater(error: Error): ReturnType<NonNullable<Message['fail']>> {
  process.nextTick(() => {
    throw error
  })
  return true
}
