import { inject, type Fault, type Injection } from '@chaos/core'
import { once } from 'node:events'
import http, {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type RequestOptions,
} from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished, vi } from 'vitest'
import { createHttpProxy, type HttpProxy, type HttpProxyOptions, type HttpProxyTarget } from '../src/http/index.js'

/** A server of the test. */
interface HttpService {
  readonly origin: string
  readonly port: number
  readonly server: http.Server
  /** `GET /items`, for each request that it got. */
  readonly got: readonly string[]
  /** Its connections, oldest first. */
  readonly sockets: readonly Socket[]
  /** Stops listening and destroys all connections. */
  readonly close: () => Promise<void>
}

/** Sends the body of a request back, and its type. */
export const echo: RequestListener = (request, response) => {
  response.writeHead(200, { 'content-type': request.headers['content-type'] ?? 'text/plain' })
  request.pipe(response)
}

/** Starts a server. It is closed when the test ends. */
async function startService(handler: RequestListener = echo): Promise<HttpService> {
  const got: string[] = []
  const sockets: Socket[] = []
  const server = http.createServer((request, response) => {
    got.push(`${request.method} ${request.url}`)
    handler(request, response)
  })
  server.on('connection', (socket: Socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  onTestFinished(close)
  return { origin: `http://127.0.0.1:${port}`, port, server, got, sockets, close }
}

/** A server, and a proxy before it. */
export interface HttpScene {
  readonly service: HttpService
  readonly proxy: HttpProxy
}

/** Starts a server and a proxy before it. When the test ends, nothing of them may be left open. */
export async function startHttpScene(
  handler?: RequestListener,
  options: Partial<HttpProxyOptions> = {},
): Promise<HttpScene> {
  const service = await startService(handler)
  const proxy = await createHttpProxy({ upstream: service.origin, ...options })
  onTestFinished(() => proxy.close())
  return { service, proxy }
}

/** Injects a fault until the test ends. */
export async function httpInForce(
  fault: Fault<HttpProxyTarget>,
  proxy: HttpProxyTarget,
  options?: Parameters<typeof inject>[2],
): Promise<Injection> {
  const injection = await inject(fault, proxy, options)
  onTestFinished(() => injection.rollback().then(() => undefined))
  return injection
}

/** An answer as a client of `node:http` got it. */
export interface Received {
  readonly statusCode: number
  readonly headers: IncomingHttpHeaders
  readonly message: IncomingMessage
  readonly body: Buffer
}

/** Requests by `node:http`, on a connection of its own unless `options` has an agent. Rejects as the client reports it. */
export function request(
  port: number,
  options: RequestOptions & { readonly body?: string | Buffer } = {},
): Promise<Received> {
  const { body, ...rest } = options
  return new Promise((resolve, reject) => {
    const sent = http.request({ host: '127.0.0.1', port, agent: false, ...rest }, (message) => {
      const chunks: Buffer[] = []
      message.on('data', (bytes: Buffer) => chunks.push(bytes))
      message.on('error', reject)
      message.on('end', () =>
        resolve({
          statusCode: message.statusCode ?? 0,
          headers: message.headers,
          message,
          body: Buffer.concat(chunks),
        }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** The code of the error that a promise rejects with. */
export function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error),
  )
}

/** Sends bytes on a connection and returns what comes until its end. */
export async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined)
  socket.write(bytes, 'latin1')
  await new Promise((resolve) => socket.once('close', resolve))
  return Buffer.concat(chunks).toString('latin1')
}

/** Waits until no request is under way, as the proxy counts them. */
export function settled(proxy: HttpProxy): Promise<void> {
  return vi.waitFor(
    () => {
      if (proxy.counters.live > 0) throw new Error(`Requests are under way: ${JSON.stringify(proxy.requests())}`)
    },
    { timeout: 30_000, interval: 2 },
  )
}

/** A service whose answer is larger than what lies between it and its client, and how much of it was written. */
export interface Flood {
  readonly handler: RequestListener
  /** Resolves when no more is written, with the number of bytes; rejects if everything was. */
  readonly isStill: () => Promise<number>
}

/** Makes an answer of 128 MiB. */
export function flood(): Flood {
  const piece = Buffer.alloc(65_536)
  const pieces = 2_048
  let written = 0
  const handler: RequestListener = (_request, response) => {
    response.on('error', () => undefined).on('drain', () => more())
    const more = (): void => {
      while (written < pieces) {
        written += 1
        if (!response.write(piece)) return
      }
    }
    more()
  }
  const isStill = async (): Promise<number> => {
    let before = 0
    await vi.waitFor(
      () => {
        const hasStopped = written > 0 && written === before
        before = written
        if (!hasStopped) throw new Error(`Still writing: ${written} pieces.`)
      },
      { timeout: 30_000, interval: 100 },
    )
    if (written === pieces) throw new Error('Nothing slowed the service.')
    return written * piece.length
  }
  return { handler, isStill }
}
