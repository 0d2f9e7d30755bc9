import { MAX_NAME_LENGTH } from '../basics/text.js'

/** Whether a pattern holds a wildcard (`*` or `?`). */
export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern)
}

/**
 * Makes a matcher for names and globs (`*` matches any run of characters, `?` exactly one).
 *
 * The matcher never backtracks, and a name of more than 1,024 characters only matches a pattern of stars. So a match takes
 * at most 1,024 steps per character of the patterns.
 */
export function globMatcher(patterns: readonly string[]): (name: string) => boolean {
  const coversAll = patterns.some((pattern) => /^\*+$/.test(pattern))
  if (coversAll) return () => true
  const tests = patterns.map((pattern) => (isGlob(pattern) ? globTest(pattern) : (name: string) => name === pattern))
  return (name) => name.length <= MAX_NAME_LENGTH && tests.some((test) => test(name))
}

/**
 * Matches each part between two stars at its first possible position. A later position leaves less room for the parts
 * after it, so the matcher never needs to backtrack.
 */
function globTest(pattern: string): (name: string) => boolean {
  const [first = '', ...parts] = pattern.split(/\*+/)
  const last = parts.pop()
  if (last === undefined) return (name) => name.length === first.length && fitsAt(first, name, 0)
  const shortest = first.length + last.length + parts.reduce((sum, part) => sum + part.length, 0)
  return (name) => {
    if (name.length < shortest || !fitsAt(first, name, 0) || !fitsAt(last, name, name.length - last.length))
      return false
    const end = name.length - last.length
    let from = first.length
    for (const part of parts) {
      const at = positionOf(part, name, from, end)
      if (at === -1) return false
      from = at + part.length
    }
    return true
  }
}

/** The first position at or after `from` where a part matches and ends by `end`, or -1. */
function positionOf(part: string, name: string, from: number, end: number): number {
  for (let at = from; at + part.length <= end; at += 1) if (fitsAt(part, name, at)) return at
  return -1
}

function fitsAt(part: string, name: string, at: number): boolean {
  for (let index = 0; index < part.length; index += 1) {
    const expected = part.charCodeAt(index)
    if (expected !== ANY_ONE && expected !== name.charCodeAt(at + index)) return false
  }
  return true
}

const ANY_ONE = '?'.charCodeAt(0)
