import { bindBus, type Bus, type Message, type SeamBinding } from '../seams/bus.js'
import { methodSeam } from '../seams/method-seam.js'

/** An `EventTarget`, as far as faults need it. */
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

/** Where every event of Node's targets and ports arrives, whoever dispatched it: `(value, type, event)`. In the registry of symbols since Node.js 15. */
export const DISPATCH = Symbol.for('nodejs.internal.kHybridDispatch')

/** Binds an `EventTarget`: an event's name is its type, its payload its `detail` or `data`. */
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

/** Another event of the same class and type with other content; an event that was dispatched cannot be changed. */
export function withContent(event: Event, content: unknown): Event {
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

/** A listener of an event target that fails, in either way, ends as an uncaught exception on the next tick; dispatching goes on. */
function failLater(error: Error): ReturnType<NonNullable<Message['fail']>> {
  process.nextTick(() => {
    throw error
  })
  return true
}
