import { printable } from '@chaos/core/authoring'

/** The longest text from outside that a report shows, in characters. */
const MAX_TEXT = 4_000

/** A text from outside as one line of a report: control characters, direction marks and line feeds are shown and not obeyed; a long one is cut. */
export function line(value: unknown): string {
  // Two code points that XML forbids are no control characters.
  return printable(String(value), { max: MAX_TEXT }).replace(/[\ufffe\uffff]/g, '\ufffd')
}

/** Known to this module alone: nothing that came as JSON has it. */
const MARKUP = Symbol('markup')

/** Markup that may stand as it is. */
export interface Markup {
  readonly [MARKUP]: string
}

/** What stands between pieces of markup: markup, a list of it, or a text, which is escaped. */
export type Piece = Markup | readonly Markup[] | string | number | undefined

/**
 * Makes HTML, SVG or XML: whatever is put into it is escaped, in content and in quoted attributes, unless this module made it.
 * `undefined` is left out.
 */
export function markup(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return asMarkup(strings.reduce((text, string, index) => `${text}${shown(pieces[index - 1])}${string}`))
}

/** A text of our own, as it is. */
export const asMarkup = (text: string): Markup => ({ [MARKUP]: text })

/** What was made, as a text. */
export const textOfMarkup = (made: Markup): string => made[MARKUP]

/** Pieces of markup, each on a line of its own. */
export const lines = (pieces: readonly Markup[]): Markup => asMarkup(pieces.map(textOfMarkup).join('\n'))

/** A text of several lines, each of which may hold anything. */
export const escapedLines = (text: string): Markup => asMarkup(text.split('\n').map(escaped).join('\n'))

/** Goes by what a piece is and not by what its type says: a number may come from a process that sent something else. */
function shown(piece: unknown): string {
  if (piece === undefined) return ''
  if (Array.isArray(piece)) return piece.map(shown).join('')
  return typeof piece === 'object' && piece !== null && MARKUP in piece ? textOfMarkup(piece as Markup) : escaped(piece)
}

function escaped(value: unknown): string {
  return line(value).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`)
}
