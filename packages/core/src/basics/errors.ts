import { printable } from './text.js'

/** A code of this toolkit's own errors. Codes are API: each has a page under `docs/errors`. */
export type ChaosErrorCode = `CHAOS_${string}`

const BRAND = Symbol.for('@chaos/core.ChaosError')

/** Characters of a message: more is no help to anyone. */
const MAX_MESSAGE = 16_384

/**
 * What this toolkit itself throws. The code is API, the message is help: at most 16,384 characters, none of which a terminal obeys.
 *
 * Tell one apart with {@link isChaosError}, never with `instanceof`: two copies of core may live in one process.
 */
export class ChaosError extends Error {
  override readonly name = 'ChaosError'
  readonly code: ChaosErrorCode
  /** Several failures reported together, for example by a rollback. Empty otherwise. */
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

/** Whether a value is a {@link ChaosError} of this or any other copy of core, optionally with a certain code. */
export function isChaosError(value: unknown, code?: ChaosErrorCode): value is ChaosError {
  try {
    if (typeof value !== 'object' || value === null || !(BRAND in value)) return false
    return code === undefined || ('code' in value && value.code === code)
  } catch {
    // A proxy that was revoked: what is asked about was mostly thrown by somebody else.
    return false
  }
}
