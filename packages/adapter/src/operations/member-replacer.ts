import type { InjectionContext } from '@chaos/core/authoring'

/** A method of any object. */
export type Method = (this: unknown, ...args: unknown[]) => unknown

/** A function that replaces a member of an object. */
interface Replacement {
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
export type ReplaceMember = (
  object: object,
  key: PropertyKey,
  make: (original: unknown, restore: () => void) => Method,
) => void

const replacementOf = new WeakMap<Method, Replacement>()

/**
 * Replaces members of objects that may live shorter than the injection: a response, an iterator, a handler.
 *
 * When the injection ends, the objects that still exist get their own members back. If other code has replaced such a
 * member meanwhile, its function stays, and the fault's function stays beneath it until that one is removed. The
 * fault's function must therefore pass every call through once its injection has ended.
 */
export function memberReplacer(context: InjectionContext): ReplaceMember {
  const replacements = new WeakMap<object, Replacement[]>()
  const objects = new Set<WeakRef<object>>()
  const collected = new FinalizationRegistry<WeakRef<object>>((ref) => objects.delete(ref))
  context.defer(() => {
    for (const ref of objects) {
      const object = ref.deref()
      if (object === undefined) continue
      for (const replacement of replacements.get(object) ?? []) restore(object, replacement)
    }
    objects.clear()
  })
  return (object, key, make) => {
    if (context.signal.aborted) return
    const before = Object.getOwnPropertyDescriptor(object, key)
    const replacement: Replacement = {
      key,
      before,
      hasLeft: false,
      value: make(Reflect.get(object, key), () => restore(object, replacement)),
    }
    Object.defineProperty(object, key, {
      value: replacement.value,
      writable: true,
      configurable: true,
      enumerable: before?.enumerable ?? true,
    })
    replacementOf.set(replacement.value, replacement)
    const known = replacements.get(object)
    if (known !== undefined) {
      known.push(replacement)
      return
    }
    replacements.set(object, [replacement])
    const ref = new WeakRef(object)
    objects.add(ref)
    collected.register(object, ref)
  }
}

/** Removes a replacement, and with it those beneath it that had to stay until now. */
function restore(object: object, replacement: Replacement): void {
  replacement.hasLeft = true
  for (;;) {
    const value: unknown = Object.getOwnPropertyDescriptor(object, replacement.key)?.value
    const top = typeof value === 'function' ? replacementOf.get(value as Method) : undefined
    if (top?.hasLeft !== true) return
    if (top.before === undefined) Reflect.deleteProperty(object, replacement.key)
    else Object.defineProperty(object, replacement.key, top.before)
  }
}
