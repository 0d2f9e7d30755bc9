import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { jwtVerify } from 'jose'
import { BusTimeoutError } from './bus-request.js'
import type { ConsciousnessEventBus } from './event-bus.js'
import type { Health, HealthReport } from './health.js'
import { HttpError } from './http-error.js'
import { RateLimit } from './rate-limit.js'
import type { Metrics } from './metrics.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, on routes that require a token. */
    user: string
  }
}

/** The parts that the server exposes. */
export interface ServerParts {
  readonly jwtSecret: string
  /** Adds the journal routes, which require a token. */
  readonly journal: (server: FastifyInstance) => void
  readonly health: Health
  readonly metrics: Metrics
  readonly bus: ConsciousnessEventBus
  /** Returns the address of the alert evaluator; `undefined` before it runs. */
  readonly alertsUrl: () => string | undefined
}

const MAX_BODY_BYTES = 100_000
const MAX_MESSAGE_BYTES = 10_000
/** The amount of unsent data, in bytes, above which a WebSocket client gets no further events. */
const MAX_BUFFERED_BYTES = 1_000_000
/** The events that are pushed to WebSocket clients. */
const PUSHED = ['journal:changed', 'module:status', 'health:status', 'storage:circuit_open', 'storage:circuit_close']
const MODULE = 'secure-server'

/**
 * Creates the HTTP and WebSocket server without routes. Hooks that are added before {@link addRoutes} see every request
 * first.
 */
export async function newServer(): Promise<FastifyInstance> {
  const server = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    frameworkErrors: (...args) => void answerError(...args),
  })
  server.setErrorHandler(answerError)
  server.setNotFoundHandler(() => {
    throw new HttpError(404, 'Not found.')
  })
  // A body is parsed as JSON regardless of its content type.
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : JSON.parse(body as string))
    } catch {
      done(new HttpError(400, 'The body must be JSON.'))
    }
  })
  await server.register(websocket, {
    options: { maxPayload: MAX_MESSAGE_BYTES },
    preClose(done) {
      for (const client of server.websocketServer.clients) client.terminate()
      done()
    },
  })
  return server
}

/**
 * Adds the routes of the app. /healthz, /readyz, /metrics and the alerts need no token: they are for local monitoring.
 */
export function addRoutes(server: FastifyInstance, parts: ServerParts): void {
  const { health, metrics, bus } = parts
  const userOf = authenticator(parts.jwtSecret)
  const limit = new RateLimit()

  server.addHook('onRequest', (request, { raw }, done) => {
    if (!request.ws) {
      const answered = metrics.request(request.method, routeOf(request))
      // `close` is emitted after the answer, and also when the client disconnects before it.
      raw.once('close', () => answered(raw.headersSent ? raw.statusCode : undefined))
    }
    if (URL.canParse(request.url, 'http://journal')) done()
    else done(new HttpError(400, 'The URL of the request is invalid.'))
  })

  server.get('/healthz', async (_request, reply) => report(reply, await health.check()))
  server.get('/readyz', async (_request, reply) => report(reply, await health.checkStorage()))
  server.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  )
  for (const url of ['/alerts', '/api/v1/*']) {
    server.get(url, async (request, reply) => {
      const base = parts.alertsUrl()
      if (base === undefined) throw new HttpError(404, 'Not found.')
      const answer = await fetch(base + request.url, { signal: AbortSignal.timeout(5_000) })
      return reply
        .code(answer.status)
        .type('application/json')
        .send(await answer.text())
    })
  }

  server.decorateRequest('user', '')
  server.register((journal, _options, done) => {
    journal.addHook('onRequest', async (request, reply) => {
      request.user = await userOf(request)
      const waitSeconds = limit.take(request.user)
      if (waitSeconds === undefined) return
      reply.header('retry-after', waitSeconds)
      throw new HttpError(429, 'Too many requests.')
    })
    parts.journal(journal)
    done()
  })

  server.route({
    method: 'GET',
    url: '/ws',
    async onRequest(request) {
      await userOf(request)
    },
    handler: (_request, reply) => reply.callNotFound(),
    wsHandler: () => undefined,
  })
  for (const event of PUSHED) {
    const push = (payload: unknown): void => {
      const text = JSON.stringify({ event, payload })
      for (const client of server.websocketServer.clients)
        if (client.bufferedAmount < MAX_BUFFERED_BYTES) client.send(text)
    }
    bus.subscribe(MODULE, event, push)
    server.addHook('onClose', (_server, done) => {
      bus.unsubscribe(MODULE, event, push)
      done()
    })
  }
}

/**
 * Creates the authentication of requests.
 *
 * @returns A function that returns the user of a request, or throws HttpError 401.
 */
function authenticator(secret: string): (request: FastifyRequest) => Promise<string> {
  const key = new TextEncoder().encode(secret)
  return async ({ headers }) => {
    const token = /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1]
    if (token === undefined) throw new HttpError(401, 'The request needs a bearer token.')
    try {
      const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'] })
      return payload.sub ?? 'anonymous'
    } catch {
      throw new HttpError(401, 'The token is invalid or expired.')
    }
  }
}

/** The route template of a request. As a metrics label, it keeps the number of values small. */
function routeOf({ routeOptions: { url = 'unknown' } }: FastifyRequest): string {
  return url === '/api/v1/*' ? '/alerts' : url
}

function report(reply: FastifyReply, { isHealthy, parts }: HealthReport): FastifyReply {
  const failing = Object.keys(parts).filter((name) => parts[name] === false)
  return reply.code(isHealthy ? 200 : 503).send({ healthy: isHealthy, parts, failing })
}

/** Answers an error of the app, or an error of Fastify, which has its status in `statusCode`. */
function answerError(
  error: Error & { readonly statusCode?: number; readonly code?: unknown },
  _request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  if (error instanceof BusTimeoutError || error.code === 'STORAGE_UNAVAILABLE')
    return reply.code(503).send({ error: 'The journal is unavailable right now.' })
  const { statusCode = 500 } = error
  if (statusCode < 500) return reply.code(statusCode).send({ error: error.message })
  console.error(JSON.stringify({ event: 'request failed', error: error.stack }))
  return reply.code(500).send({ error: 'Internal error.' })
}
