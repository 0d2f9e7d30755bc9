import { printable, printableJson } from '@chaos/core/authoring'
import type { Io } from './io.js'
import { colours } from './colours.js'

/** The style of a part of a line. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** A part of a line with a style. */
export interface Styled {
  readonly style: Style
  readonly text: string
}

/** A part of a line: a text, or one with a style. */
export type Part = string | Styled

/** The longest printed part of a line, in characters. */
const MAX_PART = 10_000

/**
 * The output of the command. Text from a peer (names, messages, numbers) is untrusted. Its control characters and line
 * feeds are escaped, so it can neither move the cursor nor start a new line. Passwords in URLs are left out.
 */
export interface Terminal extends Omit<Io, 'out' | 'err'> {
  /** Prints one line on standard output. */
  readonly out: (...parts: readonly Part[]) => void
  /** Prints one line on standard error. */
  readonly err: (...parts: readonly Part[]) => void
  /** Prints a value as JSON, indented or on one line. Nothing is truncated. */
  readonly json: (value: unknown, options?: { readonly isOneLine?: boolean }) => void
}

export function terminal(io: Io): Terminal {
  const colour = colours(io)
  const plain = (text: string): string => printable(withoutPasswords(text), { max: MAX_PART })
  const shown = (part: Part): string => (typeof part === 'string' ? plain(part) : colour[part.style](plain(part.text)))
  return {
    ...io,
    out: (...parts) => io.out(parts.map(shown).join('')),
    err: (...parts) => io.err(parts.map(shown).join('')),
    json: (value, { isOneLine = false } = {}) =>
      io.out(printableJson(withoutPasswords(JSON.stringify(value, null, isOneLine ? undefined : 2)))),
  }
}

/** Leaves out the passwords of URLs: what is between the user and the last `@` before the host ends. */
const withoutPasswords = (text: string): string => text.replace(/(:\/\/[^\s/?#"@:]*:)[^\s/?#"]*@/g, '$1…@')

/** Styles a text. */
export const bold = (text: string): Styled => ({ style: 'bold', text })
export const dim = (text: string): Styled => ({ style: 'dim', text })
export const red = (text: string): Styled => ({ style: 'red', text })
export const green = (text: string): Styled => ({ style: 'green', text })
export const yellow = (text: string): Styled => ({ style: 'yellow', text })
export const cyan = (text: string): Styled => ({ style: 'cyan', text })
