import { ChaosError, isChaosError, type ChaosErrorCode } from '@chaos/core'
import { printable, readSafely } from '@chaos/core/authoring'

/** What a failed request is answered with. */
export interface ErrorBody {
  readonly error: { readonly code: ChaosErrorCode; readonly message: string }
}

/** The longest message that is answered, in characters. */
const MAX_MESSAGE = 4_000

/** Anything thrown, as an error that can be answered. An error of a fault or an app becomes `CHAOS_INTERNAL_ERROR`. */
export function asChaosError(error: unknown): ChaosError {
  if (isChaosError(error)) return error
  return new ChaosError('CHAOS_INTERNAL_ERROR', `The request failed: ${inWords(error)}.`, {
    cause: error,
  })
}

export function errorBody({ code, message }: ChaosError): ErrorBody {
  return { error: { code, message: printable(message, { max: MAX_MESSAGE, lines: true }) } }
}

/** A thrown value in words: the name and message of an error. */
const inWords = (error: unknown): string =>
  readSafely(() =>
    printable(error instanceof Error ? `${error.name}: ${error.message}` : error, { max: MAX_MESSAGE, lines: true }),
  )
