import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { ChaosError, type Clock } from '@chaos/core'
import { checkOptions, option, optionsSchema, systemClock } from '@chaos/core/authoring'
import { createApi } from '../api/api.js'
import { accessControl } from './access-control.js'
import { controllerOf, type Controlled } from './controlled.js'
import { notFound as plainNotFound } from './not-found.js'
import { pathBelow } from './paths.js'

/** Options of {@link createHandler}. */
export interface HandlerOptions {
  /** The token that clients must send: at least 16 visible ASCII characters, such as `crypto.randomBytes(24).toString('base64url')`. */
  readonly token: string
  /** Where the API is mounted. Default `/chaos`. */
  readonly basePath?: string
  /** Further names or addresses, with or without a port, that the Host header may carry. `localhost`, `127.0.0.1` and `[::1]` always may. */
  readonly allowedHosts?: readonly string[]
  /** Origins of pages that may use the endpoint from a browser, besides pages of the same server: `http://localhost:5173`. */
  readonly allowedOrigins?: readonly string[]
  /** Whether only requests from this machine are accepted, and none through a proxy. Default `true`. */
  readonly loopbackOnly?: boolean
  /** The largest body, in bytes. Default 65,536. */
  readonly maxBodyBytes?: number
  /** Requests a second, and as many at once. Stopping is not limited. Default 50. */
  readonly maxRequestsPerSecond?: number
  /** Answers like your app answers an unknown path. Default: status 404 and the text `Not Found`. */
  readonly notFound?: (req: IncomingMessage, res: ServerResponse) => void
  /** Default: the real clock. */
  readonly clock?: Clock
}

/** The control API as a part of an app's own server. */
export interface ControlHandler {
  /** Takes a request below the base path. @returns `false`, with nothing touched, for any other. */
  handle(req: IncomingMessage, res: ServerResponse): boolean
  /** Takes a WebSocket upgrade below the base path. @returns `false`, with nothing touched, for any other. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean
  /**
   * Sends an event of the app to all clients: an alert fires, a recovery is complete.
   *
   * @param topic The kind of event: `alert`. Up to 100 letters, digits, dots, colons or dashes.
   * @param data JSON data, up to 64 KiB.
   * @throws ChaosError `CHAOS_INVALID_OPTION`
   */
  notify(topic: string, data: Readonly<Record<string, unknown>>): void
  /** Disconnects the event streams and waits until the injections that they held are rolled back. Call it before `server.close()`. */
  close(): Promise<void>
}

const BASE_PATH = 'a path like `/chaos`, without a slash at its end'
const ORIGIN = 'an origin like `http://localhost:5173`'

/** Hosts, and origins, of one list. */
const MAX_ADDRESSES = 1_000

const handlerSchema = optionsSchema({
  basePath: option.optional(
    option.matching(/^(\/(?!\.{1,2}(\/|$))[\w.~-]+)+$/, BASE_PATH, 'Where the endpoints are.'),
    '/chaos',
  ),
  allowedHosts: option.optional(option.list(option.text('A host.'), MAX_ADDRESSES, 'hosts'), []),
  allowedOrigins: option.optional(
    option.list(option.matching(/^https?:\/\/[^/]+$/, ORIGIN, 'An origin.'), MAX_ADDRESSES, 'origins'),
    [],
  ),
  loopbackOnly: option.optional(option.flag('Whether only requests from this machine are accepted.'), true),
  maxBodyBytes: option.optional(option.count('The largest body, in bytes.', 1), 65_536),
  maxRequestsPerSecond: option.optional(option.count('Requests a second.', 1), 50),
})

/** The longest a body may take, in ms. */
const BODY_TIMEOUT_MS = 10_000

/**
 * Makes the control API a part of an app's own `node:http` server, for development: HTTP and a WebSocket below one path.
 *
 * Where chaos is not switched on, every request below the path gets 404, like an unknown path. For a `node:http` server, `mountEndpoint` is shorter.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION`
 */
export function createHandler(
  chaos: Controlled,
  { token, notFound = plainNotFound, clock = systemClock, ...given }: HandlerOptions,
): ControlHandler {
  checkToken(token)
  const { basePath, maxBodyBytes, ...access } = checkOptions(handlerSchema, given, 'createHandler')
  const api = createApi({
    controller: controllerOf(chaos),
    clock,
    notFound,
    maxBodyBytes,
    bodyTimeoutMs: BODY_TIMEOUT_MS,
    access: accessControl({ ...access, token, clock }),
  })
  let closed = false
  return {
    handle(req, res) {
      const path = closed ? undefined : pathBelow(basePath, req.url)
      if (path !== undefined) api.handle(req, res, path)
      return path !== undefined
    },
    upgrade(req, socket, head) {
      const path = closed ? undefined : pathBelow(basePath, req.url)
      if (path !== undefined) api.upgrade(req, socket, head, path)
      return path !== undefined
    },
    notify: (topic, data) => api.notify(topic, data),
    close() {
      closed = true
      return api.close()
    },
  }
}

/** Checked apart from the other options, because no message may show a token. */
function checkToken(token: unknown): void {
  if (typeof token === 'string' && /^[!-~]{16,1024}$/.test(token)) return
  const came = typeof token === 'string' ? `a text of ${token.length}` : typeof token
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `Expected \`token\` of the endpoint to be at least 16 visible ASCII characters, got ${came}.`,
  )
}
