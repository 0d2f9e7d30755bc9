import { processState } from './process-state.js'

/**
 * Marks an error as injected, without changing anything that can be seen on it.
 *
 * @param faultName Name of the fault that made it, for {@link injectedBy}.
 * @returns The same error.
 */
export function markInjected<E extends object>(error: E, faultName: string): E {
  processState().injectedErrors.set(error, faultName)
  return error
}

/** The name of the fault that made this error, or `undefined` for a real one. */
export function injectedBy(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null ? processState().injectedErrors.get(error) : undefined
}
