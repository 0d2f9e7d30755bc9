import * as faults from '@chaos/adapter/http'
import * as net from '@chaos/adapter/net'
import { once } from 'node:events'
import http from 'node:http'
import nodeNet, { type AddressInfo, type Socket } from 'node:net'
import type { Breakage, Draw, Subject } from './schedule.js'

/** A server that answers in pieces, and what has been opened to it. */
export interface Service {
  readonly server: http.Server
  readonly origin: string
  readonly close: () => Promise<void>
}

const accepted = new Map<string, object>()

/** Starts the one server that all schedules use, so that what one leaves behind the next one finds. */
export async function startService(): Promise<Service> {
  // Node.js makes the dispatcher of `fetch` when it loads it.
  Reflect.get(globalThis, 'Request')
  const server = http.createServer((request, response) => {
    note('server request', request)
    note('server response', response)
    note('server socket', request.socket)
    request.resume()
    response.on('error', ignore)
    if (request.url === '/whole') response.writeHead(200, { 'content-length': '8' }).end('12345678')
    else {
      response.writeHead(200)
      response.write('first ')
      setImmediate(() => {
        response.write('second ')
        setImmediate(() => response.end('third'))
      })
    }
  })
  server.on('clientError', (_error, socket) => socket.destroy())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    server,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const ignore = (): void => undefined
let counted = 0
/** @param object Absent where a request has no connection: its agent has reported an error in place of one. */
const note = (name: string, object: object | undefined | null): void => {
  if (object !== undefined && object !== null) accepted.set(`${name} ${(counted += 1)}`, object)
}

const pick = <T>(draw: Draw, values: readonly T[]): T => values[draw(values.length)] as T

/** The faults of requests and responses, with options that end within a lease. */
const breakagesOf = (target: object): readonly Breakage[] =>
  (
    [
      () => faults.hangRequests(),
      (draw) => faults.delayRequests({ delayMs: pick(draw, [1, 50, 2_000]) }),
      (draw) => faults.answerRequests({ afterMs: pick(draw, [0, 20]) }),
      () => faults.hangResponses(),
      (draw) => faults.slowResponses({ delayMs: pick(draw, [1, 100]) }),
      (draw) => faults.cutResponses({ afterBytes: pick(draw, [0, 3, 1_000]) }),
      (draw) => faults.corruptResponses({ damage: pick(draw, ['garble', 'truncate', 'empty']) }),
    ] as readonly Breakage['make'][]
  ).map((make) => ({ target, make }))

const connectionFaults: readonly Breakage['make'][] = [
  () => net.refuseConnections() as ReturnType<Breakage['make']>,
  () => net.hangConnections() as ReturnType<Breakage['make']>,
  (draw) => net.delayConnections({ delayMs: pick(draw, [1, 100]) }) as ReturnType<Breakage['make']>,
  // It looks for the sockets that there are, which takes longer than all else here.
  (draw) => (draw(8) === 0 ? net.cutConnections() : net.refuseConnections()) as ReturnType<Breakage['make']>,
]

/** An application that asks over `node:http` with connections that it keeps, and over `fetch`. */
export function httpSubject({ server, origin }: Service): Subject {
  accepted.clear()
  const agent = new http.Agent({ keepAlive: true, maxSockets: 2 })
  const requests: http.ClientRequest[] = []
  const responses: http.IncomingMessage[] = []
  const fetching: { readonly abort: AbortController; readonly done: Promise<void> }[] = []
  const sockets = new Set<Socket>()
  const ask = (draw: Draw): void => {
    const request = http.request(`${origin}${pick(draw, ['/whole', '/pieces'])}`, {
      agent: pick(draw, [agent, undefined]),
      method: pick(draw, ['GET', 'GET', 'HEAD', 'POST']),
      timeout: 60_000,
    })
    request.on('error', ignore)
    request.on('socket', (socket: Socket) => {
      sockets.add(socket)
      note('client socket', socket)
    })
    request.on('response', (response: http.IncomingMessage) => {
      note('client response', response)
      responses.push(response)
      response.on('error', ignore)
      if (draw(3) > 0) response.resume()
    })
    note('client request', request)
    requests.push(request)
    request.end(request.method === 'POST' ? 'content' : undefined)
  }
  const get = (draw: Draw): void => {
    const abort = new AbortController()
    const done = (async () => {
      const response = await fetch(`${origin}${pick(draw, ['/whole', '/pieces'])}`, { signal: abort.signal })
      note('fetched response', response)
      await response.text()
    })().catch(ignore)
    fetching.push({ abort, done })
  }
  return {
    breakages: [
      ...breakagesOf(http),
      ...breakagesOf(agent),
      ...breakagesOf(server),
      ...breakagesOf(globalThis),
      ...connectionFaults.map((make) => ({ target: nodeNet, make })),
      { target: nodeNet, make: () => faults.slowResponses({ delayMs: 10 }) as ReturnType<Breakage['make']> },
    ],
    moves: [
      ask,
      ask,
      ask,
      get,
      get,
      (draw) => requests[draw(requests.length + 1)]?.destroy(),
      (draw) => responses[draw(responses.length + 1)]?.resume(),
      (draw) => responses[draw(responses.length + 1)]?.destroy(),
      (draw) => fetching[draw(fetching.length + 1)]?.abort.abort(),
      (draw) => [...sockets][draw(sockets.size + 1)]?.destroy(),
      (draw) => {
        const request = requests[draw(requests.length + 1)]
        if (request !== undefined) Reflect.set(request, 'appKey', 1.5)
      },
      () => new Promise((resolve) => setTimeout(resolve, 2)),
    ],
    met: () => ({
      ...Object.fromEntries(accepted),
      server,
      agent,
      'http.globalAgent': http.globalAgent,
      'http.Agent.prototype': http.Agent.prototype,
      'http.ClientRequest.prototype': http.ClientRequest.prototype,
      'http.ServerResponse.prototype': http.ServerResponse.prototype,
      'http.OutgoingMessage.prototype': http.OutgoingMessage.prototype,
      'http.IncomingMessage.prototype': http.IncomingMessage.prototype,
      'net.Socket.prototype': nodeNet.Socket.prototype,
      dispatcher: Reflect.get(globalThis, Symbol.for('undici.globalDispatcher.1')) as object,
    }),
    async close() {
      requests.forEach((request) => request.destroy())
      fetching.forEach(({ abort }) => abort.abort())
      agent.destroy()
      server.closeAllConnections()
      await Promise.all([
        ...requests.filter(({ closed }) => !closed).map((request) => once(request, 'close').catch(ignore)),
        ...fetching.map(({ done }) => done),
      ])
    },
  }
}
