import type { InjectionContext } from '@chaos/core/authoring'

/** A method of any object. */
export type Method = (this: unknown, ...args: unknown[]) => unknown

/** A function that replaces a member of an object. */
interface Cover {
  readonly key: PropertyKey
  readonly value: Method
  readonly before: PropertyDescriptor | undefined
  hasLeft: boolean
}

/**
 * Replaces a member of an object.
 *
 * @param make Makes the function from the present member. It also gets a function that restores the member early.
 */
export type LayOver = (
  object: object,
  key: PropertyKey,
  make: (original: unknown, takeOff: () => void) => Method,
) => void

const coversOfFunction = new WeakMap<Method, Cover>()

/**
 * Replaces members of objects that may live shorter than the injection: a response, an iterator, a handler.
 *
 * When the injection ends, the objects that still exist get their own members back. If other code has replaced such a
 * member meanwhile, its function stays, and the fault's function stays beneath it until that one is removed. The
 * fault's function must therefore pass every call through once its injection has ended.
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

/** Removes a replacement, and with it those beneath it that had to stay until now. */
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
