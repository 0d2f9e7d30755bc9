import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { ChaosError, type ChaosController, type Clock, type ControllerInfo } from '@chaos/core'
import { checkOptions, printable } from '@chaos/core/authoring'
import { injectFor, type Caller } from './inject-for-caller.js'
import { readJson, type BodyLimits } from './body.js'
import { errorInfo } from './error-table.js'
import { asChaosError, errorBody } from './errors.js'
import { eventStream, type EventConnection } from './event-stream.js'
import { toJson } from './json.js'
import { appEventOf } from './app-event.js'
import { openApiDocument } from './openapi.js'
import { isAnythingInForce } from './process-wide.js'
import { matchRoutes, stopReportOf, type InjectRequest, type Route } from './routes.js'

/** Headers of an answer. */
type Headers = Readonly<Record<string, string>>

/** The checks of an endpoint: which requests are accepted. */
export interface AccessControl {
  /**
   * Checks a request before its body is read.
   *
   * @returns Headers for every answer to this request.
   * @throws ChaosError for a request that is rejected.
   */
  readonly admit: (req: IncomingMessage) => Headers
  /** Whether this is a CORS preflight, which is answered with headers only. */
  readonly isPreflight: (req: IncomingMessage) => boolean
}

/** Options of {@link createApi}. */
export interface ApiOptions extends BodyLimits {
  readonly controller: ChaosController
  readonly clock: Clock
  readonly access: AccessControl
  /** Answers like the server answers an unknown path. */
  readonly notFound: (req: IncomingMessage, res: ServerResponse) => void
}

/**
 * The control API, independent of its listener. `path` is relative to the base path and has no query: `/` or
 * `/targets`.
 */
export interface Api {
  handle(req: IncomingMessage, res: ServerResponse, path: string): void
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, path: string): void
  /** Sends an app event to all clients. @throws ChaosError `CHAOS_INVALID_OPTION` when the topic or data is invalid */
  notify(topic: string, data: Readonly<Record<string, unknown>>): void
  /** Disconnects the event streams and waits until the injections that they held are rolled back. */
  close(): Promise<void>
}

/** Headers of every answer. */
const HEADERS: Headers = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
}

const NOT_FOUND = STATUS_CODES[404] ?? ''

/** The description that replaces the one of a controller that does not answer. */
const UNKNOWN: ControllerInfo = {
  environment: undefined,
  refusal: 'The controller of this process does not answer.',
  seed: '',
  maxLeaseMs: 0,
  now: undefined,
}

