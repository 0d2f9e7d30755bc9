/** Carries the type of the target. The property does not exist at run time. */
declare const TYPE: unique symbol

/** A kind of target that faults can be injected into. */
export interface TargetKind<in Target = never> {
  /** What a target must be, for messages: `an object with an emit method`. */
  readonly expects: string
  /** Whether a value is such a target. */
  readonly accepts: (value: unknown) => boolean
  readonly [TYPE]?: (target: Target) => void
}
