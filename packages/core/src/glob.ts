/** Whether a pattern needs matching at all, or is a name. */
export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern)
}

/**
 * Compiles names and globs (`*` any run of characters, `?` exactly one) into one test. Its time grows with the length of the name times that of the
 * patterns, whatever they are.
 */
export function globMatcher(patterns: readonly string[]): (name: string) => boolean {
  let group = 0
  const source = patterns.map((pattern) => {
    const [first = '', ...rest] = pattern.split(/\*+/).map((part) => part.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\?/g, '.'))
    // A part may take the first place where it fits, since any other leaves less room for those behind it. A lookahead keeps what it has found: there is no way back.
    return first + rest.map((part, index) => (index === rest.length - 1 ? `.*${part}` : `(?=(.*?${part}))\\${(group += 1)}`)).join('')
  })
  const matcher = new RegExp(`^(?:${source.join('|')})$`, 's')
  return (name) => matcher.test(name)
}
