import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { jwtVerify } from 'jose'
import { WebSocketServer, type WebSocket } from 'ws'
import { BusTimeoutError } from './bus-request.js'
import type { ConsciousnessEventBus } from './event-bus.js'
import type { Health, HealthReport } from './health.js'
import type { JournalApi } from './journal-api.js'
import type { Metrics } from './metrics.js'
import { RateLimit } from './rate-limit.js'

/** Something that answers a part of the paths by itself. */
export interface Mounted {
  /** `false`: not its path, and untouched. */
  handle(request: IncomingMessage, response: ServerResponse): boolean
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
}

/** What the server serves. */
export interface ServerParts {
  readonly host: string
  readonly port: number
  readonly jwtSecret: string
  readonly api: JournalApi
  readonly health: Health
  readonly metrics: Metrics
  readonly bus: ConsciousnessEventBus
  /** Where alerts are asked for. */
  readonly alertsUrl: () => string | undefined
}

/** The HTTP and WebSocket front. */
export interface SecureServer {
  readonly port: number
  mount(part: Mounted): void
  close(): Promise<void>
}

const MAX_BODY_BYTES = 100_000
/** Events that are pushed to WebSocket clients. */
const PUSHED = ['journal:changed', 'module:status', 'health:status', 'storage:circuit_open', 'storage:circuit_close']
const MODULE = 'secure-server'

class HttpError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Starts the front. Everything but /healthz, /readyz, /metrics and alerts wants a token; those are for machines on the same host. */
export async function startServer(parts: ServerParts): Promise<SecureServer> {
  const { api, health, metrics, bus } = parts
  const key = new TextEncoder().encode(parts.jwtSecret)
  const limit = new RateLimit()
  const mounted: Mounted[] = []

  /** The user of a request. @throws HttpError 401 */
  async function userOf({ headers }: IncomingMessage): Promise<string> {
    const token = /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1]
    if (token === undefined) throw new HttpError(401, 'Expected a bearer token.')
    try {
      const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'] })
      return payload.sub ?? 'anonymous'
    } catch {
      throw new HttpError(401, 'Expected a valid token.')
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = addressOf(request)
    const { route, id } = routeOf(url?.pathname ?? '')
    const answered = metrics.request(request.method ?? '', route)
    // Comes after the answer, and when the client goes away before it.
    response.once('close', () => answered(response.headersSent ? response.statusCode : undefined))
    try {
      if (url === undefined) throw new HttpError(400, 'Expected the path of a part of the journal.')
      if (route === '/healthz') report(response, await health.check())
      else if (route === '/readyz') report(response, await health.checkStorage())
      else if (route === '/metrics') {
        const page = await metrics.registry.metrics()
        response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(page)
      } else if (route === '/alerts') await forward(url, parts.alertsUrl(), response)
      else if (route === '/api/journal' || route === '/api/journal/:id') await journal(request, response, id)
      else throw new HttpError(404, 'Not found.')
    } catch (error) {
      fail(response, error)
    }
  }

  async function journal(request: IncomingMessage, response: ServerResponse, id: string | undefined): Promise<void> {
    const waitSeconds = limit.take(await userOf(request))
    if (waitSeconds !== undefined) {
      response.setHeader('retry-after', waitSeconds)
      throw new HttpError(429, 'Too many requests.')
    }
    const method = request.method ?? ''
    const body = method === 'POST' || method === 'PUT' ? await readJson(request) : undefined
    const { status, body: sent } = await api.handle(method, id, body)
    if (sent === undefined) response.writeHead(status).end()
    else json(response, status, sent)
    if (method !== 'GET' && status < 300)
      bus.emit('journal:changed', { method, id: id ?? (sent as { readonly id?: string } | undefined)?.id })
  }

  const server = createServer((request, response) => {
    if (mounted.some((part) => part.handle(request, response))) return
    void answer(request, response)
  })

  const webSockets = new WebSocketServer({ noServer: true, maxPayload: 10_000 })
  const clients = new Set<WebSocket>()
  server.on('upgrade', (request, socket, head) => {
    if (mounted.some((part) => part.upgrade(request, socket, head))) return
    void upgrade(request, socket, head)
  })
  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const refuse = (status: string): void =>
      void socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
    socket.on('error', () => socket.destroy())
    try {
      if (addressOf(request)?.pathname !== '/ws') {
        refuse('404 Not Found')
        return
      }
      await userOf(request)
    } catch {
      refuse('401 Unauthorized')
      return
    }
    webSockets.handleUpgrade(request, socket, head, (client) => {
      clients.add(client)
      client.on('close', () => clients.delete(client)).on('error', () => client.terminate())
    })
  }
  const pushes = PUSHED.map((event) => {
    const push = (payload: unknown): void => {
      const text = JSON.stringify({ event, payload })
      for (const client of clients) if (client.bufferedAmount < 1_000_000) client.send(text)
    }
    bus.subscribe(MODULE, event, push)
    return () => bus.unsubscribe(MODULE, event, push)
  })

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(parts.port, parts.host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    mount: (part) => void mounted.push(part),
    async close() {
      for (const stop of pushes) stop()
      for (const client of clients) client.terminate()
      webSockets.close()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

/** What is asked for; `undefined` when that is no address (`//`). */
function addressOf({ url = '/' }: IncomingMessage): URL | undefined {
  return URL.canParse(url, 'http://journal') ? new URL(url, 'http://journal') : undefined
}

/** The template of a path, for the metrics: a label must not have as many values as there are entries. */
function routeOf(path: string): { readonly route: string; readonly id?: string } {
  const id = /^\/api\/journal\/([\w-]+)$/.exec(path)?.[1]
  if (id !== undefined) return { route: '/api/journal/:id', id }
  if (path === '/alerts' || path.startsWith('/api/v1/')) return { route: '/alerts' }
  return { route: ['/healthz', '/readyz', '/metrics', '/api/journal'].includes(path) ? path : 'unknown' }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function report(response: ServerResponse, { isHealthy, parts }: HealthReport): void {
  json(response, isHealthy ? 200 : 503, {
    healthy: isHealthy,
    parts,
    failing: Object.keys(parts).filter((name) => parts[name] === false),
  })
}

function fail(response: ServerResponse, error: unknown): void {
  // It is too late for an answer, or its client is gone.
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  if (error instanceof HttpError) json(response, error.status, { error: error.message })
  else if (error instanceof BusTimeoutError || (error as { readonly code?: unknown }).code === 'STORAGE_UNAVAILABLE')
    json(response, 503, { error: 'The journal is unavailable right now.' })
  else {
    console.error(
      JSON.stringify({ event: 'request failed', error: error instanceof Error ? error.stack : String(error) }),
    )
    json(response, 500, { error: 'Internal error.' })
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    // Read to its end all the same: leaving here would cut the connection before the answer.
    if (size <= MAX_BODY_BYTES) chunks.push(chunk)
  }
  if (size > MAX_BODY_BYTES) throw new HttpError(413, `Expected a body of at most ${MAX_BODY_BYTES} bytes.`)
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
  } catch {
    throw new HttpError(400, 'Expected a JSON body.')
  }
}

/** Passes a question on to the evaluator. */
async function forward({ pathname, search }: URL, base: string | undefined, response: ServerResponse): Promise<void> {
  if (base === undefined) throw new HttpError(404, 'Not found.')
  const answer = await fetch(base + pathname + search, { signal: AbortSignal.timeout(5_000) })
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
}
