import type { TargetKind } from '@chaos/core/authoring'
import http from 'node:http'
import https from 'node:https'
import { isNetModule, netModule, type NetModule } from '../sockets/net.js'
import { isRequestTarget, REQUEST_TARGET, type RequestTarget } from './dispatcher.js'

/** Node.js' own client: `node:http` or `node:https` for all of its requests, or one agent for those that it takes. */
export type HttpClient = Pick<typeof http, 'request' | 'get'> | Pick<typeof https, 'request' | 'get'> | http.Agent

/** Whatever has requests and answers: Node.js' client, an HTTP server of this process, or what `fetch` and undici send by. */
export type HttpTarget = HttpClient | http.Server | RequestTarget

/** Whether a value is one. */
function isHttpTarget(value: unknown): value is HttpTarget {
  return isHttpClient(value) || isHttpServer(value) || isRequestTarget(value)
}

/** The kind of target that faults take. */
export const httpTarget: TargetKind<HttpTarget> = {
  expects: `the \`node:http\` or \`node:https\` module, an agent or a server of it, ${REQUEST_TARGET}`,
  accepts: isHttpTarget,
}

/** What faults of responses take beside that. */
export const netOrHttp: TargetKind<NetModule | HttpTarget> = {
  expects: `${netModule.expects}, ${httpTarget.expects}`,
  accepts: (value) => isNetModule(value) || isHttpTarget(value),
}

/** Whether a value stands for requests of Node.js' own client. */
export function isHttpClient(value: unknown): value is HttpClient {
  return value instanceof http.Agent || protocolOf(value) !== undefined
}

/** Whether a value is a server of this process, also one that speaks TLS. */
export function isHttpServer(value: unknown): value is http.Server {
  return value instanceof http.Server || value instanceof https.Server
}

/** The protocol that a module stands for. */
function protocolOf(value: unknown): 'http:' | 'https:' | undefined {
  if (typeof value !== 'object' || value === null || !('request' in value)) return undefined
  if (value === http || value.request === http.request) return 'http:'
  return value === https || value.request === https.request ? 'https:' : undefined
}

/** Whether a client's request is one of those that a target stands for. */
export function isRequestOf(client: HttpClient, request: http.ClientRequest): boolean {
  if (client instanceof http.Agent) return agentOf(request) === client
  return request.protocol === protocolOf(client)
}

function agentOf(request: http.ClientRequest): unknown {
  return 'agent' in request ? request.agent : undefined
}

/** The name of a client's request as an operation: `GET http://127.0.0.1:8080/items`, without the query and a port that goes without saying. */
export function clientRequestName(request: http.ClientRequest): string {
  const host = request.getHeader('host') ?? request.host
  return `${request.method} ${request.protocol}//${String(host)}${pathOf(request.path)}`
}

/** The name of a request that a server got: `GET /items`, without the query. */
export function serverRequestName(request: http.IncomingMessage): string {
  return `${request.method ?? ''} ${pathOf(request.url ?? '')}`
}

/** Node.js takes a number, too. */
function pathOf(url: unknown): string {
  return String(url).replace(/[?#].*$/s, '')
}
