import { ChaosError } from '../basics/errors.js'
import { readSafely } from '../basics/text.js'
import { shown } from './data.js'

/** Carries the type of the target. The property does not exist at run time. */
declare const TYPE: unique symbol

/** A kind of target that faults can be injected into. */
export interface TargetKind<in Target = never> {
  /** What a target must be, for messages: `an object with an emit method`. */
  readonly expects: string
  /** Whether a value is such a target. */
  readonly accepts: (value: unknown) => boolean
  /** What a value is that is no such target, for messages: `a UDP proxy`. `undefined`: something else. */
  readonly describe?: ((value: unknown) => string | undefined) | undefined
  readonly [TYPE]?: (target: Target) => void
}

/** Says that something must be a target of a kind, and what it is. @param of `the target of proxy/delay-data`. */
export function mismatch(of: string, { expects, describe }: TargetKind, value: unknown): ChaosError {
  const got = readSafely(() => describe?.(value)) ?? shown(value)
  return new ChaosError('CHAOS_TARGET_MISMATCH', `Expected ${of} to be ${expects}, got ${got}.`)
}
