import type { IncomingMessage, OutgoingMessage } from 'node:http'
import {
  connectionOptions,
  eachOf,
  endToEnd,
  hasHeader,
  withHeader,
  withoutHeader,
  type HeaderLines,
} from './header-lines.js'

/** The value of `Host` for the upstream. */
export interface HostChoice {
  /** That of the upstream: `127.0.0.1:3000`. */
  readonly host: string
  /** Whether the upstream gets the client's instead. */
  readonly keepsHost: boolean
}

/** Methods whose requests have no body unless a header says so. Node.js would send an empty one in chunks with any other method. */
const BODILESS: ReadonlySet<string> = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** The headers of a request for the upstream. */
export function requestLines(request: IncomingMessage, { host, keepsHost }: HostChoice): HeaderLines {
  const lines = endToEnd(request.rawHeaders)
  // HTTP/1.1, which the upstream gets, demands `Host`.
  const isHostMissing = isOld(request) && !hasHeader(lines, 'host')
  const addressed = keepsHost && !isHostMissing ? lines : withHeader(lines, 'Host', host)
  const hasLength = hasHeader(lines, 'content-length') || hasHeader(lines, 'transfer-encoding')
  return hasLength || BODILESS.has(request.method ?? '') ? addressed : [...addressed, 'Content-Length', '0']
}

/**
 * The headers of an answer for the client.
 *
 * @param isKept Whether the upstream keeps its connection open after the answer.
 */
export function answerLines(answer: IncomingMessage, request: IncomingMessage, isKept: boolean): HeaderLines {
  const passed = endToEnd(answer.rawHeaders)
  const hasChunks = !isOld(request) && answer.statusCode !== 204 && answer.statusCode !== 304
  const lines = hasChunks ? passed : ['transfer-encoding', 'trailer'].reduce(withoutHeader, passed)
  if (isOld(request)) return ['connection', 'keep-alive'].reduce(withoutHeader, lines)
  const isOpen = isKept && !connectionOptions(request.rawHeaders).includes('close')
  return isOpen ? lines : withHeader(withoutHeader(lines, 'keep-alive'), 'Connection', 'close')
}

/** Whether the client speaks HTTP/1.0: it knows neither chunks nor interim answers. */
export function isOld({ httpVersion }: Pick<IncomingMessage, 'httpVersion'>): boolean {
  return httpVersion === '1.0'
}

/** Trailers as Node.js takes them. */
export function trailersOf(message: Pick<IncomingMessage, 'rawTrailers'>): [string, string][] {
  return [...eachOf(message.rawTrailers)].map(([name, value]) => [name, value])
}

/** Sends the head of a message before its body. `flushHeaders` of Node.js would write it as UTF-8, and headers are Latin-1. */
export function sendHead(message: OutgoingMessage): void {
  message.write('', 'latin1')
}
