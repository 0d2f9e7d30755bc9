/** The longest name that is compared with names and globs, journalled or told apart from others, in UTF-16 code units. */
export const MAX_NAME_LENGTH = 1_024

/** Where a message shows a name or a value: as many characters of it. */
const MAX_SHOWN = 200

/** What moves a cursor, colours, hides or reorders text: control and format characters, line separators, halves of a surrogate pair. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
/** The same, but for line feeds and tabs, which a text of several lines has. */
const UNPRINTABLE_IN_LINES = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/**
 * A text from outside as a terminal, a log or a report can show it: cut to a length, with control and format characters (escape sequences,
 * direction marks) as `\u001b`.
 *
 * @param options.max Characters that are kept; a longer text ends in `…`. Default 200.
 * @param options.lines Whether line feeds and tabs stay as they are. Default `false`.
 */
export function printable(
  text: unknown,
  { max = MAX_SHOWN, lines = false }: { readonly max?: number; readonly lines?: boolean } = {},
): string {
  const whole = typeof text === 'object' && text !== null ? 'an object' : String(text)
  const cut = whole.length > max ? `${whole.slice(0, max)}…` : whole
  return cut.replace(lines ? UNPRINTABLE_IN_LINES : UNPRINTABLE, escaped)
}

/** What of {@link UNPRINTABLE} JSON leaves as it is. */
const UNPRINTABLE_IN_JSON = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu

/** JSON as a terminal can show it. Whoever parses it gets the same value. */
export function printableJson(json: string): string {
  return json.replace(UNPRINTABLE_IN_JSON, escaped)
}

/** A character as JSON and JavaScript write it, so that a terminal shows it and does not obey it. */
function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}

/**
 * Reads a value of somebody else's, such as an error that an app threw.
 *
 * @returns What `read` returns, or words for a value that cannot be read: a revoked proxy, an object whose getter throws.
 */
export function readSafely<T>(read: () => T): T | 'something that cannot be read' {
  try {
    return read()
  } catch {
    return 'something that cannot be read'
  }
}

/** The message of what was thrown, as {@link printable} shows it. Never throws. */
export function messageOf(thrown: unknown, options: Parameters<typeof printable>[1] = {}): string {
  return readSafely(() => printable(thrown instanceof Error ? thrown.message : thrown, options))
}

/**
 * A name as it is kept: cut to {@link MAX_NAME_LENGTH}, and a copy, since V8 keeps the whole of a text alive of which a part was taken.
 */
export function keptName(name: string | symbol): string {
  const text = String(name)
  return ` ${text.length > MAX_NAME_LENGTH ? `${text.slice(0, MAX_NAME_LENGTH)}…` : text}`.slice(1)
}
