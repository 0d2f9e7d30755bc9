import { ownersOf } from '@chaos/core/authoring'
import { bindBus, type Bus, type SeamBinding } from '../seams/bus.js'
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
 * Delivery is below the `next` of a derived class, so a `BehaviorSubject` has its new value at once, even if observers get
 * it late. `complete` and `error` are never affected. No observer gets a value that is held beyond `complete`, as with a
 * slow source.
 */
export function bindSubject(subject: SubjectLike): Bus {
  const seam = ({ object, inherited, shared }: SeamMember): SeamBinding =>
    methodSeam<readonly [value: unknown], object>({
      object,
      inherited,
      method: 'next',
      name: (_args, self) => (shared && self !== subject ? undefined : 'next'),
      read: (args, self) => ({
        payload: args[0],
        withPayload: (payload) => replaced(args, 0, payload),
        // An unsubscribed subject throws on every value.
        isGone: () => Reflect.get(self, 'closed') === true,
        // RxJS rethrows the error of an observer on a later turn of the event loop.
        fail: (error) =>
          process.nextTick(() => {
            throw error
          }),
      }),
    })
  return bindBus({
    kind: 'an RxJS subject',
    isLocal: true,
    seams: {
      publish: seam({ object: subject, inherited: false, shared: false }),
      delivery: (tap, steps) => seam(deliveryOf(subject))(tap, steps),
    },
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
