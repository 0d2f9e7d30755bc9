import { printable } from '@chaos/core/authoring'

/** The longest untrusted text on the page, in characters. */
const MAX_TEXT = 2_000

/** Marks markup made by this module. JSON data cannot contain this symbol. */
const MARKUP = Symbol('markup')

/** Markup that needs no escaping. */
export interface Html {
  readonly [MARKUP]: string
}

/** A value in a template: markup, a list of markup, or a text or number, which is escaped. */
type Piece = Html | readonly Html[] | string | number | undefined

/**
 * Template tag for HTML. Every value is escaped, in content and in quoted attributes, unless this module made it.
 * `undefined` becomes the empty string.
 */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  return { [MARKUP]: strings.reduce((text, string, index) => `${text}${shown(pieces[index - 1])}${string}`) }
}

/** Markup as a string. */
export const textOf = (markup: Html): string => markup[MARKUP]

/** Renders a value by its runtime type, since a remote process may have sent another type than declared. */
function shown(piece: unknown): string {
  if (piece === undefined) return ''
  if (Array.isArray(piece)) return piece.map(shown).join('\n')
  return typeof piece === 'object' && piece !== null && MARKUP in piece ? textOf(piece as Html) : escaped(piece)
}

/** Control characters and direction marks become visible text, and a long text is cut. */
function escaped(value: unknown): string {
  return printable(String(value), { max: MAX_TEXT }).replace(/[&<>"'`]/g, (letter) => `&#${letter.charCodeAt(0)};`)
}
