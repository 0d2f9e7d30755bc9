/** Returns the headers of a request of undici by their names in lower case. */
export function headersOf(request: object): Readonly<Record<string, string>> {
  const pairs = pairsOf('headers' in request ? request.headers : undefined)
  return Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), value]))
}

/** Headers are names and values alternately, an object, an iterable of pairs, or in undici 5 the text that is sent. */
function pairsOf(headers: unknown): readonly (readonly [name: string, value: string])[] {
  if (typeof headers === 'string')
    return headers.split('\r\n').flatMap((line) => {
      const end = line.indexOf(':')
      return end > 0 ? [[line.slice(0, end), line.slice(end + 1).trim()] as const] : []
    })
  if (typeof headers !== 'object' || headers === null) return []
  if (Array.isArray(headers))
    return Array.isArray(headers[0])
      ? (headers as readonly [unknown, unknown][]).map(textPair)
      : headers.flatMap((name, at) => (at % 2 === 0 ? [textPair([name, headers[at + 1]])] : []))
  return Symbol.iterator in headers
    ? [...(headers as Iterable<[unknown, unknown]>)].map(textPair)
    : Object.entries(headers).map(textPair)
}

const textPair = ([name, value]: readonly [unknown, unknown]): readonly [string, string] => [
  String(name),
  String(value),
]
