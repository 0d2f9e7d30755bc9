import { printable } from '../basics/text.js'
import { processState } from '../process/process-state.js'
import { BelowLayer, type AnyFunction, type Below, type Layer } from './below.js'
import {
  define,
  heldIn,
  inheritedDescriptor,
  inheritedFunction,
  likeOriginal,
  ownFunction,
  type Slot,
} from './lookup.js'
import { recordOf, type PatchRecord, type Stack } from './record.js'
import { splice, unsplice } from './splice.js'

/** Which function of a member is covered. */
export interface PatchOptions {
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

  const original = own ? ownFunction(object, key, slot) : inheritedFunction(object, record.splice, key, slot)
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
