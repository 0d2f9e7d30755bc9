import type { InjectionContext } from '@chaos/core/authoring'

/** A method of any object. */
export type Method = (this: unknown, ...args: unknown[]) => unknown

/** A function that lies over a member of an object. */
interface Cover {
  readonly key: PropertyKey
  readonly value: Method
  readonly before: PropertyDescriptor | undefined
  hasLeft: boolean
}

/**
 * Lays a function over a member of an object.
 *
 * @param make Is given the member as it is now, and the way to take the cover off early, and makes the function
 */
export type LayOver = (
  object: object,
  key: PropertyKey,
  make: (original: unknown, takeOff: () => void) => Method,
) => void

const coversOfFunction = new WeakMap<Method, Cover>()

/**
 * Lays functions over objects that live shorter than the injection: a response, an iterator, a handler. When the injection ends, those that are still
 * there get their own members back; what is gone by then costs nothing. Where someone laid another function on top meanwhile, theirs stays, and ours
 * leaves when it does, so a function must pass everything once its injection has ended.
 */
export function covering(context: InjectionContext): LayOver {
  const covers = new WeakMap<object, Cover[]>()
  const objects = new Set<WeakRef<object>>()
  const collected = new FinalizationRegistry<WeakRef<object>>((ref) => objects.delete(ref))
  context.defer(() => {
    for (const ref of objects) {
      const object = ref.deref()
      if (object === undefined) continue
      for (const cover of covers.get(object) ?? []) takeOff(object, cover)
    }
    objects.clear()
  })
  return (object, key, make) => {
    if (context.signal.aborted) return
    const before = Object.getOwnPropertyDescriptor(object, key)
    const cover: Cover = {
      key,
      before,
      hasLeft: false,
      value: make(Reflect.get(object, key), () => takeOff(object, cover)),
    }
    Object.defineProperty(object, key, {
      value: cover.value,
      writable: true,
      configurable: true,
      enumerable: before?.enumerable ?? true,
    })
    coversOfFunction.set(cover.value, cover)
    const known = covers.get(object)
    if (known !== undefined) {
      known.push(cover)
      return
    }
    covers.set(object, [cover])
    const ref = new WeakRef(object)
    objects.add(ref)
    collected.register(object, ref)
  }
}

/** Takes a cover off, and with it those beneath it that could not leave before. */
function takeOff(object: object, cover: Cover): void {
  cover.hasLeft = true
  for (;;) {
    const value: unknown = Object.getOwnPropertyDescriptor(object, cover.key)?.value
    const top = typeof value === 'function' ? coversOfFunction.get(value as Method) : undefined
    if (top?.hasLeft !== true) return
    if (top.before === undefined) Reflect.deleteProperty(object, cover.key)
    else Object.defineProperty(object, cover.key, top.before)
  }
}
