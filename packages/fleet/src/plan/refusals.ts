import { ChaosError } from '@chaos/core'

/** The error for a plan that must not run: not valid, not signed, or not for this process. */
export function planRefused(why: string, cause?: unknown): ChaosError {
  return new ChaosError('CHAOS_FLEET_PLAN_REFUSED', `The plan is refused. ${why}`, causedBy(cause))
}

/** The error for a run that does not begin. Nothing has been affected. */
export function runRefused(message: string, cause?: unknown): ChaosError {
  return new ChaosError('CHAOS_FLEET_RUN_REFUSED', message, causedBy(cause))
}

/** The error for a key file that cannot be used. */
export function keyRefused(message: string, cause?: unknown): ChaosError {
  return new ChaosError('CHAOS_FLEET_KEY_REFUSED', message, causedBy(cause))
}

const causedBy = (cause: unknown): { readonly cause?: unknown } => (cause === undefined ? {} : { cause })
