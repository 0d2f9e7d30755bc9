import { Buffer } from 'node:buffer'
import { BAGGAGE } from '../../seams/message-scope.js'

/** The headers of a message, as NATS.js writes them. */
export interface EncodedHeaders {
  encode(): Uint8Array
}

/** The most bytes of headers that are looked through. */
const MAX_BYTES = 65_536
const FIRST_LINE = 'NATS/1.0'

/** Reads the `baggage` header in the encoded headers of a message. */
export function baggageIn(encoded: Uint8Array): string | undefined {
  if (encoded.length === 0 || encoded.length > MAX_BYTES) return undefined
  const values = linesOf(encoded)
    .filter(isBaggage)
    .map((line) => line.slice(line.indexOf(':') + 1).trim())
  return values.length === 0 ? undefined : values.join(',')
}

/** The headers of a message with a `baggage` header. They keep all others, byte by byte. */
export function withBaggage(
  headers: EncodedHeaders | undefined,
  write: (given?: unknown) => string,
): EncodedHeaders | undefined {
  const given = headers?.encode() ?? Buffer.from(`${FIRST_LINE}\r\n\r\n`)
  if (given.length > MAX_BYTES) return headers
  const others = linesOf(given).filter((line) => line !== '' && !isBaggage(line))
  const all = [...others, `${BAGGAGE}: ${Buffer.from(write(baggageIn(given))).toString('latin1')}`, '', '']
  return { encode: () => Buffer.from(all.join('\r\n'), 'latin1') }
}

/** The bytes of other headers are not to be changed: each is one character here. */
const linesOf = (encoded: Uint8Array): readonly string[] => Buffer.from(encoded).toString('latin1').split('\r\n')

const isBaggage = (line: string): boolean => /^baggage:/i.test(line)
