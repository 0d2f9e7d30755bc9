import { printable } from '@chaos/core/authoring'

/** The longest untrusted text in a report, in characters. */
const MAX_TEXT = 4_000

/**
 * Makes an untrusted text safe for one line of a report. Control characters, direction marks and line feeds are
 * replaced by visible text. A long text is truncated.
 */
export function line(value: unknown): string {
  // XML also forbids these two code points, which are not control characters.
  return printable(String(value), { max: MAX_TEXT }).replace(/[\ufffe\uffff]/g, '\ufffd')
}

/** Marks markup made by this module. JSON data cannot contain this symbol. */
const MARKUP = Symbol('markup')

/** Markup that needs no escaping. */
export interface Markup {
  readonly [MARKUP]: string
}

/** A value in a markup template: markup, a list of markup, or a text or number, which is escaped. */
export type Piece = Markup | readonly Markup[] | string | number | undefined

/**
 * Template tag for HTML, SVG and XML. Every value is escaped, in content and in quoted attributes, unless this module
 * made it. `undefined` becomes the empty string.
 */
export function markup(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return asMarkup(strings.reduce((text, string, index) => `${text}${shown(pieces[index - 1])}${string}`))
}

/** Marks a trusted text as markup. */
export const asMarkup = (text: string): Markup => ({ [MARKUP]: text })

/** Markup as a string. */
export const textOfMarkup = (made: Markup): string => made[MARKUP]

/** Joins pieces of markup with line feeds. */
export const lines = (pieces: readonly Markup[]): Markup => asMarkup(pieces.map(textOfMarkup).join('\n'))

/** Escapes an untrusted text of several lines. */
export const escapedLines = (text: string): Markup => asMarkup(text.split('\n').map(escaped).join('\n'))

/** Renders a value by its runtime type, since a remote process may have sent another type than declared. */
function shown(piece: unknown): string {
  if (piece === undefined) return ''
  if (Array.isArray(piece)) return piece.map(shown).join('')
  return typeof piece === 'object' && piece !== null && MARKUP in piece ? textOfMarkup(piece as Markup) : escaped(piece)
}

function escaped(value: unknown): string {
  return line(value).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`)
}
