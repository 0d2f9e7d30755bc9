import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request, type IncomingHttpHeaders, type OutgoingHttpHeaders, type Server } from 'node:http'
import { connect as connectSocket, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createChaos, target, type ChaosController, type ChaosOptions, type JournalEntry } from '@chaos/core'
import { defineFault, option } from '@chaos/core/authoring'
import { createHandler, type ControlHandler, type HandlerOptions } from '../src/index.js'

export const TOKEN = 'a-token-that-is-long-enough'

/** Loses events: standing. */
export const dropEvents = defineFault({
  name: 'test/drop-events',
  kind: 'standing',
  summary: 'Loses events.',
  options: { echo: option.optional(option.flag('Whether to say so.'), false) },
  target: { expects: 'an event emitter', accepts: (value) => value instanceof EventEmitter },
  inject(bus: EventEmitter, _options, context) {
    const account = context.account('dropped')
    context.patch(
      bus,
      'emit',
      (below) =>
        function emit(this: EventEmitter, ...args: readonly [string]) {
          if (!context.operation(args[0]).shouldInject(args)) return below.call.apply(this, args) as boolean
          account.dropped += 1
          return true
        },
    )
  },
})

/** Says what it did: instant. */
const ring = defineFault({
  name: 'test/ring',
  kind: 'instant',
  summary: 'Happens once.',
  options: { times: option.count('How often.', 1) },
  target: { expects: 'an event emitter', accepts: (value) => value instanceof EventEmitter },
  inject(_bus: EventEmitter, { times }, context) {
    context.landed({ times, big: 2n ** 64n, error: new Error('rang') })
  },
})

/** Arms until the bus emits `armed`: shows what happens to a client that leaves meanwhile. */
const armSlowly = defineFault({
  name: 'test/arm-slowly',
  kind: 'standing',
  summary: 'Is long in coming.',
  options: {},
  target: { expects: 'an event emitter', accepts: (value) => value instanceof EventEmitter },
  async inject(bus: EventEmitter, _options, context) {
    await new Promise((resolve) => {
      bus.once('armed', resolve)
      context.defer(() => void bus.off('armed', resolve))
    })
  },
})

/** Fails in a way of its own. */
const fail = defineFault({
  name: 'test/fail',
  kind: 'standing',
  summary: 'Cannot be put in force.',
  options: {},
  target: { expects: 'an event emitter', accepts: (value) => value instanceof EventEmitter },
  inject() {
    throw new TypeError('not today')
  },
})

/** A controller with one target, `bus`, that takes every fault above. */
export function testChaos(options: Omit<ChaosOptions<never>, 'targets'> = {}) {
  const bus = new EventEmitter()
  const chaos = createChaos({
    environment: 'test',
    seed: 1,
    ...options,
    targets: { bus: target(bus, [dropEvents, ring, armSlowly, fail]) },
  })
  onTestFinished(() => chaos.close())
  return { bus, chaos, controller: chaos.controller }
}

/** A folder that only its owner can use, removed after the test. */
export function privateFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'chaos-control-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** An app of its own that mounts the API beside a route `/app`. */
export async function mounted(
  controller: ChaosController,
  options: Partial<HandlerOptions> = {},
): Promise<{ readonly url: string; readonly port: number; readonly server: Server; readonly handler: ControlHandler }> {
  const handler = createHandler(controller, { token: TOKEN, ...options })
  const server = createServer((req, res) => {
    if (handler.handle(req, res)) return
    res.writeHead(req.url === '/app' ? 200 : 404, { 'content-type': 'text/plain' }).end(`the app, ${String(req.url)}`)
  })
  server.on('upgrade', (req, socket, head) => {
    if (!handler.upgrade(req, socket, head)) socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    await handler.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}${options.basePath ?? '/chaos'}`, port, server, handler }
}

/** An answer as it came. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly json: () => unknown
}

/** Sends one request as it is told to, with the token unless `headers` says otherwise. */
export function ask(
  url: string,
  {
    method = 'GET',
    headers = {},
    body,
    socketPath,
  }: { method?: string; headers?: OutgoingHttpHeaders; body?: unknown; socketPath?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    const { hostname, port } = new URL(url)
    // The path goes out as it is written: no `..` is resolved on the way.
    const path = url.slice(url.indexOf('/', 'http://'.length))
    const req = request({
      ...(socketPath === undefined ? { hostname, port } : { socketPath }),
      path,
      method,
      agent: false,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    })
    req.on('error', reject)
    req.on('response', (res) => {
      let read = ''
      res.setEncoding('utf8').on('data', (chunk: string) => (read += chunk))
      res.on('end', () =>
        resolve({
          status: res.statusCode ?? 0,
          headers: res.headers,
          text: read,
          json: () => JSON.parse(read) as unknown,
        }),
      )
    })
    req.end(text)
  })
}

/** A connection on which a test says every byte itself. */
export async function rawConnection(
  port: number,
): Promise<{ readonly socket: Socket; readonly answer: Promise<string> }> {
  const socket = connectSocket(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  const answer = new Promise<string>((resolve) => {
    let read = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (read += chunk))
    socket.on('close', () => resolve(read))
    socket.on('error', () => undefined)
  })
  await new Promise((resolve) => socket.once('connect', resolve))
  return { socket, answer }
}

/** The next entry that fits. */
export function nextEntry(
  controller: Pick<ChaosController, 'follow'>,
  fits: (entry: JournalEntry) => boolean,
): Promise<JournalEntry> {
  return new Promise((resolve) => {
    const stop = controller.follow((entry) => {
      if (!fits(entry)) return
      stop()
      resolve(entry)
    })
  })
}

export const isEnd =
  (id?: string) =>
  (entry: JournalEntry): boolean =>
    entry.type === 'ended' && (id === undefined || entry.injection.id === id)
