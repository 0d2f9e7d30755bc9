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

/** The most errors to look at in one question. A `cause` may lead back to its error. */
const MAX_LOOKED_AT = 32

/**
 * Returns the name of the fault that made an error, or `undefined` for a real error. An error that wraps an injected one, as
 * its `cause` or among its `errors` (`fetch failed`, an `AggregateError`), counts as injected. Errors of other realms (a `vm`
 * context, the sandbox of a test runner) are recognized too. Never throws.
 */
export function injectedBy(error: unknown): string | undefined {
  const { injectedErrors } = processState()
  const queue: unknown[] = [error]
  for (let index = 0; index < queue.length && index < MAX_LOOKED_AT; index += 1) {
    const one = queue[index]
    if (typeof one !== 'object' || one === null) continue
    const fault = injectedErrors.get(one)
    if (fault !== undefined) return fault
    queue.push(...wrappedBy(one))
  }
  return undefined
}

/** The errors that an error wraps. A getter of the application may throw. */
function wrappedBy(error: object): readonly unknown[] {
  try {
    const { cause, errors } = error as { readonly cause?: unknown; readonly errors?: unknown }
    return [cause, ...(Array.isArray(errors) ? (errors.slice(0, MAX_LOOKED_AT) as unknown[]) : [])]
  } catch {
    return []
  }
}
