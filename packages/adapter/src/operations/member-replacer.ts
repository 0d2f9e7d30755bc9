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
  let replaced: ReplacedMembers | undefined
  context.defer(() => replaced?.restore())
  return (object, key, make) => {
    if (context.signal.aborted) return
    // Made when it is first needed: few injections replace members, and a registry is costly.
    replaced ??= new ReplacedMembers()
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
    replaced.add(object, replacement)
  }
}

/** The replacements of one injection, by object. Forgets objects that are gone. */
class ReplacedMembers {
  readonly #replacements = new WeakMap<object, Replacement[]>()
  readonly #objects = new Set<WeakRef<object>>()
  readonly #collected = new FinalizationRegistry<WeakRef<object>>((ref) => this.#objects.delete(ref))

  add(object: object, replacement: Replacement): void {
    const known = this.#replacements.get(object)
    if (known !== undefined) {
      known.push(replacement)
      return
    }
    this.#replacements.set(object, [replacement])
    const ref = new WeakRef(object)
    this.#objects.add(ref)
    this.#collected.register(object, ref)
  }

  restore(): void {
    for (const ref of this.#objects) {
      const object = ref.deref()
      if (object === undefined) continue
      for (const replacement of this.#replacements.get(object) ?? []) restore(object, replacement)
    }
    this.#objects.clear()
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
