import { ownersOf } from '@chaos/core/authoring'
import { allSeams, bindBus, type Bus, type SeamBinding } from '../seams/bus.js'
import type { SeamMember } from '../seams/find-delivery-method.js'
import { methodSeam, replaced } from '../seams/method-seam.js'

/** The methods of an RxJS `Subject` that faults use. */
export interface SubjectLike {
  next(value: never): void
  subscribe(observer: never): unknown
}

export function isSubject(value: unknown): value is SubjectLike {
  return (
    typeof value === 'object' &&
    value !== null &&
    'next' in value &&
    typeof value.next === 'function' &&
    'subscribe' in value &&
    typeof value.subscribe === 'function'
  )
}

/**
 * Binds an RxJS `Subject` or a derived class. The name of its values is `next`.
 *
 * Delivery is below the `next` of a derived class: a `BehaviorSubject` has its new value and a `ReplaySubject` its buffer at
 * once, even if observers get the value late or never. `publish` is above: a dropped value reaches neither. `complete` and
 * `error` are not affected themselves, but wait behind all values that are held, as the end of a slow source does; values
 * after them are ignored.
 */
export function bindSubject(subject: SubjectLike): Bus {
  const seam = ({ object, inherited, shared }: SeamMember): SeamBinding => {
    const values = methodSeam<readonly [value: unknown], object>({
      object,
      inherited,
      method: 'next',
      name: (_args, self) => (shared && self !== subject ? undefined : 'next'),
      read: (args, self) => ({
        payload: args[0],
        withPayload: (payload) => replaced(args, 0, payload),
        // An unsubscribed subject throws on every value.
        isGone: () => isClosed(self),
        // RxJS rethrows the error of an observer on a later turn of the event loop.
        fail: (error) =>
          process.nextTick(() => {
            throw error
          }),
      }),
    })
    return allSeams(values, endSeam(subject, object))
  }
  return bindBus({
    kind: 'an RxJS subject',
    isLocal: true,
    seams: {
      publish: seam({ object: subject, inherited: false, shared: false }),
      delivery: (tap, steps) => seam(deliveryOf(subject))(tap, steps),
    },
  })
}

const isClosed = (subject: object): boolean => Reflect.get(subject, 'closed') === true

/** Keeps `complete` and `error` behind held values. */
const endSeam =
  (subject: SubjectLike, object: object): SeamBinding =>
  (tap, { patch }) => {
    let isEnding = false
    for (const method of ['complete', 'error'] as const) {
      if (!(method in object)) continue
      patch(object, method, (below) => {
        return function (this: object, ...args: readonly unknown[]): unknown {
          const end = (): unknown => below.call.apply(this, args) as unknown
          if (this !== subject) return end()
          if (isEnding) return undefined
          isEnding =
            tap.endAfterHeld?.(() => {
              isEnding = false
              // An unsubscribed subject throws.
              if (!isClosed(subject)) end()
            }) === true
          return isEnding ? undefined : end()
        }
      })
    }
    patch(object, 'next', (below) => {
      return function (this: object, ...args: readonly unknown[]): unknown {
        return this === subject && isEnding ? undefined : (below.call.apply(this, args) as unknown)
      }
    })
  }

/**
 * A derived class of compiled RxJS calls `Subject.prototype.next` directly, so the seam is there, limited to this
 * subject.
 */
function deliveryOf(subject: SubjectLike): SeamMember {
  const owners = ownersOf(subject, 'next')
  const [base] = owners.slice(-1)
  return owners.length < 2 || base === undefined
    ? { object: subject, inherited: false, shared: false }
    : { object: base, inherited: false, shared: true }
}
