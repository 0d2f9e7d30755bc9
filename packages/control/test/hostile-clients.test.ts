import { EventEmitter } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it, onTestFinished } from 'vitest'
import { createChaos, target } from '@chaos/core'
import { ask, dropEvents, mounted, TOKEN } from './support.js'

/** Hostile clients: 40 in the ordinary tests, 1,000 in the soak. */
const COUNT = Number(process.env['CHAOS_HOSTILE_CLIENTS'] ?? 40)
/** How many of them are there at once. */
const AT_ONCE = 250
/** What may stay in memory of all of them, in bytes. */
const MAX_KEPT = 30_000_000
/** The app events of a wave of clients: more than a slow reader is owed. */
const EVENTS = 150
const EVENT = { text: 'x'.repeat(60_000) }

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
function memoryUsed(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const head = (method: string, path: string, headers: readonly string[] = [], token = TOKEN): string =>
  [`${method} /chaos${path} HTTP/1.1`, 'Host: localhost', `Authorization: Bearer ${token}`, ...headers, '', ''].join(
    '\r\n',
  )
const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
]
const JSON_OF = (length: number): readonly string[] => ['Content-Type: application/json', `Content-Length: ${length}`]
const STRANGER = 'of-somebody-else-entirely'
const INJECTION = '{"target":"bus","fault":"drop-events"}'

/** A frame of a WebSocket that announces a payload, and has 16 KiB of it. */
function giantFrame(bytes: number): Buffer {
  const frame = Buffer.alloc(14 + 16_384)
  frame[0] = 0x81
  frame[1] = 0x80 | 127
  frame.writeBigUInt64BE(BigInt(bytes), 2)
  return frame
}

/** What hostile clients do once they are connected. Each is left as it is, until the test ends it. */
const KINDS: Readonly<Record<string, (socket: Socket) => void | Promise<void>>> = {
  'sends its head a byte at a time': (socket) => {
    for (const byte of head('GET', '/info').slice(0, 40)) socket.write(byte)
  },
  'sends half a body': (socket) => void socket.write(`${head('POST', '/injections', JSON_OF(1_000))}{"target"`),
  'announces a body that is too large': (socket) => void socket.write(head('POST', '/batches', JSON_OF(1e9))),
  'sends a giant frame': async (socket) => {
    socket.write(head('GET', '/events', UPGRADE))
    await new Promise((resolve) => socket.once('data', resolve).once('close', resolve))
    socket.write(giantFrame(2 ** 40))
  },
  'sends what is no HTTP': (socket) => void socket.write(Buffer.from([0x16, 3, 1, 0, 0xa5, 1, 0, 0, 0xa1, 3, 3])),
  'ends its half of the connection': (socket) => void socket.end(head('GET', '/info')),
  'resets the connection while it asks': (socket) => {
    socket.write(head('GET', '/openapi.json'))
    socket.resetAndDestroy()
  },
  'reads no answer': (socket) => {
    socket.pause()
    for (let n = 0; n < 50; n += 1) socket.write(head('GET', '/openapi.json'))
  },
  'reads no WebSocket': (socket) => {
    socket.write(head('GET', '/events', UPGRADE))
    socket.pause()
  },
  'reads no server-sent events': (socket) => {
    socket.write(head('GET', '/events', ['Accept: text/event-stream']))
    socket.pause()
  },
  'injects with a wrong token': (socket) =>
    void socket.write(`${head('POST', '/injections', JSON_OF(INJECTION.length), STRANGER)}${INJECTION}`),
  'injects a batch with a wrong token, and opens a stream': (socket) => {
    const body = `{"injections":[${INJECTION}]}`
    socket.write(`${head('POST', '/batches', JSON_OF(body.length), STRANGER)}${body}`)
    socket.write(head('GET', '/events', ['Accept: text/event-stream'], STRANGER))
  },
}

it('serves the app, keeps its memory and arms nothing, whatever clients do', async () => {
  const bus = new EventEmitter()
  const chaos = createChaos({ environment: 'test', seed: 1, targets: { bus: target(bus, [dropEvents]) } })
  onTestFinished(() => chaos.close())
  const { url, port, handler, server } = await mounted(chaos.controller, { maxRequestsPerSecond: 1_000_000 })
  const app = url.replace('/chaos', '/app')
  const kinds = Object.values(KINDS)
  const before = memoryUsed()
  let served = 0

  for (let from = 0; from < COUNT; from += AT_ONCE) {
    const answers: string[] = []
    const sockets = await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, COUNT - from) }, async (_, n) => {
        const socket = connectSocket(port, '127.0.0.1')
        onTestFinished(() => void socket.destroy())
        socket.on('error', () => undefined)
        const closed = new Promise((resolve) => socket.once('close', resolve))
        await new Promise((resolve) => socket.once('connect', resolve))
        let said = ''
        socket.on('data', (chunk: Buffer) => (said.length < 50_000 ? (said += chunk.toString('latin1')) : undefined))
        socket.on('close', () => answers.push(said))
        await kinds[n % kinds.length]?.(socket)
        return { socket, closed }
      }),
    )
    // While all of them are there, the app serves its own requests, and those with a token, and tells its news.
    for (let n = 0; n < EVENTS; n += 1) {
      handler.notify('alert', EVENT)
      if (n % 10 !== 0) continue
      expect((await ask(app)).status).toBe(200)
      expect((await ask(`${url}/info`)).status).toBe(200)
      served += 1
    }
    for (const { socket } of sockets) socket.destroy()
    await Promise.all(sockets.map(({ closed }) => closed))
    // Whatever was answered begins as HTTP does.
    for (const answer of answers) expect(answer.slice(0, 30)).toMatch(/^(HTTP\/1\.1 \d{3} |$)/)
  }
  expect(served).toBeGreaterThan(0)
  expect(await chaos.injections()).toEqual([])
  expect(Object.getPrototypeOf(bus)).toBe(EventEmitter.prototype)

  // Streams are free again, and a stranger has got nothing.
  await expect.poll(async () => (await ask(`${url}/injections`)).text).toBe('[]')
  server.closeAllConnections()
  await expect.poll(() => memoryUsed() - before).toBeLessThan(MAX_KEPT)
})
