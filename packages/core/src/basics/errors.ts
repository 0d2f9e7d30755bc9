import { redactedText } from './redact.js'
import { printable } from './text.js'

/** The code of a {@link ChaosError}. Codes are API; each has a page under `docs/errors`. */
export type ChaosErrorCode = `CHAOS_${string}`

const BRAND = Symbol.for('@chaos/core.ChaosError')

/** What an error says about one option, as data. Each text has at most 1,000 characters, with control characters escaped. */
export interface ErrorDetails {
  /** Whose option it is: a fault such as `eventbus/delay-events`, or `inject` for the target, the lease and the blast radius. */
  readonly of: string
  /** The option, as a JSON pointer (RFC 6901) from the options on: `/delayMs`, `/only/3`. Empty for the options as a whole. */
  readonly field: string
  /** What was expected there: `a number of ms from 0 to 2147483647`. */
  readonly expected?: string | undefined
}

/** The most characters in a detail. */
const MAX_DETAIL = 1_000
/** The most characters in a message. */
const MAX_MESSAGE = 16_384

/**
 * An error of Chaos Harness itself, as opposed to an injected one. The code is API. The message is help text of at most
 * 16,384 characters, with control characters escaped and without what looks like a credential.
 *
 * Test for it with {@link isChaosError}, not with `instanceof`: one process may load two copies of core.
 */
export class ChaosError extends Error {
  override readonly name = 'ChaosError'
  readonly code: ChaosErrorCode
  /** The failures that this error reports together, for example those of a rollback. Empty if there is only this one. */
  readonly errors: readonly unknown[]
  /** Which option the error is about, and what was expected of it. `undefined` if it is not about one option. */
  readonly details: ErrorDetails | undefined

  constructor(
    code: ChaosErrorCode,
    message: string,
    options: {
      readonly cause?: unknown
      readonly errors?: readonly unknown[]
      readonly details?: ErrorDetails | undefined
    } = {},
  ) {
    super(
      redactedText(printable(message, { max: MAX_MESSAGE, lines: true })),
      'cause' in options ? { cause: options.cause } : undefined,
    )
    this.code = code
    this.errors = options.errors ?? []
    this.details = options.details === undefined ? undefined : boundedDetails(options.details)
    Object.defineProperty(this, BRAND, { value: true })
  }
}

function boundedDetails({ of, field, expected }: ErrorDetails): ErrorDetails {
  const bounded = (text: string): string => printable(text, { max: MAX_DETAIL })
  return Object.freeze({
    of: bounded(of),
    field: bounded(field),
    ...(expected === undefined ? {} : { expected: bounded(expected) }),
  })
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
