/** Carries the type of a target; there is no such property. */
declare const TYPE: unique symbol

/** A kind of target that faults can be injected into: what it is in words, and how one is told from other values. */
export interface TargetKind<in Target = never> {
  /** What a target must be, as a message says it: `an object with an emit method`. */
  readonly expects: string
  /** Whether a value is such a target. */
  readonly accepts: (value: unknown) => boolean
  readonly [TYPE]?: (target: Target) => void
}
