/**
 * Writes JSON data as text in its one canonical form: keys in the order of their UTF-16 code units, no spaces, `undefined`
 * fields left out. Equal data has equal text, so a signature or a hash of the text is one of the data.
 *
 * @see RFC 8785 (JSON Canonicalization Scheme), whose forms of numbers and texts are those of `JSON.stringify`.
 */
export function canonicalJson(data: unknown): string {
  // A list of texts, such as the instances of a plan, has one form only. Thousands are written at once many times faster.
  if (Array.isArray(data)) return data.every(isText) ? JSON.stringify(data) : `[${data.map(canonicalJson).join(',')}]`
  if (typeof data !== 'object' || data === null) return JSON.stringify(data ?? null)
  const fields = Object.entries(data)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${JSON.stringify(key)}:${canonicalJson(value)}`)
  return `{${fields.join(',')}}`
}

/** Whether JSON carries a value without loss: no functions, errors, dates and the like. */
export function isData(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || value === null)
    return value === null || ['string', 'boolean', 'undefined'].includes(typeof value)
  if (Array.isArray(value)) return value.every((part) => part !== undefined && isData(part))
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isData)
}

const isText = (value: unknown): boolean => typeof value === 'string'