export function createApi({ controller, clock, access, notFound, ...limits }: ApiOptions): Api {
  const stream = eventStream(controller, clock)

  /**
   * The controller's description while the endpoint is visible. Where chaos is not switched on, the endpoint answers
   * like an unknown path. While an injection is in force, the endpoint stays visible so that clients can list and stop
   * injections; the controller refuses new ones.
   */
  const visible = async (): Promise<ControllerInfo | undefined> => {
    const info = await controller.info().catch(() => UNKNOWN)
    return info.refusal === undefined || (await isAnythingInForce(controller)) ? info : undefined
  }

  /**
   * Answers while the endpoint is hidden. Injections made without a controller may be in force, and `DELETE` stops
   * them.
   */
  async function answerUnseen(req: IncomingMessage, res: ServerResponse, path: string): Promise<void> {
    if (req.method === 'DELETE' && path === '/injections' && isAdmitted(req)) {
      const report = await controller.stopAll()
      if (report.stopped.length > 0) {
        send(res, 200, HEADERS, stopReportOf(report))
        return
      }
    }
    notFound(req, res)
  }

  function isAdmitted(req: IncomingMessage): boolean {
    try {
      access.admit(req)
      return true
    } catch {
      return false
    }
  }

  async function answer(req: IncomingMessage, res: ServerResponse, path: string): Promise<void> {
    if ((await visible()) === undefined) return answerUnseen(req, res, path)
    let headers = HEADERS
    try {
      headers = { ...headers, ...access.admit(req) }
      if (access.isPreflight(req)) return void res.writeHead(204, headers).end()
      if (path === '/events')
        throw new ChaosError(
          'CHAOS_INVALID_REQUEST',
          '/events is a WebSocket, but this request has no upgrade. If the client sent one, the server does not forward `upgrade` events: use `mountEndpoint(server, chaos, …)`.',
        )
      const match = matchRoutes(path)
      if (match === undefined) {
        notFound(req, res)
        return
      }
      const route = match.allowed.find(({ method }) => method === req.method)
      if (route === undefined) {
        const allow = match.allowed.map(({ method }) => method).join(', ')
        headers = { ...headers, allow }
        throw new ChaosError(
          'CHAOS_METHOD_NOT_ALLOWED',
          `${printable(path)} takes ${allow}, not ${req.method ?? 'a request without a method'}.`,
        )
      }
      const result = await run(route, match.id, req, res)
      send(res, route.status, headers, result)
    } catch (thrown) {
      const error = asChaosError(thrown)
      const status = errorInfo(error.code).status
      // An unread body would block the connection, so it is closed.
      if (!req.complete) headers = { ...headers, connection: 'close' }
      if (status === 401) headers = { ...headers, 'www-authenticate': 'Bearer' }
      send(res, status, headers, errorBody(error))
    }
  }

  async function run(route: Route, id: string, req: IncomingMessage, res: ServerResponse): Promise<unknown> {
    const caller = callerOf(res)
    const query = queryOf(req)
    checkOptions(route.query, query, `${route.method} ${route.path}`)
    const body = route.body === undefined ? undefined : await readJson(req, { ...limits, clock })
    return route.run({
      controller,
      id,
      query,
      body,
      check(request) {
        holderOf(request)
        return controller.check(request.target, request.fault, request.options, request.how)
      },
      arm: (request) => injectFor(controller, request, caller, holderOf(request)),
      document: openApiDocument,
    })
  }

  function holderOf({ connection }: InjectRequest): EventConnection | undefined {
    if (connection === undefined) return undefined
    const holder = stream.connection(connection)
    if (holder !== undefined) return holder
    throw new ChaosError(
      'CHAOS_UNKNOWN_CONNECTION',
      'No event stream with this `connection` id is open here. Nothing was injected.',
    )
  }

  function send(res: ServerResponse, status: number, headers: Headers, body: unknown): void {
    if (status === 204) return void res.writeHead(status, headers).end()
    const text = toJson(body)
    res.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) }).end(text)
  }

  async function open(req: IncomingMessage, socket: Duplex, head: Buffer, path: string): Promise<void> {
    const info = await visible()
    if (info === undefined) {
      refuse(socket, 404, 'text/plain', NOT_FOUND)
      return
    }
    try {
      access.admit(req)
      if (path !== '/events') {
        refuse(socket, 404, 'text/plain', NOT_FOUND)
        return
      }
      if (stream.isFull)
        throw new ChaosError('CHAOS_TOO_MANY_REQUESTS', 'Too many event streams are open. Close one first.')
      stream.accept(req, socket, head, info)
    } catch (thrown) {
      const error = asChaosError(thrown)
      refuse(socket, errorInfo(error.code).status, 'application/json', toJson(errorBody(error)))
    }
  }

  return {
    // Answering failed, so no client is left to report the error to.
    handle: (req, res, path) => void answer(req, res, path).catch(() => res.destroy()),
    upgrade(req, socket, head, path) {
      socket.on('error', () => socket.destroy())
      void open(req, socket, head, path).catch(() => socket.destroy())
    },
    notify: (topic, data) => stream.notify(appEventOf(topic, data, clock)),
    close: () => stream.close(),
  }
}

/** The client of a response. The client has left if its connection closes before the answer is sent. */
function callerOf(res: ServerResponse): Caller {
  const hasLeft = (): boolean => res.destroyed && !res.writableEnded
  return {
    get hasLeft() {
      return hasLeft()
    },
    onLeft(listener) {
      const onClose = (): void => {
        if (hasLeft()) listener()
      }
      res.on('close', onClose)
      return () => void res.off('close', onClose)
    },
  }
}

/** The longest query, in characters. */
const MAX_QUERY = 1_024

function queryOf(req: IncomingMessage): Readonly<Record<string, unknown>> {
  const url = req.url ?? ''
  const start = url.indexOf('?')
  if (start === -1) return {}
  if (url.length - start > MAX_QUERY)
    throw new ChaosError(
      'CHAOS_URL_TOO_LONG',
      `The query has ${url.length - start} characters, more than ${MAX_QUERY}.`,
    )
  return Object.fromEntries(new URLSearchParams(url.slice(start + 1)))
}

function refuse(socket: Duplex, status: number, type: string, body: string): void {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    `Content-Type: ${type}; charset=utf-8`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
