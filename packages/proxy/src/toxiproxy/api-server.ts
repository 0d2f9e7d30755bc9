import { ChaosError, isChaosError } from '@chaos/core'
import { builtin, exempt, messageOf } from '@chaos/core/authoring'
import { randomBytes } from 'node:crypto'
import importedHttp, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { ApiError } from './api-error.js'
import type { ApiProxies } from './api-proxies.js'
import type { MetricsSettings } from './metrics.js'
import { readJson } from './read-json.js'
import { matchRoute, NOT_FOUND, type Answer, type Match } from './routes.js'

const http = builtin('node:http', importedHttp)

/** The most bytes of a body. */
const MAX_BODY = 1_048_576
/** The longest time in which a request must have come, in ms. */
const REQUEST_TIMEOUT_MS = 25_000

/** A server that listens. */
export interface ApiServer {
  readonly address: AddressInfo
  readonly close: () => Promise<void>
}

/**
 * Serves Toxiproxy's API.
 *
 * @throws ChaosError `CHAOS_LISTEN_FAILED` if the address is taken or does not exist.
 */
export async function serveApi(
  proxies: ApiProxies,
  metrics: MetricsSettings,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<ApiServer> {
  const sockets = new Set<Socket>()
  const server = http.createServer((request, response) => {
    void answerOf(request, response, proxies, metrics).then((answer) => send(response, answer))
  })
  server.requestTimeout = REQUEST_TIMEOUT_MS
  server.on('connection', (socket) => {
    sockets.add(exempt(socket))
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new ChaosError(
          'CHAOS_LISTEN_FAILED',
          `Cannot listen on ${host}:${port}: ${messageOf(error)}. Free the address, or pass another host or port; port 0 takes a free port.`,
          { cause: error },
        ),
      ),
    )
    server.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port }, resolve)
  })
  return {
    address: server.address() as AddressInfo,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

async function answerOf(
  request: IncomingMessage,
  response: ServerResponse,
  proxies: ApiProxies,
  metrics: MetricsSettings,
): Promise<Answer> {
  const { url = '', method = '' } = request
  const match = matchRoute(pathOf(url))
  if (match === undefined) return plain(404, NOT_FOUND)
  const route = match.methods[method]
  if (route === undefined) {
    response.setHeader('Allow', Object.keys(match.methods).join(', '))
    return { status: 405 }
  }
  response.setHeader('X-Toxiproxy-Request-Id', randomBytes(10).toString('hex'))
  // A web page that a developer visits could otherwise send requests to this server.
  if (request.headers['user-agent']?.startsWith('Mozilla/') === true) return plain(403, 'User agent not allowed')
  return answerOfRoute(route, match, request, proxies, metrics)
}

/** The path of a request target, which holds the whole address where a client takes this server for an HTTP proxy. */
const pathOf = (target: string): string => target.replace(/^https?:\/\/[^/?]*/i, '').replace(/\?.*$/s, '')

async function answerOfRoute(
  route: NonNullable<Match['methods'][string]>,
  { proxy, toxic }: Match,
  request: IncomingMessage,
  proxies: ApiProxies,
  metrics: MetricsSettings,
): Promise<Answer> {
  const body = async (): Promise<unknown> => readJson(await textOf(request))
  try {
    return await route({ proxies, metrics, proxy, toxic, body, errorAnswer })
  } catch (error) {
    if (error instanceof ApiError && error.message === NOT_FOUND) return plain(404, NOT_FOUND)
    const answer = errorAnswer(error)
    return plain(answer.status, JSON.stringify(answer))
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > MAX_BODY) throw new ApiError(413, `request body is larger than ${MAX_BODY} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** Toxiproxy sends errors as text, though they are JSON. */
const plain = (status: number, text: string): Answer => ({
  status,
  text: `${text}\n`,
  type: 'text/plain; charset=utf-8',
})

const STATUS: Readonly<Partial<Record<string, number>>> = {
  CHAOS_INVALID_OPTION: 400,
  CHAOS_DISABLED: 403,
  CHAOS_ENVIRONMENT_REFUSED: 403,
  CHAOS_TOO_MANY_REQUESTS: 429,
}

function errorAnswer(error: unknown): { readonly error: string; readonly status: number } {
  if (error instanceof ApiError) return { error: error.message, status: error.status }
  return { error: messageOf(error), status: (isChaosError(error) ? STATUS[error.code] : undefined) ?? 500 }
}

function send(response: ServerResponse, { status, json, text, type }: Answer): void {
  const body = json === undefined ? text : JSON.stringify(json)
  response.statusCode = status
  if (body === undefined) {
    response.end()
    return
  }
  response.setHeader('Content-Type', type ?? 'application/json')
  response.setHeader('Content-Length', Buffer.byteLength(body))
  response.end(body)
}
