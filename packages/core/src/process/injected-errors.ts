import { processState } from './process-state.js'

/**
 * Marks an error as injected. The mark is invisible: the error itself does not change.
 *
 * @param faultName The name of the fault that made the error, for {@link injectedBy}.
 * @returns The same error.
 */
export function markInjected<E extends object>(error: E, faultName: string): E {
  processState().injectedErrors.set(error, faultName)
  return error
}

/** Returns the name of the fault that made an error, or `undefined` for a real error. */
export function injectedBy(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null ? processState().injectedErrors.get(error) : undefined
}
