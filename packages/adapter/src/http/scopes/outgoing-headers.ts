import type http from 'node:http'
import type { OutgoingHttpHeaders } from 'node:http2'

/** The header that carries a scope. */
export const HEADER = 'baggage'

/** Headers as the Node.js client takes them: names and values alternately, in pairs, or by name. */
export type GivenHeaders = readonly unknown[] | object | null | undefined

/** The header that the caller of the HTTP/1 client has given. */
export function givenHeader(request: http.ClientRequest, headers: GivenHeaders): string | undefined {
  return textOf(isList(headers) ? valuesIn(headers, HEADER) : request.getHeader(HEADER))
}

/** Where a request goes whose headers are a list, in which Node.js does not look for the host. */
export function originIn(headers: GivenHeaders, protocol: string): string | undefined {
  const host = isList(headers) ? textOf(valuesIn(headers, 'host')) : undefined
  return host === undefined ? undefined : `${protocol}//${host}`
}

/** Replaces the header of the HTTP/1 client, in the form in which Node.js has the others. An empty value takes it out. */
export function withHeader(request: http.ClientRequest, headers: GivenHeaders, value: string): GivenHeaders {
  if (isList(headers)) return listWith(headers, value)
  if (headers === null || headers === undefined) return value === '' ? headers : { [HEADER]: value }
  // These are the headers of the request itself.
  if (value === '') request.removeHeader(HEADER)
  else request.setHeader(HEADER, value)
  return headers
}

/** The header that a caller of HTTP/2 has given: by name, or in a list of names and values alternately. */
export function givenMember(headers: unknown): string | undefined {
  return textOf(
    isList(headers) ? valuesIn(headers, HEADER) : (headers as OutgoingHttpHeaders | null | undefined)?.[HEADER],
  )
}

/** Replaces the header for HTTP/2, in the form in which the caller has given the others. An empty value takes it out. */
export function withMember(headers: unknown, value: string): unknown {
  if (isList(headers)) return listWith(headers, value)
  const { [HEADER]: _given, ...others } = (headers ?? {}) as OutgoingHttpHeaders
  return value === '' ? others : { ...others, [HEADER]: value }
}

/** The headers of a request as undici publishes it: a list of names and values, in older versions the lines of the head. */
export type PublishedHeaders = string | unknown[] | undefined

/** Changes the header in the headers that undici is about to send. An empty value takes it out. */
export function changedHeaders(headers: PublishedHeaders, change: (given: string) => string): PublishedHeaders {
  if (isList(headers)) {
    const given = textOf(valuesIn(headers, HEADER))
    const value = given === undefined ? undefined : change(given)
    return value === undefined || value === given ? headers : [...listWith(headers, value)]
  }
  return headers?.replace(/^baggage: (.*)\r\n/gim, (_line, given: string) => {
    const value = change(given)
    return value === '' ? '' : `${HEADER}: ${value}\r\n`
  })
}

function valuesIn(headers: readonly unknown[], wanted: string): readonly unknown[] | undefined {
  const values = pairsOf(headers).flatMap(([name, value]) => (isName(name, wanted) ? [value] : []))
  return values.length === 0 ? undefined : values
}

function listWith(headers: readonly unknown[], value: string): readonly unknown[] {
  const others = pairsOf(headers).filter(([name]) => !isName(name, HEADER))
  const all = value === '' ? others : [...others, [HEADER, value] as const]
  return isList(headers[0]) ? all : all.flat()
}

/** Names and values in pairs, whether the list has them alternately or in pairs. */
function pairsOf(headers: readonly unknown[]): readonly (readonly [name: unknown, value: unknown])[] {
  if (isList(headers[0])) return headers as readonly (readonly [unknown, unknown])[]
  return headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1]] as const] : []))
}

const textOf = (value: unknown): string | undefined =>
  // A list of values is that of one header.
  value === undefined || value === null ? undefined : [value].flat().map(String).join(',')

const isName = (name: unknown, wanted: string): boolean => String(name).toLowerCase() === wanted

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)
