import { isExempt, type TargetKind } from '@chaos/core/authoring'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import { isNetModule, netModule, type NetModule } from '../sockets/net.js'
import { isRequestTarget, REQUEST_TARGET, type RequestTarget } from './undici/dispatcher.js'

/** An agent of any class, which gives connections to requests of the Node.js client. */
interface RequestAgent {
  readonly addRequest: (...args: never[]) => unknown
}

/** The Node.js client: `node:http` or `node:https` for all of its requests, or an agent for those that it handles. */
export type HttpClient =
  | Pick<typeof http, 'request' | 'get'>
  | Pick<typeof https, 'request' | 'get'>
  | http.Agent
  | RequestAgent

/** The HTTP/2 client of Node.js: the `node:http2` module, for all sessions that undici does not use. */
export type Http2Client = Pick<typeof http2, 'connect' | 'getDefaultSettings'>

/**
 * A target of HTTP faults: the Node.js clients, an HTTP server of this process, or the sender of `fetch` and undici
 * requests.
 */
export type HttpTarget = HttpClient | Http2Client | http.Server | RequestTarget

/** Returns whether a value is an {@link HttpTarget}. */
function isHttpTarget(value: unknown): value is HttpTarget {
  return isHttpClient(value) || isHttp2Client(value) || isHttpServer(value) || isRequestTarget(value)
}

/** The kind of target that HTTP faults accept. */
export const httpTarget: TargetKind<HttpTarget> = {
  expects: `the \`node:http\` or \`node:https\` module, an agent or a server of it, the \`node:http2\` module, ${REQUEST_TARGET}`,
  accepts: isHttpTarget,
}

/** The kind of target that faults on responses accept: the `net` module as well. */
export const netOrHttp: TargetKind<NetModule | HttpTarget> = {
  expects: `${netModule.expects}, ${httpTarget.expects}`,
  accepts: (value) => isNetModule(value) || isHttpTarget(value),
}

/** Returns whether a value is an {@link HttpClient}. */
export function isHttpClient(value: unknown): value is HttpClient {
  return isAgent(value) || protocolOf(value) !== undefined
}

/** Returns whether a value is the `node:http2` module, as default export or namespace. */
export function isHttp2Client(value: unknown): value is Http2Client {
  return typeof value === 'object' && value !== null && 'connect' in value && value.connect === http2.connect
}

function isAgent(value: unknown): value is http.Agent | RequestAgent {
  return (
    value instanceof http.Agent ||
    (typeof value === 'object' && value !== null && 'addRequest' in value && typeof value.addRequest === 'function')
  )
}

/** Returns whether a value is an HTTP or HTTPS server of this process. */
export function isHttpServer(value: unknown): value is http.Server {
  return value instanceof http.Server || value instanceof https.Server
}

/** Returns the protocol of a module's requests. */
function protocolOf(value: unknown): 'http:' | 'https:' | undefined {
  if (typeof value !== 'object' || value === null || !('request' in value)) return undefined
  if (value === http || value.request === http.request) return 'http:'
  return value === https || value.request === https.request ? 'https:' : undefined
}

/** Returns whether a request belongs to a client target. A request by an exempt agent belongs to no module. */
export function isRequestOf(client: HttpClient, request: http.ClientRequest): boolean {
  const agent = agentOf(request)
  if (isAgent(client)) return agent === client
  return request.protocol === protocolOf(client) && !isExempt(agent)
}

function agentOf(request: http.ClientRequest): object | undefined {
  return 'agent' in request && typeof request.agent === 'object' && request.agent !== null ? request.agent : undefined
}

/**
 * Returns the operation name of a client's request: `GET http://127.0.0.1:8080/items`, without the query and a default
 * port.
 */
export function clientRequestName(request: http.ClientRequest): string {
  return `${request.method} ${clientOrigin(request)}${pathOf(request.path)}`
}

/** Returns where a client's request goes: `http://127.0.0.1:8080`, without a default port. */
export function clientOrigin(request: http.ClientRequest): string {
  return `${request.protocol}//${String(request.getHeader('host') ?? request.host)}`
}

/** Returns the operation name of a request to a server: `GET /items`, without the query. */
export function serverRequestName(
  request: Pick<http.IncomingMessage, 'method' | 'url'> & { readonly originalUrl?: unknown },
): string {
  // Express, connect and restify keep the URL there that the client sent, and shorten `url` for mounted routers.
  const { originalUrl, url = '' } = request
  return `${request.method ?? ''} ${pathOf(typeof originalUrl === 'string' ? originalUrl : url)}`
}

/** The events with which a server passes a request on to its handler. */
const REQUEST_EVENTS: ReadonlySet<unknown> = new Set(['request', 'checkContinue', 'checkExpectation'])

/** Returns whether an event of a server passes on a request that expects a response. */
export function isRequestEvent(event: unknown): boolean {
  return REQUEST_EVENTS.has(event)
}

/** Node.js accepts a number as a path. */
function pathOf(url: unknown): string {
  return String(url).replace(/[?#].*$/s, '')
}
