/** Deepest nesting of an experiment, and most values in it. */
const MAX_DEPTH = 30
const MAX_VALUES = 20_000
/** Longest key, in characters. */
const MAX_KEY = 1_000
/** Keys that assignments in JavaScript take for something else, and that checks therefore pass over. */
const RESERVED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** What makes a value too large, too deep (or circular) to be an experiment, in words; `undefined`: nothing does. */
export function beyondBounds(value: unknown): string | undefined {
  const open: (readonly [unknown, number])[] = [[value, 0]]
  let count = 0
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    const [one, depth] = entry
    if (typeof one !== 'object' || one === null) continue
    if (depth >= MAX_DEPTH)
      return `Expected an experiment that is nested at most ${MAX_DEPTH} deep, got a deeper or circular one.`
    const entries: readonly (readonly [string, unknown])[] = Array.isArray(one)
      ? (one as readonly unknown[]).map((item) => ['', item] as const)
      : Object.entries(one)
    count += entries.length
    if (count > MAX_VALUES) return `Expected an experiment of at most ${MAX_VALUES} values, got more.`
    for (const [key, inner] of entries) {
      if (key.length > MAX_KEY) return `Expected keys of at most ${MAX_KEY} characters, got one of ${key.length}.`
      if (RESERVED.has(key)) return `Expected other keys than ${[...RESERVED].join(', ')}, got ${key}.`
      open.push([inner, depth + 1])
    }
  }
  return undefined
}
