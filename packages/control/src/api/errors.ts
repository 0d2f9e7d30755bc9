import { ChaosError, isChaosError, type ChaosErrorCode } from '@chaos/core'
import { printable, readSafely } from '@chaos/core/authoring'

/** The body of an error response. */
export interface ErrorBody {
  readonly error: { readonly code: ChaosErrorCode; readonly message: string }
}

/** The longest message in a response, in characters. */
const MAX_MESSAGE = 4_000

/** Converts any thrown value to a ChaosError. An error of a fault or the app becomes `CHAOS_INTERNAL_ERROR`. */
export function asChaosError(error: unknown): ChaosError {
  if (isChaosError(error)) return error
  return new ChaosError('CHAOS_INTERNAL_ERROR', `The request failed: ${inWords(error)}.`, {
    cause: error,
  })
}

export function errorBody({ code, message }: ChaosError): ErrorBody {
  return { error: { code, message: printable(message, { max: MAX_MESSAGE, lines: true }) } }
}

/** Describes a thrown value: the name and message of an error. */
const inWords = (error: unknown): string =>
  readSafely(() =>
    printable(error instanceof Error ? `${error.name}: ${error.message}` : error, { max: MAX_MESSAGE, lines: true }),
  )
