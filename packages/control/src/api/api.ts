import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { ChaosError, type ChaosController, type Clock, type ControllerInfo } from '@chaos/core'
import { checkOptions, printable } from '@chaos/core/authoring'
import { appEventOf } from './app-event.js'
import type { AuditLog } from './audit-log.js'
import { readJson, type BodyLimits } from './body.js'
import { callerOf, type Caller } from './callers.js'
import { changeOf, conclude, type Change } from './changes.js'
import { eventStream, type EventConnection } from './event-stream.js'
import { injectAllFor } from './inject-all.js'
import { injectFor } from './inject-for-caller.js'
import { openApiDocument } from './openapi.js'
import { isAnythingInForce } from './process-wide.js'
import { identityOf, repeatedRequests } from './repeated-requests.js'
import { refusalOf, replyOf, type Reply } from './replies.js'
import { fieldIn } from './request-field.js'
import type { Call, Route } from './route.js'
import { matchRoutes, stopReportOf } from './routes.js'

/** Headers of an answer. */
type Headers = Readonly<Record<string, string>>

/** A request that an endpoint accepts. */
interface Admission {
  /** Headers for every answer to the request. */
  readonly headers: Headers
  /** How its sender has proved that it may ask: `the same user`, `the token`, or `session 3` of the page. */
  readonly by: string
}

/** The checks of an endpoint: which requests are accepted. */
export interface AccessControl {
  /**
   * Checks a request before its body is read.
   *
   * @throws ChaosError for a request that is rejected.
   */
  readonly admit: (req: IncomingMessage) => Admission
  /** Whether this is a CORS preflight, which is answered with headers only. */
  readonly isPreflight: (req: IncomingMessage) => boolean
}

/** The page for people that an endpoint serves beside the API. */
export interface Page {
  /** Answers a request for the page. @returns `false` for any other request, which stays untouched. */
  readonly answer: (req: IncomingMessage, res: ServerResponse, path: string, info: ControllerInfo) => Promise<boolean>
  /** Answers a form that stopped something while the endpoint is hidden. @returns `false` for any other request. */
  readonly answerUnseen: (req: IncomingMessage, res: ServerResponse, path: string) => Promise<boolean>
}

/** Options of {@link createApi}. */
export interface ApiOptions extends BodyLimits {
  readonly controller: ChaosController
  readonly clock: Clock
  readonly access: AccessControl
  readonly page?: Page | undefined
  readonly audit: AuditLog
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
const HEADERS: Headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

const NOT_FOUND = STATUS_CODES[404] ?? ''

/** The description that replaces the one of a controller that does not answer. */
const UNKNOWN: ControllerInfo = {
  environment: undefined,
  refusal: 'The controller of this process does not answer.',
  seed: '',
  maxLeaseMs: 0,
  now: undefined,
}

export function createApi({ controller, clock, access, page, audit, notFound, ...limits }: ApiOptions): Api {
  const stream = eventStream(controller, clock)
  const repeated = repeatedRequests(clock)

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
    const change = req.method === 'DELETE' && path === '/injections' ? changeOf(req, path) : undefined
    const by = change === undefined ? undefined : admitted(req)?.by
    if (change !== undefined && by !== undefined) {
      const report = await controller.stopAll()
      if (report.stopped.length > 0) {
        const reply = replyOf({ status: 200 }, stopReportOf(report))
        conclude(audit, { ...change, by }, reply, false)
        send(res, HEADERS, reply)
        return
      }
    }
    if ((await page?.answerUnseen(req, res, path)) !== true) notFound(req, res)
  }

  function admitted(req: IncomingMessage): Admission | undefined {
    try {
      return access.admit(req)
    } catch {
      return undefined
    }
  }

  async function answer(req: IncomingMessage, res: ServerResponse, path: string): Promise<void> {
    const info = await visible()
    if (info === undefined) return answerUnseen(req, res, path)
    if ((await page?.answer(req, res, path, info)) === true) return
    const change = changeOf(req, path)
    let headers = HEADERS
    try {
      const { by, headers: own } = access.admit(req)
      headers = { ...headers, ...own }
      if (change !== undefined) change.by = by
      if (access.isPreflight(req)) return void res.writeHead(204, headers).end()
      if (path === '/events') {
        follow(req, res, headers, info)
        return
      }
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
      const { reply, isRepeated } = await run(route, match.id, by, req, res, path, change)
      if (isRepeated) headers = { ...headers, 'idempotency-replayed': 'true' }
      finish(reply, isRepeated)
    } catch (thrown) {
      finish(refusalOf(thrown), false)
    }

    function finish(reply: Reply, isRepeated: boolean): void {
      // An unread body would block the connection, so it is closed.
      if (!req.complete) headers = { ...headers, connection: 'close' }
      if (reply.status === 401) headers = { ...headers, 'www-authenticate': 'Bearer' }
      if (change !== undefined) conclude(audit, change, reply, isRepeated)
      send(res, headers, reply)
    }
  }

