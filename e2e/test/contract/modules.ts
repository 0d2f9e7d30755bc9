import dns from 'node:dns'
import { once } from 'node:events'
import fs from 'node:fs'
import fsPromises from 'node:fs/promises'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { Duplex } from 'node:stream'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { kind, swallow, times, type Kind } from './kind.js'

/** The file that the faults of files may touch. */
export const FILE = join(tmpdir(), `chaos-contract-${process.pid}`)

/** A server that answers nothing, or each HTTP request at once; it lives as long as the suite. */
const accepted: net.Socket[] = []
const silent = net.createServer((socket) => void accepted.push(socket.on('error', swallow)))
const answering = http.createServer((_request, response) => void response.end())

export async function startServers(): Promise<void> {
  fs.writeFileSync(FILE, 'content')
  await Promise.all([silent, answering].map((server) => once(server.listen(0, '127.0.0.1'), 'listening')))
}

export async function stopServers(): Promise<void> {
  fs.rmSync(FILE)
  for (const socket of [...opened.splice(0), ...accepted.splice(0)]) socket.destroy()
  answering.closeAllConnections()
  await Promise.all([silent, answering].map((server) => once(server.close(), 'close')))
}

/** The prototype of the native handle of a socket or server, where faults of connections act. */
const handlePrototypeOf = (owner: object): object =>
  Object.getPrototypeOf(Reflect.get(owner, '_handle') as object) as object
/** The native functions that `node:fs` calls. */
const fileBinding = (): object => (process as unknown as { readonly binding: (name: string) => object }).binding('fs')

const portOf = (server: net.Server): number => (server.address() as net.AddressInfo).port
const origin = (): string => `http://127.0.0.1:${portOf(answering)}`

/** Connections that a case leaves open. */
const opened: net.Socket[] = []

function connect(): net.Socket {
  const socket = net.connect(portOf(silent), '127.0.0.1').on('error', swallow)
  opened.push(socket)
  return socket
}

async function connected(): Promise<net.Socket> {
  const socket = connect()
  await once(socket, 'connect')
  return socket
}

/** What the built-in `fetch` sends its requests through. */
interface Dispatcher {
  dispatch(request: object, handler: object): boolean
}
const dispatcher = (): Dispatcher => {
  // The first use of fetch makes it.
  void fetch('data:,').catch(swallow)
  return Reflect.get(globalThis, Symbol.for('undici.globalDispatcher.1')) as Dispatcher
}

const HANDLER = {
  onConnect: () => undefined,
  onHeaders: () => true,
  onData: () => true,
  onComplete: () => undefined,
  onError: () => undefined,
  onRequestStart: () => undefined,
  onResponseError: () => undefined,
}

/** Dispatches requests, and waits until undici has written each to a connection, where faults act. */
async function dispatched(by: Dispatcher, count: number): Promise<void> {
  await new Promise<void>((resolve) => {
    let sent = 0
    const onStart = (): undefined => {
      sent += 1
      // The request is written in this turn.
      if (sent === count) setImmediate(resolve)
    }
    const handler = { ...HANDLER, onConnect: onStart, onRequestStart: onStart }
    times(count, () => by.dispatch({ origin: origin(), path: '/', method: 'GET' }, handler))
  })
}

/** A request that has no socket yet: the case decides what comes of it. */
const requestWithoutSocket = (): http.ClientRequest =>
  http.request(origin(), { agent: new http.Agent(), createConnection: () => new net.Socket() }).on('error', swallow)

/** A session of HTTP/2 that has connected, to a peer that answers nothing. */
async function http2Session(): Promise<http2.ClientHttp2Session> {
  const peer = new Duplex({ read: () => undefined, write: (_bytes, _encoding, done) => done() })
  const session = http2.connect('http://peer', { createConnection: () => peer }).on('error', swallow)
  await once(session, 'connect')
  return session
}

const REQUESTS = ['adapter/answer-requests', 'adapter/delay-requests', 'adapter/hang-requests']
const FILES = ['adapter/delay-file-operations', 'adapter/fail-file-operations', 'adapter/hang-file-operations']
const CONNECTIONS = ['adapter/delay-connections', 'adapter/hang-connections', 'adapter/refuse-connections']

