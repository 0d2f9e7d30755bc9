import { ownersOf } from '@chaos/core/authoring'

/** The method at a seam. */
export interface SeamMember {
  readonly object: object
  /** Whether the seam is the method that `object` inherits, below its own. */
  readonly inherited: boolean
  /** Whether other buses share the method, so that the binding must check `this`. */
  readonly shared: boolean
}

/**
 * Finds the method by which a bus in this process delivers.
 *
 * If a class overrides the method and calls `super`, the fault acts below the override: publishing is counted as usual, and
 * only delivery breaks. Other instances share that place. A method that was assigned to the instance is covered itself,
 * because the method that it wraps is unknown.
 */
export function findDeliveryMethod(bus: object, method: PropertyKey): SeamMember {
  const here: SeamMember = { object: bus, inherited: false, shared: false }
  if (Object.hasOwn(bus, method)) return here
  // The last owner is the original bus class; the owner before it is the nearest override.
  const override = ownersOf(bus, method).at(-2)
  return override === undefined ? here : { object: override, inherited: true, shared: true }
}
