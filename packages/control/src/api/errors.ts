import { ChaosError, isChaosError, type ChaosErrorCode } from '@chaos/core'
import { printable, readSafely } from '@chaos/core/authoring'
import { ERROR_CODES, errorInfo } from './error-table.js'

/** The body of an error response: a problem (RFC 9457), with the code and the message of the error. */
export interface Problem {
  /** The address of the page about the code; `about:blank` for a code of another package. */
  readonly type: string
  /** The code in words. */
  readonly title: string
  /** The HTTP status. */
  readonly status: number
  /** The message of the error. */
  readonly detail: string
  /** What the error is about: a JSON pointer into the body, or the name of a query parameter. */
  readonly field?: string
  /** What was expected there. */
  readonly expected?: string
  /** The next step. */
  readonly hint?: string
  readonly error: { readonly code: ChaosErrorCode; readonly message: string }
}

/** The media type of a problem. */
export const PROBLEM_TYPE = 'application/problem+json'

/** The longest message in a response, in characters. */
const MAX_MESSAGE = 4_000
/** The pages about the codes. */
const PAGES = 'https://github.com/chaos-harness/chaos-harness/blob/main/docs/errors'

/** Converts any thrown value to a ChaosError. An error of a fault or the app becomes `CHAOS_INTERNAL_ERROR`. */
export function asChaosError(error: unknown): ChaosError {
  if (isChaosError(error)) return error
  return new ChaosError('CHAOS_INTERNAL_ERROR', `The request failed: ${inWords(error)}.`, {
    cause: error,
  })
}

/**
 * The body of an error response.
 *
 * @param fieldOf Says where in the request the option is that the error is about; `undefined` if it is not in there.
 */
export function problemOf(
  error: ChaosError,
  fieldOf: (details: NonNullable<ChaosError['details']>) => string | undefined = () => undefined,
): Problem {
  const { code } = error
  const message = printable(error.message, { max: MAX_MESSAGE, lines: true })
  const { status, advice } = errorInfo(code)
  const details = error.details
  const field = details === undefined ? undefined : fieldOf(details)
  return {
    type: ERROR_CODES.includes(code) ? `${PAGES}/${code}.md` : 'about:blank',
    title: titleOf(code),
    status,
    detail: message,
    ...(field === undefined ? {} : { field }),
    ...(field === undefined || details?.expected === undefined ? {} : { expected: details.expected }),
    ...(advice === undefined ? {} : { hint: advice }),
    error: { code, message },
  }
}

/** `Unknown target` for `CHAOS_UNKNOWN_TARGET`. */
function titleOf(code: ChaosErrorCode): string {
  const words = printable(code.slice('CHAOS_'.length)).toLowerCase().replaceAll('_', ' ')
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`
}

/** Describes a thrown value: the name and message of an error. */
const inWords = (error: unknown): string =>
  readSafely(() =>
    printable(error instanceof Error ? `${error.name}: ${error.message}` : error, { max: MAX_MESSAGE, lines: true }),
  )