export const modules: readonly Kind[] = [
  kind<typeof net>(
    'adapter',
    'node:net, its connections',
    {
      target: () => net,
      touched: () => [net, net.Socket.prototype, handlePrototypeOf(silent)],
      async exercise(_net, count, _clock, meet) {
        times(count, () => meet(connect()))
        // A connection begins in the next tick.
        await new Promise((resolve) => setImmediate(resolve))
      },
    },
    { faults: CONNECTIONS },
  ),
  kind<typeof net>(
    'adapter',
    'node:net, connections that stand',
    {
      async target() {
        for (let made = 0; made < 3; made += 1) await connected()
        return net
      },
      touched: () => [net, net.Socket.prototype, handlePrototypeOf(silent)],
      exercise: () => undefined,
      dispose: () => opened.splice(0).forEach((socket) => void socket.destroy()),
    },
    { faults: ['adapter/cut-connections'] },
  ),
  kind<typeof net>(
    'adapter',
    'node:net, what its connections read',
    {
      target: () => net,
      touched: () => [net, net.Socket.prototype, handlePrototypeOf(silent)],
      async exercise(_net, count, _clock, meet) {
        const sockets = await Promise.all(Array.from({ length: count }, connected))
        meet(...sockets)
        for (const socket of sockets) socket.push(Buffer.from('answer'))
      },
    },
    { faults: ['adapter/cut-responses', 'adapter/slow-responses'] },
  ),
  kind<typeof http>(
    'adapter',
    'node:http, its requests',
    {
      target: () => http,
      touched: () => [http, http.Agent.prototype, http.ClientRequest.prototype],
      exercise: (client, count, _clock, meet) =>
        times(count, () => {
          const request = client.get(origin(), (response) => {
            meet(response, response.socket)
            response.resume()
          })
          meet(request.on('error', swallow))
        }),
    },
    { faults: REQUESTS },
  ),
  kind<typeof http>(
    'adapter',
    'node:http, the bodies of its responses',
    {
      target: () => http,
      touched: () => [http, http.IncomingMessage.prototype],
      exercise(_http, count, _clock, meet) {
        const response = Object.assign(new http.IncomingMessage(new net.Socket()), { req: requestWithoutSocket() })
        meet(response, response.req, response.socket)
        times(count, () => response.push(Buffer.from('piece')))
      },
    },
    { faults: ['adapter/corrupt-responses'] },
  ),
  kind<typeof http>(
    'adapter',
    'node:http, the connections of its requests',
    {
      target: () => http,
      touched: () => [http, http.ClientRequest.prototype, net.Socket.prototype],
      exercise: (_http, count, _clock, meet) => times(count, () => meet(requestWithoutSocket())),
    },
    { faults: ['adapter/cut-responses'] },
  ),
  kind<typeof http2>(
    'adapter',
    'node:http2, its requests',
    {
      target: () => http2,
      async exercise(_http2, count, _clock, meet) {
        const session = await http2Session()
        meet(session)
        times(count, () => {
          const stream = session.request().on('error', swallow)
          meet(stream)
          setImmediate(() => stream.destroy())
        })
        await new Promise((resolve) => setImmediate(resolve))
        session.destroy()
      },
    },
    { faults: [...REQUESTS, 'adapter/cut-responses', 'adapter/hang-responses', 'adapter/slow-responses'] },
  ),
  kind<http.Server>(
    'adapter',
    'a server of node:http',
    {
      target: () => http.createServer((_request, response) => void response.end()),
      touched: (server) => [server, http.Server.prototype, http.ServerResponse.prototype],
      exercise: (server, count, _clock, meet) =>
        times(count, () => {
          const request = Object.assign(new http.IncomingMessage(null as never), { method: 'GET', url: '/' })
          const response = new http.ServerResponse(request)
          meet(request, response)
          server.emit('request', request, response)
        }),
    },
    { faults: REQUESTS },
  ),
  kind<typeof globalThis>(
    'adapter',
    'fetch, its requests',
    {
      target: () => globalThis,
      touched: () => [dispatcher()],
      exercise: (_global, count) => dispatched(dispatcher(), count),
    },
    { faults: [...REQUESTS, 'adapter/hang-responses'] },
  ),
  kind<object>(
    'adapter',
    'a dispatcher of undici',
    {
      target: dispatcher,
      exercise: (agent, count) => dispatched(agent as Dispatcher, count),
    },
    { faults: [...REQUESTS, 'adapter/hang-responses'] },
  ),
  kind<typeof fs>(
    'adapter',
    'node:fs',
    {
      target: () => fs,
      touched: () => [fileBinding(), fs, fsPromises],
      exercise: (files, count) => times(count, () => files.access(FILE, fs.constants.R_OK, () => undefined)),
    },
    { faults: FILES },
  ),
  kind<typeof fsPromises>(
    'adapter',
    'node:fs/promises',
    {
      target: () => fsPromises,
      touched: () => [fileBinding(), fs, fsPromises],
      exercise: (files, count) => times(count, () => files.access(FILE, fs.constants.R_OK)),
    },
    { faults: FILES },
  ),
  kind<typeof dns>('adapter', 'node:dns', {
    target: () => dns,
    touched: () => [dns, dns.promises],
    async exercise(module, count) {
      times(count, () => module.lookup('localhost', () => undefined))
      await Promise.resolve()
    },
  }),
  kind<typeof tls>('adapter', 'node:tls', {
    target: () => tls,
    touched: () => [tls, tls.TLSSocket.prototype, handlePrototypeOf(new tls.TLSSocket(new net.Socket()))],
    async exercise(_tls, count, _clock, meet) {
      for (let made = 0; made < count; made += 1) {
        const socket = tls.connect(portOf(silent), '127.0.0.1').on('error', swallow)
        meet(socket)
        opened.push(socket)
        await once(socket, 'connect')
      }
    },
  }),
]
