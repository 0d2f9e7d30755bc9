import { ChaosError } from '../basics/errors.js'
import type { AnyFunction, Below } from '../fault/fault.js'
import { processState } from '../process/process-state.js'
import { printable } from '../basics/text.js'

/** One replacement over a member. What left stays as a link for whoever still holds its function, and is stepped over by everyone else. */
interface Layer {
  readonly fn: AnyFunction
  left: boolean
  readonly below: BelowLayer
}

/** Where the function of a member is: it is the value, or the getter of an accessor. */
type Slot = 'value' | 'get'

/** The layers over one value of a member. A member has more than one stack when someone else patched in between. */
interface Stack {
  readonly slot: Slot
  /** What the member held before: the value of an own member; for an inherited one it is looked up when it is called. */
  readonly original: AnyFunction | undefined
  /** Bottom first. */
  readonly layers: Layer[]
  /** Our function that stands on the member, as long as nobody replaced it. */
  visible: AnyFunction
}

/** What is patched on one object. */
interface PatchRecord {
  /** Stands between the object and its prototype and holds the replacements of inherited members. */
  splice: object | undefined
  readonly own: Map<PropertyKey, Stack[]>
  readonly inherited: Map<PropertyKey, Stack[]>
}

/** Which function of a member is covered. */
interface PatchOptions {
  /** Cover the member that the object inherits even if it has an own one. Default `false`. */
  readonly inherited?: boolean | undefined
  /** Cover the getter of an accessor instead of a method. Default `false`. */
  readonly getter?: boolean | undefined
}

/** Takes a layer out again, from wherever in the stack it is. */
export interface Unpatch {
  /** @returns What could not be put back, in words. */
  (): string | undefined
  /**
   * Takes the layer off the path of whatever lies over it, and leaves the member as it is: calls that pass many layers which end together pass
   * none of them twice. What is left to do, the unpatching does.
   */
  readonly stepAside: () => void
}

/**
 * Lays a function over a member, so that it can leave again in any order with others.
 *
 * An inherited member is never shadowed by an own key (defining and deleting one turns the object into a slow dictionary on
 * Node.js 22 and up): one object spliced in between the target and its prototype carries the replacements, and goes with the last of them.
 *
 * @throws ChaosError `CHAOS_TARGET_SEALED`, `CHAOS_TARGET_MISMATCH`
 */
export function patch(
  object: object,
  key: PropertyKey,
  makeLayer: (below: Below) => AnyFunction,
  { inherited = false, getter = false }: PatchOptions = {},
): Unpatch {
  const slot: Slot = getter ? 'get' : 'value'
  const records = processState().patches as WeakMap<object, PatchRecord>
  const record = recordOf(object, records)
  const own = !inherited && Object.hasOwn(object, key)

  const original = own ? ownFunction(object, key, slot) : inheritedFunction(object, record, key, slot)
  if (!own && record.splice === undefined) record.splice = splice(object, key)
  const holder = own ? object : (record.splice as object)

  const stacks = own ? record.own : record.inherited
  const onMember = stacks.get(key) ?? []
  const standing = heldIn(Object.getOwnPropertyDescriptor(holder, key), slot)
  let stack = onMember.find(({ visible }) => visible === standing)
  const isNew = stack === undefined
  const bottom = stack?.original ?? (own ? original : undefined)
  const below = new BelowLayer(stack?.layers.at(-1), bottom, holder, key, slot)
  let fn: AnyFunction
  try {
    fn = likeOriginal(makeLayer(below), original)
    define(holder, key, slot, fn, own ? undefined : inheritedDescriptor(holder, key))
  } catch (error) {
    if (!own && record.inherited.size === 0) unsplice(object, record)
    throw error
  }
  const layer: Layer = { fn, left: false, below }

  stack ??= { slot, original: bottom, layers: [], visible: fn }
  stack.layers.push(layer)
  stack.visible = fn
  if (isNew) onMember.push(stack)
  stacks.set(key, onMember)
  records.set(object, record)

  const takenFrom = stack
  let wasLast = false
  const stepAside = (): void => {
    if (layer.left) return
    layer.left = true
    const { layers } = takenFrom
    // Whatever ends several injections takes the innermost off the path first, and what ends one by one the topmost.
    const at = layers[0] === layer ? 0 : layers.lastIndexOf(layer)
    layers.splice(at, 1)
    layers[at]?.below.reachFor(layer.below.next)
    below.stepOver()
    wasLast = layers.length === 0
  }
  let isOut = false
  const unpatch = (): string | undefined => {
    if (isOut) return undefined
    isOut = true
    stepAside()
    const covered = settle(holder, key, onMember, own)
    if (onMember.length === 0 && stacks.get(key) === onMember) stacks.delete(key)
    const isStuck = record.splice !== undefined && record.inherited.size === 0 && !unsplice(object, record)
    if (
      records.get(object) === record &&
      record.splice === undefined &&
      record.own.size === 0 &&
      record.inherited.size === 0
    )
      records.delete(object)
    if (covered && wasLast)
      return `Someone else replaced \`${printable(key)}\` while it was patched. Theirs was left in place; ours lets every call through.`
    return isStuck
      ? `The target was frozen while \`${printable(key)}\` was patched. An empty object of ours stays between it and its prototype.`
      : undefined
  }
  return Object.assign(unpatch, { stepAside })
}

