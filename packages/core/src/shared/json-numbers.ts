import { randomUUID } from 'node:crypto'

/** JSON whose numbers keep all their digits. */
export interface ExactNumbers {
  /** The parsed text. A number that a double cannot repeat digit by digit is a marked string. */
  readonly structure: unknown
  /** Returns a part of the structure with ordinary numbers. */
  rounded(part: unknown): unknown
  /** Serializes the structure with the numbers of the text. */
  textOf(structure: unknown): string
}

const STRINGS_AND_NUMBERS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs
/** Random, so that no content holds it. */
const MARK = randomUUID()
const MARKED = new RegExp(`"${MARK}([^"]+)"`, 'g')

/** Parses JSON so that serializing it again loses no digit, such as those of an integer beyond 2^53. @throws SyntaxError */
export function exactNumbers(text: string): ExactNumbers {
  const marked = text.replace(STRINGS_AND_NUMBERS, (token) =>
    token.startsWith('"') || String(Number(token)) === token ? token : `"${MARK}${token}"`,
  )
  const textOf = (structure: unknown): string => JSON.stringify(structure).replace(MARKED, '$1')
  return {
    structure: JSON.parse(marked) as unknown,
    rounded: (part) => (marked === text ? part : (JSON.parse(textOf(part)) as unknown)),
    textOf,
  }
}
