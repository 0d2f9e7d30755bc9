import { printable } from './text.js'

/** The code of a {@link ChaosError}. Codes are API; each has a page under `docs/errors`. */
export type ChaosErrorCode = `CHAOS_${string}`

const BRAND = Symbol.for('@chaos/core.ChaosError')

/** The most characters in a message. */
const MAX_MESSAGE = 16_384

/**
 * An error of Chaos Harness itself, as opposed to an injected one. The code is API. The message is help text of at most
 * 16,384 characters, with control characters escaped.
 *
 * Test for it with {@link isChaosError}, not with `instanceof`: one process may load two copies of core.
 */
export class ChaosError extends Error {
  override readonly name = 'ChaosError'
  readonly code: ChaosErrorCode
  /** The failures that this error reports together, for example those of a rollback. Empty if there is only this one. */
  readonly errors: readonly unknown[]

  constructor(
    code: ChaosErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly errors?: readonly unknown[] } = {},
  ) {
    super(
      printable(message, { max: MAX_MESSAGE, lines: true }),
      'cause' in options ? { cause: options.cause } : undefined,
    )
    this.code = code
    this.errors = options.errors ?? []
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/** Whether a value is a {@link ChaosError} of this or another copy of core, optionally with a given code. */
export function isChaosError(value: unknown, code?: ChaosErrorCode): value is ChaosError {
  try {
    if (typeof value !== 'object' || value === null || !(BRAND in value)) return false
    return code === undefined || ('code' in value && value.code === code)
  } catch {
    // A revoked proxy throws on `in`. The value may be anything that an application has thrown.
    return false
  }
}
