import { types } from 'node:util'

/** Whether a value is an error of this or another realm (a `vm` context, the sandbox of a test runner). Throws for a revoked proxy, as `instanceof` does. */
export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error
}
