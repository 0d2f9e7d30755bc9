/** Characters that drive a terminal, or hide or reorder text. Line feeds and tabs are not among them. */
const HIDDEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** Writes such characters as `\u202e`. Within a literal of JSON, JavaScript or YAML, that means the same text. */
export const visible = (text: string): string =>
  text.replace(HIDDEN, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )
