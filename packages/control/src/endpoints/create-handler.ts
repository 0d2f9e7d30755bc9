import type { IncomingMessage, ServerResponse } from 'node:http'
import { basename } from 'node:path'
import type { Duplex } from 'node:stream'
import { ChaosError, type ChaosController, type Clock } from '@chaos/core'
import { checkOptions, option, optionsSchema, systemClock } from '@chaos/core/authoring'
import { createApi } from '../api/api.js'
import { auditLog } from '../api/audit-log.js'
import { oneTimeKeys } from '../page/one-time-keys.js'
import type { About } from '../page/page-view.js'
import { createPage } from '../page/page.js'
import { createSessions } from '../page/sessions.js'
import { accessControl } from './access-control.js'
import { auditTo, type AuditOptions } from './audit-file.js'
import { controllerOf, type Controlled } from './controlled.js'
import { notFound as plainNotFound } from './not-found.js'
import { BASE_PATH, pathBelow } from './paths.js'

/** What the page says of the process. */
export interface PageOptions {
  /** The name of the app, at most 200 characters. Default: the name of its script. */
  readonly name?: string
  /** The process id. Default: the one of this process; none for a client of another process. */
  readonly pid?: number
  /**
   * The options by which the `chaos` command reaches the process: `['--pid', '4711']`. The page shows them in commands to
   * copy. Default: `--url` with the address of the page.
   */
  readonly commandOptions?: readonly string[]
}

/** Options of {@link createHandler}. */
export interface HandlerOptions extends AuditOptions {
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
  /** Whether to serve the page for people at `basePath`, and what it says of the process. Default `true`. */
  readonly page?: boolean | PageOptions
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
   * Makes the path of a sign-in to the page that needs no token: `/chaos/sign-in?once=…`. It works once, within 60 s.
   * Give it only to a browser of the person who started this process.
   *
   * @throws ChaosError `CHAOS_INVALID_OPTION` without a page
   */
  oneTimePath(): string
  /**
   * Disconnects the event streams and waits for the rollback of the injections they held. Call it before
   * `server.close()`.
   */
  close(): Promise<void>
}

const PATH = 'a path like `/chaos`, without a slash at its end'
const ORIGIN = 'an origin like `http://localhost:5173`'

/** The most entries in a list of hosts or origins. */
const MAX_ADDRESSES = 1_000

const handlerSchema = optionsSchema({
  basePath: option.optional(
    option.matching(/^(\/(?!\.{1,2}(\/|$))[\w.~-]+)+$/, PATH, 'The path at which the API is mounted.'),
    BASE_PATH,
  ),
  allowedHosts: option.optional(option.list(option.text('A host.'), MAX_ADDRESSES, 'hosts'), []),
  allowedOrigins: option.optional(
    option.list(option.matching(/^https?:\/\/[^/]+$/, ORIGIN, 'An origin.'), MAX_ADDRESSES, 'origins'),
    [],
  ),
  loopbackOnly: option.optional(option.flag('Whether to accept only requests from this machine.'), true),
  maxBodyBytes: option.optional(option.count('The largest request body, in bytes.', 1), 65_536),
  maxRequestsPerSecond: option.optional(option.count('The most requests per second.', 1), 50),
  page: option.optional(
    option.either(
      option.flag('Whether to serve the page for people.'),
      option.object('What the page says of the process.'),
      'true, false, or an object with what the page says of the process',
    ),
    true,
  ),
})

/** The longest name of an app, and the longest option of the command, in characters. */
const MAX_NAME = 200
const MAX_COMMAND_OPTION = 1_024

const pageSchema = optionsSchema({
  name: option.optional(option.text('The name of the app.', MAX_NAME)),
  pid: option.optional(option.count('The process id.', 1)),
  commandOptions: option.optional(
    option.list(option.text('An option of the command.', MAX_COMMAND_OPTION), 10, 'options of the command'),
    [],
  ),
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
  { token, notFound = plainNotFound, clock = systemClock, onAudit, auditFile, ...given }: HandlerOptions,
): ControlHandler {
  checkToken(token)
  const { basePath, maxBodyBytes, page: asked, ...allowed } = checkOptions(handlerSchema, given, 'createHandler')
  const controller = controllerOf(chaos)
  const limits = { maxBodyBytes, bodyTimeoutMs: BODY_TIMEOUT_MS, clock }
  const audit = auditLog(clock, auditTo({ onAudit, auditFile }))
  const sessions = asked === false ? undefined : createSessions(basePath, clock)
  const access = accessControl({ ...allowed, token, clock, sessions })
  const keys = oneTimeKeys(clock)
  const page =
    sessions &&
    createPage({ controller, access, audit, sessions, keys, basePath, limits, about: aboutOf(asked, controller) })
  const api = createApi({ controller, notFound, access, page, audit, ...limits })
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
    oneTimePath() {
      if (page === undefined)
        throw new ChaosError('CHAOS_INVALID_OPTION', 'This endpoint serves no page: its option `page` is false.')
      return `${basePath}/sign-in?once=${keys.mint()}`
    },
    close() {
      closed = true
      return api.close().finally(() => sessions?.close())
    },
  }
}

/** What the page says of the process. */
function aboutOf(asked: boolean | object, controller: ChaosController): About {
  const { name, pid, commandOptions } = checkOptions(pageSchema, asked === true ? {} : asked, 'createHandler `page`')
  return {
    name: name ?? basename(process.argv[1] ?? process.title).slice(0, MAX_NAME),
    // A controller on a connection is one of another process, or of several.
    pid: pid ?? ('closed' in controller ? undefined : process.pid),
    commandOptions,
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