/** What is patched on an object. What lies on a prototype that the app has swapped for another one since is a record of its own. */
function recordOf(object: object, records: WeakMap<object, PatchRecord>): PatchRecord {
  const known = records.get(object)
  if (known === undefined) return { splice: undefined, own: new Map(), inherited: new Map() }
  const isOffThePath = known.splice !== undefined && !Object.prototype.isPrototypeOf.call(known.splice, object)
  return isOffThePath ? { splice: undefined, own: known.own, inherited: new Map() } : known
}

/**
 * The objects of a prototype chain that have a member of their own by this name, nearest first, as if nothing were patched.
 * A binding finds the override beneath which to break with it.
 */
export function ownersOf(object: object, key: PropertyKey): object[] {
  const { splices } = processState()
  const owners: object[] = []
  for (let holder: object | null = object; holder !== null; holder = Object.getPrototypeOf(holder) as object | null) {
    if (Object.hasOwn(holder, key) && !splices.has(holder)) owners.push(holder)
  }
  return owners
}

/** What `object[key]` would be if nothing were patched. */
export function originalOf(object: object, key: PropertyKey): unknown {
  const [owner] = ownersOf(object, key)
  if (owner === undefined) return undefined
  const record = processState().patches.get(owner) as PatchRecord | undefined
  return record?.own.get(key)?.[0]?.original ?? Reflect.get(owner, key, object)
}

/** An object as its members are looked up. */
type Members = Readonly<Record<PropertyKey, AnyFunction>>

/**
 * Reaches the next layer that has not left, else what the member held before the first one.
 *
 * Every call of a patched member passes `call`. It is small enough (27 bytes of bytecode) for V8 to inline it early, and its fields are
 * plain ones, because V8 folds loads of those, and not of `#private` ones, into the caller. So what changes rarely is settled when it changes.
 */
class BelowLayer implements Below {
  next: Layer | undefined
  /** What `call` is, where it is the same from call to call. */
  direct: AnyFunction | undefined
  /** Else whose member it is: an inherited one is looked up each time, since its class may be patched, and restored, meanwhile. */
  under: Members
  key: PropertyKey
  readonly bottom: AnyFunction | undefined

  constructor(next: Layer | undefined, bottom: AnyFunction | undefined, holder: object, key: PropertyKey, slot: Slot) {
    this.next = next
    this.direct = next?.fn ?? bottom
    const prototype = Object.getPrototypeOf(holder) as Members
    this.under =
      slot === 'value'
        ? prototype
        : Object.defineProperty({}, key, { get: () => heldIn(findDescriptor(prototype, key), slot) })
    this.key = key
    this.bottom = bottom
  }

