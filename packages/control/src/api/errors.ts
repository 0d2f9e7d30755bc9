import { ChaosError, isChaosError, type ChaosErrorCode } from '@chaos/core'
import { printable, readSafely } from '@chaos/core/authoring'

/** What a failed request is answered with. */
export interface ErrorBody {
  readonly error: { readonly code: ChaosErrorCode; readonly message: string }
}

/** The HTTP status of each code that has one of its own. */
const STATUS: Readonly<Partial<Record<string, number>>> = {
  CHAOS_INVALID_OPTION: 400,
  CHAOS_INVALID_REQUEST: 400,
  CHAOS_UNAUTHORIZED: 401,
  CHAOS_FORBIDDEN: 403,
  CHAOS_DISABLED: 403,
  CHAOS_ENVIRONMENT_REFUSED: 403,
  CHAOS_UNKNOWN_TARGET: 404,
  CHAOS_UNKNOWN_FAULT: 404,
  CHAOS_UNKNOWN_INJECTION: 404,
  CHAOS_METHOD_NOT_ALLOWED: 405,
  CHAOS_BODY_TOO_SLOW: 408,
  CHAOS_BODY_TOO_LARGE: 413,
  CHAOS_URL_TOO_LONG: 414,
  CHAOS_UNSUPPORTED_MEDIA_TYPE: 415,
  CHAOS_TOO_MANY_REQUESTS: 429,
  CHAOS_INTERNAL_ERROR: 500,
  CHAOS_ROLLBACK_FAILED: 500,
}

/** The HTTP status that fits an error; 409 where the state of the target is in the way. */
export function statusOf(error: ChaosError): number {
  return STATUS[error.code] ?? 409
}

/** The longest message that is answered, in characters. */
const MAX_MESSAGE = 4_000

/** Anything thrown, as an error that can be answered: what is not ours becomes `CHAOS_INTERNAL_ERROR`. */
export function asChaosError(error: unknown): ChaosError {
  if (isChaosError(error)) return error
  return new ChaosError('CHAOS_INTERNAL_ERROR', `Expected the request to succeed, it failed with ${inWords(error)}.`, {
    cause: error,
  })
}

export function errorBody({ code, message }: ChaosError): ErrorBody {
  return { error: { code, message: printable(message, { max: MAX_MESSAGE, lines: true }) } }
}

/** What a fault threw, with the name of an error. */
const inWords = (error: unknown): string =>
  readSafely(() =>
    printable(error instanceof Error ? `${error.name}: ${error.message}` : error, { max: MAX_MESSAGE, lines: true }),
  )
