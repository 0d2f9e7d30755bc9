import { isError } from './is-error.js'

/** The longest operation name that is matched, journalled or counted separately, in UTF-16 code units. */
export const MAX_NAME_LENGTH = 1_024

/** The most characters of a name or value in a message. */
const MAX_SHOWN = 200

/** Characters that move the cursor, or colour, hide or reorder text: control and format characters, line separators, lone surrogates. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
/** The same without line feeds and tabs. */
const UNPRINTABLE_IN_LINES = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/**
 * Makes untrusted text safe for a terminal, a log or a report. Cuts it to a length and writes control and format
 * characters (escape sequences, direction marks) as `\u001b`. An object becomes `an object`.
 *
 * @param options.max The most characters to keep. A longer text ends in `…`. Default 200.
 * @param options.lines Whether to keep line feeds and tabs. Default `false`.
 */
export function printable(
  text: unknown,
  { max = MAX_SHOWN, lines = false }: { readonly max?: number; readonly lines?: boolean } = {},
): string {
  const whole = typeof text === 'object' && text !== null ? 'an object' : String(text)
  const cut = whole.length > max ? `${whole.slice(0, max)}…` : whole
  return cut.replace(lines ? UNPRINTABLE_IN_LINES : UNPRINTABLE, escaped)
}

/** The characters of {@link UNPRINTABLE} that `JSON.stringify` does not escape. */
const UNPRINTABLE_IN_JSON = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu

/** Escapes control and format characters in JSON, so that a terminal can show it. The parsed value stays the same. */
export function printableJson(json: string): string {
  return json.replace(UNPRINTABLE_IN_JSON, escaped)
}

/** Writes a character as a `\uXXXX` escape. */
function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}

/**
 * Reads a value that may throw when it is read, such as an error that an application threw.
 *
 * @returns The result of `read`, or `an unreadable value` if `read` throws: a revoked proxy, an object whose getter throws.
 */
export function readSafely<T>(read: () => T): T | 'an unreadable value' {
  try {
    return read()
  } catch {
    return 'an unreadable value'
  }
}

/** The message of a thrown value, made {@link printable}. Never throws. */
export function messageOf(thrown: unknown, options: Parameters<typeof printable>[1] = {}): string {
  return readSafely(() => printable(isError(thrown) ? thrown.message : thrown, options))
}

/**
 * Cuts a name to {@link MAX_NAME_LENGTH} and copies it. Without the copy, V8 keeps the whole string alive for the sake of its substring.
 */
export function keptName(name: string | symbol): string {
  const text = String(name)
  return ` ${text.length > MAX_NAME_LENGTH ? `${text.slice(0, MAX_NAME_LENGTH)}…` : text}`.slice(1)
}
