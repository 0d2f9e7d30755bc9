/** The headers of a message as it sent them: name, value, name, value … With their case, their order and their duplicates. */
export type HeaderLines = readonly string[]

/** Headers without which the peer would not find the end of the message, or its recipient. `Connection` cannot remove them. */
const INDISPENSABLE: ReadonlySet<string> = new Set(['content-length', 'host', 'transfer-encoding'])
/** Options of `Connection` that hold for the connections on both sides, which live and end together. */
const SHARED_OPTIONS: ReadonlySet<string> = new Set(['close', 'keep-alive', 'te', 'upgrade'])

/** The names and values of headers, one by one. */
export function* eachOf(lines: HeaderLines): Generator<readonly [name: string, value: string]> {
  for (let at = 0; at < lines.length; at += 2) yield [lines[at] as string, lines[at + 1] as string]
}

/** Keeps the headers for which a test holds. */
export function filtered(lines: HeaderLines, keeps: (name: string, value: string) => boolean): HeaderLines {
  return [...eachOf(lines)].filter(([name, value]) => keeps(name.toLowerCase(), value)).flat()
}

/** Whether a header is there. The name is in lower case. */
export function hasHeader(lines: HeaderLines, name: string): boolean {
  for (const [one] of eachOf(lines)) if (one.toLowerCase() === name) return true
  return false
}

/** Gives a header a value, in its place, or adds it at the end. */
export function withHeader(lines: HeaderLines, name: string, value: string): HeaderLines {
  const lower = name.toLowerCase()
  const pairs = [...eachOf(lines)]
  const first = pairs.findIndex(([one]) => one.toLowerCase() === lower)
  if (first === -1) return [...lines, name, value]
  return pairs
    .filter(([one], at) => at === first || one.toLowerCase() !== lower)
    .flatMap(([one, old], at) => [one, at === first ? value : old])
}

/** Removes a header. The name is in lower case. */
export function withoutHeader(lines: HeaderLines, name: string): HeaderLines {
  return filtered(lines, (one) => one !== name)
}

/**
 * Removes the headers that are for one connection only (RFC 9110, section 7.6.1): those that `Connection` names, and
 * `Proxy-Connection`. What says how long the connection lives stays, since the connections on both sides live and end
 * together. `Transfer-Encoding` stays, since the body is encoded in the same way again. `TE` stays if it asks for trailers,
 * which are passed on.
 */
export function endToEnd(lines: HeaderLines): HeaderLines {
  const named = new Set(connectionOptions(lines))
  // Only a body in chunks can have trailers. Node.js refuses to promise some without.
  const isChunked = hasHeader(lines, 'transfer-encoding')
  const isPassed = (name: string, value: string): boolean => {
    if (INDISPENSABLE.has(name) || name === 'connection') return true
    if (name === 'te') return /\btrailers\b/i.test(value)
    if (name === 'upgrade') return named.has('upgrade')
    if (name === 'trailer') return isChunked
    if (name === 'keep-alive') return true
    return name !== 'proxy-connection' && !named.has(name)
  }
  const passed = filtered(lines, isPassed)
  const hasTe = hasHeader(passed, 'te')
  return [...eachOf(passed)].flatMap(([name, value]) => {
    if (name.toLowerCase() !== 'connection') return [name, value]
    const options = optionsIn(value).filter((one) => SHARED_OPTIONS.has(one.toLowerCase()))
    const kept = hasTe ? options : options.filter((one) => one.toLowerCase() !== 'te')
    return kept.length === 0 ? [] : [name, kept.length === optionsIn(value).length ? value : kept.join(', ')]
  })
}

/** The options that the headers `Connection` name, in lower case. */
export function connectionOptions(lines: HeaderLines): readonly string[] {
  return [...eachOf(lines)]
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => optionsIn(value).map((one) => one.toLowerCase()))
}

function optionsIn(value: string): readonly string[] {
  return value
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
}

/** Writes a head: its first line, its headers and the empty line. */
export function headOf(firstLine: string, lines: HeaderLines): string {
  const written = [...eachOf(lines)].map(([name, value]) => `${name}: ${value}\r\n`)
  return `${firstLine}\r\n${written.join('')}\r\n`
}
