import { builtin } from '@chaos/core/authoring'
import importedHttp, { type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import importedHttps, { type ServerOptions as SecureOptions } from 'node:https'
import type { Socket } from 'node:net'
import { carriedBy } from './carrier.js'
import { Upgrade } from './upgrade.js'

const http = builtin('node:http', importedHttp)
const https = builtin('node:https', importedHttps)

/** The limits of a server. */
interface ServerLimits {
  /** 0: none. */
  readonly headersTimeoutMs: number
  readonly maxHeaderBytes: number
  /** For each handshake of TLS. */
  readonly connectTimeoutMs: number
}

/** What a server tells its proxy. */
export interface ServerEvents {
  readonly onConnection: (socket: Socket) => void
  /** A connection can carry requests: with TLS, its handshake is done, and the socket is one of TLS. */
  readonly onOpen: (socket: Socket) => void
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void
  /** A request that asks for another protocol on its connection, or for a connection to another server. */
  readonly onUpgrade: (request: IncomingMessage, upgrade: Upgrade) => void
  /** Something has come that is no request, or a handshake of TLS has failed. */
  readonly onInvalid: () => void
  /** Whether a connection can carry requests. */
  readonly isOpen: (socket: Socket) => boolean
  /** Whether an answer is on its way on a connection. */
  readonly isAnswering: (socket: Socket) => boolean
}

/** How often Node.js looks for requests whose headers are late, in ms. Its own default. */
const LOOK_EVERY_MS = 30_000

/** The statuses by which Node.js answers what is no request (`lib/_http_server.js`). */
const REFUSALS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/**
 * Makes the server of a proxy: it sets no limit that the proxy does not document.
 *
 * @param secure The options of TLS. Default: plain HTTP.
 */
export function createServer(
  { headersTimeoutMs, maxHeaderBytes, connectTimeoutMs }: ServerLimits,
  secure: SecureOptions | undefined,
  events: ServerEvents,
): Server {
  const options = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: headersTimeoutMs,
    connectionsCheckingInterval: headersTimeoutMs === 0 ? LOOK_EVERY_MS : Math.min(LOOK_EVERY_MS, headersTimeoutMs),
    // A slow body is the upstream's business.
    requestTimeout: 0,
    // An idle connection lives as long as that to the upstream. Node.js would close it after 5 s, perhaps just when the client uses it.
    keepAliveTimeout: 0,
    // So is a request without Host.
    requireHostHeader: false,
    noDelay: true,
  } satisfies ServerOptions & Record<string, unknown>
  const server =
    secure === undefined
      ? http.createServer(options)
      : https.createServer({ ...options, ...secure, handshakeTimeout: Math.max(1, connectTimeoutMs) })
  // The size of all headers is limited, their number need not be: Node.js would drop those beyond 2,000 silently.
  server.maxHeadersCount = 0
  server.on('connection', events.onConnection)
  if (secure === undefined) server.on('connection', events.onOpen)
  else followHandshakes(server, events)
  for (const event of ['request', 'checkContinue', 'checkExpectation']) server.on(event, events.onRequest)
  const onUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void => {
    socket.on('error', () => undefined)
    events.onUpgrade(request, new Upgrade(socket, head))
  }
  for (const event of ['upgrade', 'connect']) server.on(event, onUpgrade)
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const isBroken = !socket.writable || error.code === 'ECONNRESET'
    const isOpen = events.isOpen(socket)
    if (!isBroken || !isOpen) events.onInvalid()
    // Behind the start of an answer, or before the end of a handshake, another answer means nothing.
    if (isBroken || !isOpen || events.isAnswering(socket)) socket.destroy()
    else socket.end(`HTTP/1.1 ${REFUSALS[error.code ?? ''] ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`)
  })
  return server
}

function followHandshakes(server: Server, { onOpen }: Pick<ServerEvents, 'onOpen'>): void {
  /** Connections by their addresses: Node.js does not tell which of them carries a socket of TLS. */
  const carriers = new Map<string, Socket>()
  server.on('connection', (carrier: Socket) => {
    const key = keyOf(carrier)
    carriers.set(key, carrier)
    carrier.once('close', () => carriers.delete(key))
  })
  server.on('secureConnection', (socket: Socket) => {
    const carrier = carriers.get(keyOf(socket))
    if (carrier !== undefined) carriedBy(socket, carrier)
    onOpen(socket)
  })
}

const keyOf = ({ remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 }: Socket): string =>
  [remoteAddress, remotePort, localAddress, localPort].join(' ')
