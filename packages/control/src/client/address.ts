import { connect as connectSocket } from 'node:net'
import { request as requestHttp, type ClientRequest, type RequestOptions } from 'node:http'
import { request as requestHttps } from 'node:https'
import { WebSocket } from 'ws'
import { ChaosError } from '@chaos/core'
import { SUBPROTOCOL } from '../api/event-stream.js'

/** The socket of a local process, as {@link discover} returns it. */
export interface SocketAddress {
  readonly socketPath: string
}

/** The address of an endpoint that is mounted in an app's server. */
export interface UrlAddress {
  /** The URL with the base path: `http://localhost:3000/chaos`. */
  readonly url: string
  readonly token: string
}

/** The address of a control endpoint: a socket or a URL. */
export type Address = SocketAddress | UrlAddress

/** The means to reach an endpoint, by socket or URL. */
export interface Reach {
  /** The address for messages. Does not contain the token. */
  readonly name: string
  /** Advice for messages about an unreachable endpoint. */
  readonly advice: string
  request(method: string, path: string, headers: Readonly<Record<string, string | number>>): ClientRequest
  openStream(): WebSocket
}

/** The largest message that is accepted from a server, in bytes. */
export const MAX_MESSAGE_BYTES = 16 * 1_024 * 1_024

const STREAM = { perMessageDeflate: false, maxPayload: MAX_MESSAGE_BYTES, followRedirects: false }

/** Prepares to reach an address. @throws ChaosError `CHAOS_INVALID_OPTION` when the address or its token is invalid */
export function reach(address: Address): Reach {
  if ('socketPath' in address) return reachSocket(address)
  return reachUrl(address)
}

function reachSocket({ socketPath }: SocketAddress): Reach {
  if (typeof socketPath !== 'string' || socketPath === '')
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      'connect needs `socketPath`, the path of a control socket. `discover()` lists the sockets.',
    )
  return {
    name: socketPath,
    advice: 'Check that the process still runs and that chaos is switched on in it.',
    request: (method, path, headers) =>
      requestHttp({ socketPath, method, path, headers: { host: 'localhost', ...headers }, agent: false }),
    openStream: () =>
      new WebSocket('ws://localhost/events', SUBPROTOCOL, {
        ...STREAM,
        createConnection: (() => connectSocket(socketPath)) as typeof connectSocket,
      }),
  }
}

function reachUrl({ url, token }: UrlAddress): Reach {
  const base = parsed(url)
  if (typeof token !== 'string' || !/^[!-~]+$/.test(token))
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      'connect needs `token`, the token of the endpoint, in visible ASCII characters.',
    )
  const authorization = `Bearer ${token}`
  const send = base.protocol === 'https:' ? requestHttps : requestHttp
  const pathname = base.pathname.replace(/\/+$/, '')
  const streamUrl = `${base.protocol === 'https:' ? 'wss:' : 'ws:'}//${base.host}${pathname}/events`
  return {
    name: `${base.origin}${pathname}`,
    advice:
      'Check that the app listens there, that its control endpoint is mounted at this path, and that chaos is switched on in it.',
    request(method, path, headers) {
      const options: RequestOptions = { method, headers: { authorization, ...headers }, agent: false }
      return send(`${base.origin}${pathname}${path}`, options)
    },
    openStream: () => new WebSocket(streamUrl, SUBPROTOCOL, { ...STREAM, headers: { authorization } }),
  }
}

function parsed(url: unknown): URL {
  try {
    const base = new URL(String(url))
    if (base.protocol === 'http:' || base.protocol === 'https:') return base
  } catch {
    // Reported below.
  }
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `Expected \`url\` of connect to be like \`http://localhost:3000/chaos\`, got \`${String(url)}\`.`,
  )
}
