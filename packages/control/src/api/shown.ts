/** The longest part of a caller's text that a message repeats. */
const MAX_SHOWN = 80

/** A value of a caller's as a message may repeat it: a text in quotes, cut, with whatever cannot be seen escaped; of anything else, its kind. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value).replace(/\p{C}|[\u2028\u2029]/gu, escape)
  if (typeof value === 'number' || typeof value === 'boolean') return `\`${value}\``
  return value === null ? '`null`' : `a value of type ${typeof value}`
}

const escape = (letter: string): string => `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`
