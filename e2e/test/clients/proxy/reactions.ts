import type { ClientName } from './clients.js'

/** The request has no outcome yet. */
export const WAITS = 'waits'

/** How a client reacts to a fault during a request. */
export interface Reaction {
  /** What its caller gets while the fault is in force. */
  readonly during: string
  /** What its caller gets once the fault has ended, if it had to wait. */
  readonly after?: string
  /** The first error that the client emits. */
  readonly emits?: string
  /** What the next request on the same client gets. Default: the answer. */
  readonly next?: string
}

/** The faults during a request. */
export type FaultName = 'reset' | 'cut' | 'freeze' | 'silence'

const RESET = 'ECONNRESET: read ECONNRESET'
const CHANNEL_ENDED = 'Error: Channel ended, no reply will be forthcoming'
const CHANNEL_CLOSED = 'IllegalOperationError: Channel closed'
const SOCKET_CLOSED = 'Error: closed with code 1006'
const NOT_OPEN = 'Error: WebSocket is not open: readyState 3 (CLOSED)'

/** How each client reacts, with the options of `clients.ts`. */
export const reactions: Readonly<Record<ClientName, Readonly<Record<FaultName, Reaction>>>> = {
  // Sends the command again over a new connection.
  ioredis: {
    reset: { during: 'answers', emits: RESET },
    cut: { during: 'answers' },
    freeze: { during: 'Error: Command timed out' },
    silence: { during: 'Error: Command timed out' },
  },
  'node-redis': {
    reset: { during: RESET, emits: RESET },
    cut: { during: 'Error: Socket closed unexpectedly', emits: 'Error: Socket closed unexpectedly' },
    freeze: {
      during: "Error: Socket timeout timeout. Expecting data, but didn't receive any in 1000ms.",
      emits: "Error: Socket timeout timeout. Expecting data, but didn't receive any in 1000ms.",
    },
    silence: {
      during: "Error: Socket timeout timeout. Expecting data, but didn't receive any in 1000ms.",
      emits: "Error: Socket timeout timeout. Expecting data, but didn't receive any in 1000ms.",
    },
  },
  pg: {
    reset: { during: RESET },
    cut: { during: 'Error: Connection terminated unexpectedly' },
    freeze: { during: 'Error: Query read timeout' },
    silence: { during: 'Error: Query read timeout' },
  },
  mysql2: {
    reset: { during: RESET },
    cut: { during: 'PROTOCOL_CONNECTION_LOST: Connection lost: The server closed the connection.' },
    freeze: { during: 'PROTOCOL_SEQUENCE_TIMEOUT: Query inactivity timeout' },
    silence: { during: 'PROTOCOL_SEQUENCE_TIMEOUT: Query inactivity timeout' },
  },
  amqplib: {
    reset: { during: CHANNEL_ENDED, emits: RESET, next: CHANNEL_CLOSED },
    // The server's reply has come, and the content of the message has not: for that nobody rejects the call.
    cut: { during: WAITS, emits: 'Error: Unexpected close', next: CHANNEL_CLOSED },
    freeze: { during: CHANNEL_ENDED, emits: 'Error: Heartbeat timeout', next: CHANNEL_CLOSED },
    silence: { during: CHANNEL_ENDED, emits: 'Error: Heartbeat timeout', next: CHANNEL_CLOSED },
  },
  // Connects again, and leaves the request to its timeout.
  NATS: {
    reset: { during: 'TimeoutError: timeout' },
    cut: { during: 'TimeoutError: timeout' },
    freeze: { during: 'TimeoutError: timeout' },
    silence: { during: 'TimeoutError: timeout' },
  },
  // Sends again what was not acknowledged, as the server does.
  mqtt: {
    reset: { during: 'answers', emits: RESET },
    cut: { during: 'answers' },
    freeze: { during: WAITS, emits: 'Error: Keepalive timeout', after: 'answers' },
    silence: { during: WAITS, emits: 'Error: Keepalive timeout', after: 'answers' },
  },
  undici: {
    reset: { during: RESET },
    cut: { during: 'UND_ERR_SOCKET: other side closed' },
    freeze: { during: 'UND_ERR_HEADERS_TIMEOUT: Headers Timeout Error' },
    silence: { during: 'UND_ERR_HEADERS_TIMEOUT: Headers Timeout Error' },
  },
  // Has no timeout of its own.
  ws: {
    reset: { during: SOCKET_CLOSED, next: NOT_OPEN },
    cut: { during: SOCKET_CLOSED, next: NOT_OPEN },
    freeze: { during: WAITS, after: 'answers' },
    silence: { during: WAITS, after: SOCKET_CLOSED, next: NOT_OPEN },
  },
}

/** What makes a client notice that the network stands still. */
export interface Notice {
  /** The option, and its default. `undefined`: nothing does. */
  readonly option?: string
  readonly default?: string
  /** Whether its time runs from the request, so that no request fails earlier. A heartbeat has begun before. */
  readonly runsFromRequest: boolean
}

/** By which option each client notices, and what that is if it is not set. */
export const notices: Readonly<Record<ClientName, Notice>> = {
  ioredis: { option: '`commandTimeout`', default: 'never', runsFromRequest: true },
  'node-redis': { option: '`socket.socketTimeout`', default: 'never', runsFromRequest: true },
  pg: { option: '`query_timeout`', default: 'never', runsFromRequest: true },
  mysql2: { option: '`timeout` of the query', default: 'never', runsFromRequest: true },
  amqplib: { option: '`heartbeat` of the URL', default: 'what the server proposes', runsFromRequest: false },
  NATS: { option: '`timeout` of the request', default: '1 s', runsFromRequest: true },
  mqtt: { option: '`keepalive`', default: '60 s', runsFromRequest: false },
  undici: { option: '`headersTimeout`, `bodyTimeout`', default: '300 s', runsFromRequest: true },
  ws: { runsFromRequest: false },
}
