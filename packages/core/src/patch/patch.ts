import { printable } from '../basics/text.js'
import { processState } from '../process/process-state.js'
import { BelowLayer, type AnyFunction, type Below, type Layer } from './below.js'
import {
  define,
  findDescriptor,
  heldIn,
  inheritedDescriptor,
  inheritedFunction,
  likeOriginal,
  ownFunction,
  type Slot,
} from './lookup.js'
import { recordOf, type PatchRecord, type Stack } from './record.js'
import { passOnUnwrapping } from './wrapped.js'
import { splice, unsplice } from './splice.js'

/** Which function of a member to patch. */
export interface PatchOptions {
  /** Patch the inherited member even if the object has an own one. Default `false`. */
  readonly inherited?: boolean | undefined
  /** Patch the getter of an accessor instead of a method. Default `false`. */
  readonly getter?: boolean | undefined
  /** Stay above layers that come later: for what observes what a caller sees. Default `false`. */
  readonly outermost?: boolean | undefined
}

/** Removes a layer, at any position of its stack. */
export interface Unpatch {
  /** @returns A message if the member could not be restored. */
  (): string | undefined
  /**
   * Makes the layers above skip this layer, without changing the member yet. When many layers end together, a released call
   * then does not pass through each of them again. Calling the {@link Unpatch} does the rest.
   */
  readonly stepAside: () => void
}

/**
 * Puts a layer over a member. Layers can be removed in any order.
 *
 * An own key never shadows an inherited member: on Node.js 22 and up, defining and deleting one turns the object into a slow
 * dictionary. Instead one object, the splice, is inserted between the target and its prototype. It carries the replacements
 * and is removed with the last of them.
 *
 * @throws ChaosError `CHAOS_TARGET_SEALED` if the member cannot be replaced, `CHAOS_TARGET_MISMATCH` if it is not a function.
 */
export function patch(
  object: object,
  key: PropertyKey,
  makeLayer: (below: Below) => AnyFunction,
  { inherited = false, getter = false, outermost = false }: PatchOptions = {},
): Unpatch {
  const slot: Slot = getter ? 'get' : 'value'
  const records = processState().patches as WeakMap<object, PatchRecord>
  const record = recordOf(object, records)
  const own = !inherited && Object.hasOwn(object, key)

  const original = own ? ownFunction(object, key, slot) : inheritedFunction(object, record.splice, key, slot)
  if (!own && record.splice === undefined) record.splice = splice(object, key)
  const holder = own ? object : (record.splice as object)

  const stacks = own ? record.own : record.inherited
  const onMember = stacks.get(key) ?? []
  const standing = heldIn(Object.getOwnPropertyDescriptor(holder, key), slot)
  let stack = onMember.find(({ visible }) => visible === standing)
  const isNew = stack === undefined
  const bottom = stack?.original ?? (own ? original : undefined)
  const place = outermost ? (stack?.layers.length ?? 0) : placeBelowOutermost(stack?.layers ?? [])
  const below = new BelowLayer(stack?.layers[place - 1], bottom, holder, key, slot)
  const above = stack?.layers[place]
  let fn: AnyFunction
  try {
    fn = likeOriginal(makeLayer(below), original)
    if (above === undefined) define(holder, key, slot, fn, own ? undefined : inheritedDescriptor(holder, key))
  } catch (error) {
    if (!own && record.inherited.size === 0) unsplice(object, record)
    throw error
  }
  const layer: Layer = { fn, left: false, below, outermost }

  stack ??= { slot, original: bottom, layers: [], visible: fn }
  stack.layers.splice(place, 0, layer)
  above?.below.reachFor(layer)
  if (own) passOnUnwrapping(fn, stack)
  if (above === undefined) stack.visible = fn
  if (isNew) onMember.push(stack)
  stacks.set(key, onMember)
  records.set(object, record)

  const ownStack = stack
  let wasLast = false
  const stepAside = (): void => {
    if (layer.left) return
    layer.left = true
    const { layers } = ownStack
    // Ending several injections removes the innermost layer first; ending them one by one mostly removes the topmost.
    const at = layers[0] === layer ? 0 : layers.lastIndexOf(layer)
    layers.splice(at, 1)
    layers[at]?.below.reachFor(layer.below.next)
    below.stepOver(leaveAtLast)
    wasLast = layers.length === 0
  }
  let isRemoved = false
  const clean = (): boolean => {
    const covered = settle(holder, key, onMember, own)
    if (onMember.length === 0 && stacks.get(key) === onMember) stacks.delete(key)
    return covered
  }
  const forget = (): void => {
    if (
      records.get(object) === record &&
      record.splice === undefined &&
      record.own.size === 0 &&
      record.inherited.size === 0
    )
      records.delete(object)
  }
  /** Other code that wrapped the layer, and left after it, has put the layer back: a call is the next chance to take it off. */
  const leaveAtLast = (): void => {
    if (!isRemoved || heldIn(Object.getOwnPropertyDescriptor(object, key), slot) !== fn) return
    if (own) {
      clean()
      forget()
      return
    }
    // It restored by assignment what it had found inherited. An own key stays, as it would have without the fault.
    const found: unknown = heldIn(findDescriptor(Object.getPrototypeOf(object) as object | null, key), slot)
    if (typeof found === 'function' && found !== fn) Reflect.defineProperty(object, key, { [slot]: found })
  }
  const unpatch = (): string | undefined => {
    if (isRemoved) return undefined
    isRemoved = true
    stepAside()
    const covered = clean()
    const isStuck = record.splice !== undefined && record.inherited.size === 0 && !unsplice(object, record)
    forget()
    if (covered && wasLast)
      return `Other code replaced \`${printable(key)}\` while it was patched. Its replacement stays in place. If that calls the fault's layer, the layer passes every call on. If the other code later puts the layer back on the member, the next call of the member, or the next fault on it, removes the layer. Inject after the other code has wrapped the member, or end the fault before it does, to leave nothing.`
    return isStuck
      ? `The target was frozen while \`${printable(key)}\` was patched. An empty object stays between the target and its prototype.`
      : undefined
  }
  return Object.assign(unpatch, { stepAside })
}

/** The place of a new layer: below those that stay outermost, which are the last ones. */
function placeBelowOutermost(layers: readonly Layer[]): number {
  let place = layers.length
  while (place > 0 && layers[place - 1]?.outermost === true) place -= 1
  return place
}

/**
 * Updates a member to match the remaining layers.
 *
 * @returns Whether other code's replacement covers a stack that has no layer left.
 */
function settle(holder: object, key: PropertyKey, stacks: Stack[], own: boolean): boolean {
  for (let index = stacks.length - 1; index >= 0; index -= 1) {
    const stack = stacks[index] as Stack
    const standing = Object.getOwnPropertyDescriptor(holder, key)
    const top = stack.layers.at(-1)
    if (heldIn(standing, stack.slot) !== stack.visible) {
      // Other code covered, deleted or restored the member. Covered: the stack passes calls on until that replacement is gone.
      const isGone = standing === undefined || (own && heldIn(standing, stack.slot) === stack.original)
      if (top === undefined && isGone) stacks.splice(index, 1)
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
