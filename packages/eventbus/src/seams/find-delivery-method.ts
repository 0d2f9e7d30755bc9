import { ownersOf } from '@chaos/core/authoring'

/** The member that stands at a seam. */
export interface SeamMember {
  readonly object: object
  /** Whether it is what `object` inherits, although it has a member of its own. */
  readonly inherited: boolean
  /** Whether other buses pass here too, so that `this` must be looked at. */
  readonly shared: boolean
}

/**
 * Finds the method by which a bus in this process delivers.
 *
 * A class that overrides it and publishes through `super` is broken beneath its override, so that its own metrics see what its listeners
 * feel. That place is the class's, hence shared. One that was assigned to the instance itself is covered where it stands: what it
 * captured cannot be known.
 */
export function findDeliveryMethod(bus: object, method: PropertyKey): SeamMember {
  const here: SeamMember = { object: bus, inherited: false, shared: false }
  if (Object.hasOwn(bus, method)) return here
  // The last owner is the bus class itself; the one before it is the override nearest to it.
  const override = ownersOf(bus, method).at(-2)
  return override === undefined ? here : { object: override, inherited: true, shared: true }
}
