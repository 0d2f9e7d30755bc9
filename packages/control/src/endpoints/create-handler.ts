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
  /**
   * The token that clients must send: 16 to 1,024 visible ASCII characters, for example
   * `crypto.randomBytes(24).toString('base64url')`.
   */
  readonly token: string
  /** The path at which the API is mounted. Default `/chaos`. */
  readonly basePath?: string
  /**
   * Host headers to accept in addition to `localhost`, `127.0.0.1` and `[::1]`: names or addresses, with or without a
   * port. Default: none.
   */
  readonly allowedHosts?: readonly string[]
  /**
   * Origins of pages that may use the endpoint from a browser, in addition to pages of the same server:
   * `http://localhost:5173`. Default: none.
   */
  readonly allowedOrigins?: readonly string[]
  /** Whether to accept only requests from this machine that come through no proxy. Default `true`. */
  readonly loopbackOnly?: boolean
  /** The largest request body, in bytes. Default 65,536. */
  readonly maxBodyBytes?: number
  /** The most requests per second, and the largest burst. Stopping is not limited. Default 50. */
  readonly maxRequestsPerSecond?: number
  /** Answers a request while the endpoint is hidden, as your app answers an unknown path. Default: 404 `Not Found`. */
  readonly notFound?: (req: IncomingMessage, res: ServerResponse) => void
  /** The clock for timeouts and rates. Default: the system clock. */
  readonly clock?: Clock
}

/** The control API as part of an app's server. */
export interface ControlHandler {
  /** Handles a request below the base path. @returns `false` for any other request, which stays untouched. */
  handle(req: IncomingMessage, res: ServerResponse): boolean
  /** Handles a WebSocket upgrade below the base path. @returns `false` for any other request, which stays untouched. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean
  /**
   * Sends an app event to all clients, for example when an alert fires or a recovery is complete.
   *
   * @param topic The kind of event: `alert`. Up to 100 letters, digits, dots, colons or dashes.
   * @param data JSON data, up to 64 KiB.
   * @throws ChaosError `CHAOS_INVALID_OPTION` when the topic is invalid, or the data is too large or not JSON
   */
  notify(topic: string, data: Readonly<Record<string, unknown>>): void
  /**
   * Disconnects the event streams and waits for the rollback of the injections they held. Call it before
   * `server.close()`.
   */
  close(): Promise<void>
}

const BASE_PATH = 'a path like `/chaos`, without a slash at its end'
const ORIGIN = 'an origin like `http://localhost:5173`'

/** The most entries in a list of hosts or origins. */
const MAX_ADDRESSES = 1_000

const handlerSchema = optionsSchema({
  basePath: option.optional(
    option.matching(/^(\/(?!\.{1,2}(\/|$))[\w.~-]+)+$/, BASE_PATH, 'The path at which the API is mounted.'),
    '/chaos',
  ),
  allowedHosts: option.optional(option.list(option.text('A host.'), MAX_ADDRESSES, 'hosts'), []),
  allowedOrigins: option.optional(
    option.list(option.matching(/^https?:\/\/[^/]+$/, ORIGIN, 'An origin.'), MAX_ADDRESSES, 'origins'),
    [],
  ),
  loopbackOnly: option.optional(option.flag('Whether to accept only requests from this machine.'), true),
  maxBodyBytes: option.optional(option.count('The largest request body, in bytes.', 1), 65_536),
  maxRequestsPerSecond: option.optional(option.count('The most requests per second.', 1), 50),
})

/** The longest time until a request body is complete, in ms. */
const BODY_TIMEOUT_MS = 10_000

/**
 * Creates a handler that serves the control API from an app's own server during development: HTTP and a WebSocket below
 * one path. For a `node:http` server, `mountEndpoint` is shorter.
 *
 * Where chaos is not switched on, every request below the path gets 404, like an unknown path.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when an option is unknown or its value is invalid
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

/** Checks the token separately from the other options, because no message may show it. */
function checkToken(token: unknown): void {
  if (typeof token === 'string' && /^[!-~]{16,1024}$/.test(token)) return
  const came = typeof token === 'string' ? `a text of ${token.length}` : typeof token
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `Expected \`token\` of the endpoint to be at least 16 visible ASCII characters, got ${came}.`,
  )
}
