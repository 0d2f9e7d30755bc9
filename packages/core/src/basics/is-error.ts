import { types } from 'node:util'

/** Whether a value is an error of this or another realm (a `vm` context, the sandbox of a test runner). Never throws. */
export function isError(value: unknown): value is Error {
  if (types.isNativeError(value)) return true
  try {
    return value instanceof Error
  } catch {
    // A revoked proxy has no prototype to ask for.
    return false
  }
}
