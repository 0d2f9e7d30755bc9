import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import type { App } from '../../../src/app.js'
import { everyNth, type AppSabotages } from './app-sabotage.js'

/** Answers, or looks on: `true` means that it has the request, and that nobody else sees it, the metrics of the app included. */
type Handle = (request: IncomingMessage, response: ServerResponse) => boolean

/** Comes before the listeners that the server has for an event: they hear of it only if `handle` does not take it. */
function before(
  { server: { server } }: App,
  event: 'request' | 'upgrade',
  handle: (request: IncomingMessage, other: never) => boolean,
): void {
  const listeners = server.listeners(event)
  server.removeAllListeners(event)
  server.on(event, (request: IncomingMessage, ...others: unknown[]) => {
    if (handle(request, others[0] as never)) return
    for (const listener of listeners) Reflect.apply(listener, server, [request, ...others])
  })
}

/** Comes before the app's own handling, and before what came first so far. */
const first = (app: App, handle: Handle): void => before(app, 'request', handle)

const isWrite = ({ method, url }: IncomingMessage): boolean => method === 'POST' && url === '/api/journal'
const isList = ({ method, url }: IncomingMessage): boolean => method === 'GET' && url?.split('?')[0] === '/api/journal'
const isRead = ({ method, url = '' }: IncomingMessage): boolean => method === 'GET' && url.startsWith('/api/journal/')
const isPath =
  (path: string) =>
  ({ url }: IncomingMessage): boolean =>
    url === path

function json(response: ServerResponse, status: number, body: unknown): true {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  return true
}

/** Hands a request on to the app later, as if it had come only then. */
function later(delayMs: number, when: (request: IncomingMessage) => boolean): Handle {
  const delayed = new WeakSet<IncomingMessage>()
  return (request, response) => {
    if (delayed.has(request) || !when(request)) return false
    delayed.add(request)
    setTimeout(
      () => (request.socket as Socket & { readonly server?: Server }).server?.emit('request', request, response),
      delayMs,
    )
    return true
  }
}

/** Changes the JSON that the app answers. */
function changed(when: (request: IncomingMessage) => boolean, change: (body: unknown) => unknown): Handle {
  return (request, response) => {
    if (!when(request)) return false
    const end = response.end.bind(response) as (text?: string) => ServerResponse
    const writeHead = response.writeHead.bind(response) as (status: number, headers: object) => ServerResponse
    // The length that the app sets is that of its own answer.
    response.writeHead = ((status: number, { 'content-length': _length, ...headers }: Record<string, unknown>) =>
      writeHead(status, headers)) as ServerResponse['writeHead']
    response.end = ((text?: string) =>
      end(
        text === undefined || response.statusCode !== 200 ? text : JSON.stringify(change(JSON.parse(text))),
      )) as ServerResponse['end']
    return false
  }
}

const isHealthy = { healthy: true, parts: { loop: true, eventBus: true, storage: true }, failing: [] }

export const httpSabotages: AppSabotages = {
  'writes-hang': { apply: (app, moments) => first(app, (request) => moments.has('landed') && isWrite(request)) },
  'writes-429-once-open': {
    apply(app) {
      let isOpen = false
      app.bus.on('storage:circuit_open', () => (isOpen = true))
      first(
        app,
        (request, response) => isOpen && isWrite(request) && json(response, 429, { error: 'Too many requests.' }),
      )
    },
  },
  'writes-500-uncounted': {
    apply: (app, moments) =>
      first(
        app,
        (request, response) =>
          moments.has('landed') && isWrite(request) && json(response, 500, { error: 'Internal error.' }),
      ),
  },
  'reads-500-uncounted': {
    apply(app, moments) {
      const isUnlucky = everyNth(5)
      first(
        app,
        (request, response) =>
          moments.has('ended') && isRead(request) && isUnlucky() && json(response, 500, { error: 'Internal error.' }),
      )
    },
  },
  'reads-empty-objects': {
    apply(app, moments) {
      const isUnlucky = everyNth(5)
      first(
        app,
        (request, response) => moments.has('landed') && isRead(request) && isUnlucky() && json(response, 200, {}),
      )
    },
  },
  'list-empty': {
    apply: (app, moments) =>
      first(
        app,
        changed(
          (request) => moments.has('landed') && isList(request),
          () => [],
        ),
      ),
  },
  'list-without-newest': {
    apply: (app, moments) =>
      first(
        app,
        changed(
          (request) => moments.has('ended') && isList(request),
          (body) => {
            const newest = (entries: readonly { readonly createdAt: string }[]): string =>
              entries
                .map(({ createdAt }) => createdAt)
                .sort()
                .at(-20) ?? ''
            const entries = body as readonly { readonly createdAt: string }[]
            return entries.filter(({ createdAt }) => createdAt < newest(entries))
          },
        ),
      ),
  },
  'writes-slow-uncounted': {
    apply: (app, moments) =>
      first(
        app,
        later(6_000, (request) => moments.has('ended') && isWrite(request)),
      ),
  },
  'health-says-yes': {
    apply: (app) => first(app, (request, response) => isPath('/healthz')(request) && json(response, 200, isHealthy)),
  },
  'health-slow-and-yes': {
    apply(app) {
      first(app, (request, response) => isPath('/healthz')(request) && json(response, 200, isHealthy))
      first(app, later(1_900, isPath('/healthz')))
    },
  },
  'listeners-refused': {
    apply(app, moments) {
      const open = new Set<Duplex>()
      before(app, 'upgrade', (request: IncomingMessage, socket: Duplex) => {
        if (request.url !== '/ws') return false
        open.add(socket)
        if (!moments.has('landed')) return false
        socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
        return true
      })
      moments.at('landed', () => open.forEach((socket) => socket.destroy()))
    },
  },
  'stops-serving-after-recovery': {
    apply: (_app, moments) => moments.at('ended', () => process.kill(process.pid, 'SIGKILL'), 3_000),
  },
}
