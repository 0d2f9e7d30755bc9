/** Limits of an experiment: its nesting depth and its number of values. */
const MAX_DEPTH = 30
const MAX_VALUES = 20_000
/** Longest key, in characters. */
const MAX_KEY = 1_000
/** Keys with a special meaning in JavaScript assignments. Schema checks skip them. */
const RESERVED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** Why a value is too large, too deep or circular to be an experiment; `undefined`: it is within the limits. */
export function beyondBounds(value: unknown): string | undefined {
  const open: (readonly [unknown, number])[] = [[value, 0]]
  let count = 0
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    const [one, depth] = entry
    if (typeof one !== 'object' || one === null) continue
    if (depth >= MAX_DEPTH) return `The experiment is circular or nested deeper than ${MAX_DEPTH} levels.`
    const entries: readonly (readonly [string, unknown])[] = Array.isArray(one)
      ? (one as readonly unknown[]).map((item) => ['', item] as const)
      : Object.entries(one)
    count += entries.length
    if (count > MAX_VALUES) return `The experiment has more than ${MAX_VALUES} values.`
    for (const [key, inner] of entries) {
      if (key.length > MAX_KEY) return `A key has ${key.length} characters, more than ${MAX_KEY}.`
      if (RESERVED.has(key)) return `The key "${key}" is reserved in JavaScript. Remove it.`
      open.push([inner, depth + 1])
    }
  }
  return undefined
}
