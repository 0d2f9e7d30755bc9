/** Whether a pattern needs matching at all, or is a name. */
export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern)
}

/** Compiles names and globs (`*` any run of characters, `?` exactly one) into one test. */
export function globMatcher(patterns: readonly string[]): (name: string) => boolean {
  const source = patterns.map((pattern) => pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*').replace(/\?/g, '.'))
  const matcher = new RegExp(`^(?:${source.join('|')})$`, 's')
  return (name) => matcher.test(name)
}