  /** Answers with server-sent events. */
  function follow(req: IncomingMessage, res: ServerResponse, headers: Headers, info: ControllerInfo): void {
    if (req.method !== 'GET' || !/\btext\/event-stream\b/i.test(req.headers.accept ?? ''))
      throw new ChaosError(
        'CHAOS_INVALID_REQUEST',
        '/events is a WebSocket, but this request has no upgrade. If the client sent one, the server does not forward `upgrade` events: use `mountEndpoint(server, chaos, …)`. For server-sent events, send GET with `Accept: text/event-stream`.',
      )
    assertRoom()
    stream.answer(req, res, headers, info)
  }

  function assertRoom(): void {
    if (stream.isFull)
      throw new ChaosError('CHAOS_TOO_MANY_REQUESTS', 'Too many event streams are open. Close one first.')
  }

  async function run(
    route: Route,
    id: string,
    by: string,
    req: IncomingMessage,
    res: ServerResponse,
    path: string,
    change: Change | undefined,
  ): Promise<{ readonly reply: Reply; readonly isRepeated: boolean }> {
    const name = `${route.method} ${route.path}`
    const query = queryOf(req)
    try {
      checkOptions(route.query, query, name)
    } catch (error) {
      return { reply: refusalOf(error, ({ field }) => field.slice(1)), isRepeated: false }
    }
    const body = route.body === undefined ? undefined : await readJson(req, { ...limits, clock })
    if (change !== undefined && isRecord(body)) change.request = body
    const fault = isRecord(body) ? body['fault'] : undefined
    const work = async (caller: Caller): Promise<Reply> => {
      try {
        return replyOf(route, await route.run(callOf(id, query, body, caller)))
      } catch (error) {
        return refusalOf(error, (details) => (details.of === name ? details.field : fieldIn(details, fault)))
      }
    }
    const identity = route.takesKey === true ? identityOf(req, by, path, body) : undefined
    if (identity === undefined) return { reply: await work(callerOf(res)), isRepeated: false }
    return repeated.answer(identity, callerOf(res), work)
  }

  /** What a route works with. */
  function callOf(id: string, query: Call['query'], body: unknown, caller: Caller): Call {
    return {
      controller,
      id,
      query,
      body,
      check(request) {
        holderOf(request.connection)
        return controller.check(request.target, request.fault, request.options, request.how)
      },
      arm: (request) => injectFor(controller, request, caller, holderOf(request.connection)),
      armAll: (requests) => injectAllFor(controller, requests, caller, holderOf(requests[0]?.connection)),
      document: openApiDocument,
      audit: () => audit.entries(),
    }
  }

  function holderOf(connection: string | undefined): EventConnection | undefined {
    if (connection === undefined) return undefined
    const holder = stream.connection(connection)
    if (holder !== undefined) return holder
    throw new ChaosError(
      'CHAOS_UNKNOWN_CONNECTION',
      'No event stream with this `connection` id is open here. Nothing was injected.',
    )
  }

  function send(res: ServerResponse, headers: Headers, { status, type, text }: Reply): void {
    if (status === 204) return void res.writeHead(status, headers).end()
    res.writeHead(status, { ...headers, 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text)
  }

  async function open(req: IncomingMessage, socket: Duplex, head: Buffer, path: string): Promise<void> {
    const info = await visible()
    if (info === undefined) {
      refuse(socket, 404, 'text/plain; charset=utf-8', NOT_FOUND)
      return
    }
    try {
      access.admit(req)
      if (path !== '/events') {
        refuse(socket, 404, 'text/plain; charset=utf-8', NOT_FOUND)
        return
      }
      assertRoom()
      stream.accept(req, socket, head, info)
    } catch (thrown) {
      const { status, type, text } = refusalOf(thrown)
      refuse(socket, status, type, text)
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

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

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
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