  get call(): AnyFunction {
    return this.direct ?? (this.under[this.key] as AnyFunction)
  }

  /** The layer beneath has left. */
  reachFor(next: Layer | undefined): void {
    this.next = next
    this.direct = next?.fn ?? this.bottom
  }

  /** Nobody tells a layer that has left what leaves beneath it: from now on it looks by itself. */
  stepOver(): void {
    this.direct = undefined
    this.under = new Search(this.next, this.bottom, this.under, this.key) as object as Members
    this.key = FOUND
  }
}

const FOUND = Symbol('found')

/** Where a layer that has left looks: the next one that has not left, else what the member held before. */
class Search {
  constructor(
    private next: Layer | undefined,
    private readonly bottom: AnyFunction | undefined,
    private readonly under: Members,
    private readonly key: PropertyKey,
  ) {}

  get [FOUND](): AnyFunction {
    while (this.next?.left === true) this.next = this.next.below.next
    return this.next?.fn ?? this.bottom ?? (this.under[this.key] as AnyFunction)
  }
}

/**
 * Brings what stands on a member in line with the layers that are left.
 *
 * @returns Whether somebody else's function stands over a stack of ours that has no layer left.
 */
function settle(holder: object, key: PropertyKey, stacks: Stack[], own: boolean): boolean {
  for (let index = stacks.length - 1; index >= 0; index -= 1) {
    const stack = stacks[index] as Stack
    const standing = Object.getOwnPropertyDescriptor(holder, key)
    const top = stack.layers.at(-1)
    if (heldIn(standing, stack.slot) !== stack.visible) {
      // Covered or removed by someone else. Covered: ours stays as a pass-through until theirs leaves. Removed: nothing to put back.
      if (top === undefined && standing === undefined) stacks.splice(index, 1)
      continue
    }
    if (top !== undefined) {
      if (top.fn !== stack.visible) define(holder, key, stack.slot, top.fn)
      stack.visible = top.fn
      continue
    }
    if (own) define(holder, key, stack.slot, stack.original as AnyFunction)
    else Reflect.deleteProperty(holder, key)
    stacks.splice(index, 1)
  }
  return stacks.some(({ layers }) => layers.length === 0)
}

function ownFunction(object: object, key: PropertyKey, slot: Slot): AnyFunction {
  const descriptor = Object.getOwnPropertyDescriptor(object, key) as PropertyDescriptor
  const value = functionOf(descriptor, key, slot)
  if (descriptor.configurable !== true && descriptor.writable !== true) {
    throw new ChaosError(
      'CHAOS_TARGET_SEALED',
      `Expected \`${printable(key)}\` to be replaceable, got a member that is neither writable nor configurable. Inject into the object before it is frozen, or into its class.`,
    )
  }
  return value
}

function inheritedFunction(object: object, record: PatchRecord, key: PropertyKey, slot: Slot): AnyFunction {
  if (record.splice === undefined && !Object.isExtensible(object)) {
    throw new ChaosError(
      'CHAOS_TARGET_SEALED',
      `Expected an object whose inherited \`${printable(key)}\` can be covered, got one that is sealed, frozen or not extensible. Inject into its class's prototype instead.`,
    )
  }
  return functionOf(findDescriptor(Object.getPrototypeOf(record.splice ?? object) as object | null, key), key, slot)
}

function functionOf(descriptor: PropertyDescriptor | undefined, key: PropertyKey, slot: Slot): AnyFunction {
  const value = heldIn(descriptor, slot)
  if (typeof value === 'function') return value
  const found =
    descriptor === undefined
      ? 'nothing'
      : 'value' in descriptor
        ? typeof descriptor.value
        : heldIn(descriptor, 'get') === undefined
          ? 'an accessor without a getter'
          : 'an accessor'
  throw new ChaosError(
    'CHAOS_TARGET_MISMATCH',
    `Expected \`${printable(key)}\` to be ${slot === 'get' ? 'an accessor with a getter' : 'a method of the target'}, got ${found}.`,
  )
}

