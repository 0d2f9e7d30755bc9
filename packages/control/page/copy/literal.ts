import { visible } from '../data/visible.js'

/** A JSON value as JavaScript: `{ delayMs: 500, methods: ['get'] }`. */
export function literal(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).map(([key, one]) => `${keyOf(key)}: ${literal(one)}`)
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
}

/** In single quotes, with JSON's escapes. */
const quoted = (text: string): string =>
  `'${visible(JSON.stringify(text)).slice(1, -1).replace(/\\"/g, '"').replace(/'/g, "\\'")}'`

/** `{ '__proto__': … }` would set the prototype; in brackets it is a key like any other. */
function keyOf(key: string): string {
  if (key === '__proto__') return "['__proto__']"
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key)
}