function heldIn(descriptor: PropertyDescriptor | undefined, slot: Slot | 'set'): unknown {
  return descriptor === undefined ? undefined : Reflect.get(descriptor, slot)
}

function findDescriptor(object: object | null, key: PropertyKey): PropertyDescriptor | undefined {
  for (let holder = object; holder !== null; holder = Object.getPrototypeOf(holder) as object | null) {
    const descriptor = Object.getOwnPropertyDescriptor(holder, key)
    if (descriptor !== undefined) return descriptor
  }
  return undefined
}

function inheritedDescriptor(splice: object, key: PropertyKey): PropertyDescriptor | undefined {
  return Object.hasOwn(splice, key) ? undefined : findDescriptor(Object.getPrototypeOf(splice) as object | null, key)
}

/** Puts a function on a member; a new one gets the attributes of `like`, an existing one keeps its own. */
function define(holder: object, key: PropertyKey, slot: Slot, fn: AnyFunction, like?: PropertyDescriptor): void {
  const attributes =
    like === undefined
      ? {}
      : {
          configurable: true,
          enumerable: like.enumerable === true,
          ...(slot === 'get' ? { set: heldIn(like, 'set') } : { writable: true }),
        }
  if (Reflect.defineProperty(holder, key, { ...attributes, [slot]: fn })) return
  throw new ChaosError(
    'CHAOS_TARGET_SEALED',
    `Expected \`${printable(key)}\` to be replaceable, got a member that cannot be: it was frozen meanwhile, or belongs to a module's namespace (\`import * as\`). Inject into the module's default export, or into an object of your own.`,
  )
}

function splice(object: object, key: PropertyKey): object {
  const prototype = Object.getPrototypeOf(object) as object | null
  const between =
    typeof object === 'function' && typeof prototype === 'function'
      ? constructible(prototype)
      : (Object.create(prototype) as object)
  if (!Reflect.setPrototypeOf(object, between)) {
    throw new ChaosError(
      'CHAOS_TARGET_SEALED',
      `Expected an object whose inherited \`${printable(key)}\` can be covered, got one with a fixed prototype.`,
    )
  }
  processState().splices.add(between)
  return between
}

/** A splice for a class: the prototype of a derived class is what its `super()` constructs. */
function constructible(base: AnyFunction): object {
  const between = Function.prototype.bind.call(base, undefined) as AnyFunction
  for (const key of Reflect.ownKeys(between)) Reflect.deleteProperty(between, key)
  return Object.setPrototypeOf(between, base) as object
}

/**
 * Takes the splice out of the prototype chain, unless somebody put members of theirs on it.
 *
 * @returns Whether it could: a target that was frozen meanwhile keeps its prototype.
 */
function unsplice(object: object, record: PatchRecord): boolean {
  const between = record.splice as object
  if (Reflect.ownKeys(between).length > 0) return true
  for (let holder: object | null = object; holder !== null; holder = Object.getPrototypeOf(holder) as object | null) {
    if (Object.getPrototypeOf(holder) !== between) continue
    if (!Reflect.setPrototypeOf(holder, Object.getPrototypeOf(between) as object | null)) return false
    break
  }
  record.splice = undefined
  return true
}

/** Makes a replacement look like what it covers: name, arity and own keys such as `util.promisify.custom`. */
function likeOriginal(fn: AnyFunction, original: AnyFunction): AnyFunction {
  for (const key of Reflect.ownKeys(original)) {
    const existing = Object.getOwnPropertyDescriptor(fn, key)
    if (existing === undefined || existing.configurable === true) {
      Object.defineProperty(fn, key, Object.getOwnPropertyDescriptor(original, key) as PropertyDescriptor)
    } else if (existing.writable === true) {
      Reflect.set(fn, key, Reflect.get(original, key))
    }
  }
  return fn
}
