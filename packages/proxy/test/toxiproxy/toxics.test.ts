import { once } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import type { Client } from '../tcp.js'
import { dialect } from './dialect.js'
import { startScene } from './scene.js'
import { serverUnderTest } from './server.js'

const api = serverUnderTest()

/** Longer than any test. */
const FOREVER_MS = 3_600_000

/** Sends bytes and waits until so many have come back. Returns the time that it took, in ms. */
async function roundTrip(client: Client, text: string, total = text.length): Promise<number> {
  const start = performance.now()
  client.socket.write(text)
  await client.receives(total)
  return performance.now() - start
}

/** Waits for the end of what a client receives. Returns when that was. */
async function ended({ socket, events }: Client): Promise<number> {
  if (!events.includes('end')) await once(socket, 'end')
  return performance.now()
}

describe('latency', () => {
  it.each(['upstream', 'downstream'])('delays the bytes of stream %s, never less than asked', async (stream) => {
    const scene = await startScene(api)
    await scene.add({ type: 'latency', stream, attributes: { latency: 40 } })
    const client = await scene.connect()
    for (let i = 1; i <= 5; i += 1) expect(await roundTrip(client, 'ping', 4 * i)).toBeGreaterThanOrEqual(40)
  })

  it('with jitter never delays less than both allow, and keeps the order', async () => {
    const scene = await startScene(api)
    await scene.add({ type: 'latency', attributes: { latency: 30, jitter: 20 } })
    const client = await scene.connect()
    for (let i = 1; i <= 10; i += 1) expect(await roundTrip(client, 'ping', 4 * i)).toBeGreaterThanOrEqual(10)
    const numbers = Array.from({ length: 50 }, (_, i) => `${i},`)
    for (const number of numbers) {
      client.socket.write(number)
      await scene.call('GET', '')
    }
    const all = await client.receives(40 + numbers.join('').length)
    expect(String(all).slice(40)).toBe(numbers.join(''))
  })

  it('counts from the arrival of each piece, not from the delivery of the one before', async () => {
    const pieces = 10
    const scene = await startScene(api)
    await scene.add({ type: 'latency', attributes: { latency: 200 } })
    const other = await startScene(api)
    await other.add({ type: 'latency', attributes: { latency: 200 * (pieces - 1) } })
    const [client, reference] = [await scene.connect(), await other.connect()]
    reference.socket.write('x')
    for (let i = 0; i < pieces; i += 1) {
      client.socket.write('x')
      await vi.waitFor(() => expect(scene.upstream.accepted[0]?.bytesRead).toBe(i + 1))
    }
    await client.receives(pieces)
    expect(reference.received()).toHaveLength(0)
  })

  it('lets an end pass at once if no bytes are before it', async () => {
    const scene = await startScene(api, (socket) => void socket.end())
    await scene.add({ type: 'latency', attributes: { latency: FOREVER_MS } })
    await ended(await scene.connect())
  })

  it('lets an end wait behind bytes', async () => {
    const scene = await startScene(api, (socket) => void socket.end('bytes'))
    await scene.add({ type: 'latency', attributes: { latency: 60 } })
    const start = performance.now()
    const client = await scene.connect()
    expect((await ended(client)) - start).toBeGreaterThanOrEqual(60)
    expect(String(client.received())).toBe('bytes')
  })

  it('adds to other latencies of both streams', async () => {
    const scene = await startScene(api)
    await scene.add({ name: 'a', type: 'latency', attributes: { latency: 25 } })
    await scene.add({ name: 'b', type: 'latency', attributes: { latency: 35 } })
    await scene.add({ name: 'c', type: 'latency', stream: 'upstream', attributes: { latency: 15 } })
    expect(await roundTrip(await scene.connect(), 'ping')).toBeGreaterThanOrEqual(75)
  })

  it('lets the bytes in hand go at once when it is edited, though it delays more', async () => {
    const scene = await startScene(api)
    await scene.add({ name: 't', type: 'latency', attributes: { latency: FOREVER_MS } })
    const client = await scene.connect()
    client.socket.write('held')
    // An edit may come before the bytes do.
    await vi.waitFor(async () => {
      await scene.call('PATCH', '/toxics/t', { attributes: { latency: FOREVER_MS + 1 } })
      expect(String(client.received())).toBe('held')
    })
  })

  it('lets all bytes go at once when it is removed', async () => {
    const scene = await startScene(api)
    await scene.add({ name: 't', type: 'latency', attributes: { latency: FOREVER_MS } })
    const client = await scene.connect()
    for (let i = 1; i <= 5; i += 1) {
      client.socket.write('held')
      await vi.waitFor(() => expect(scene.upstream.accepted[0]?.bytesRead).toBe(4 * i))
    }
    expect(client.received()).toHaveLength(0)
    await scene.call('DELETE', '/toxics/t')
    expect(String(await client.receives(20))).toBe('held'.repeat(5))
  })
})

describe('bandwidth', () => {
  it('needs at least the time that the rate allows, and 100 ms for the first byte of a large piece', async () => {
    const scene = await startScene(api, (socket) => void socket.once('data', () => socket.end(Buffer.alloc(2_000))))
    await scene.add({ type: 'bandwidth', attributes: { rate: 10 } })
    const client = await scene.connect()
    const start = performance.now()
    client.socket.write('x')
    await client.receives(1)
    expect(performance.now() - start).toBeGreaterThanOrEqual(100)
    await client.receives(2_000)
    expect(performance.now() - start).toBeGreaterThanOrEqual(200)
  })

  it('counts each connection for itself', async () => {
    const scene = await startScene(api, (socket) => void socket.once('data', () => socket.write(Buffer.alloc(20_000))))
    await scene.add({ type: 'bandwidth', attributes: { rate: 100 } })
    const other = await startScene(api, (socket) => void socket.once('data', () => socket.write(Buffer.alloc(90_000))))
    await other.add({ type: 'bandwidth', attributes: { rate: 100 } })
    const clients = await Promise.all(Array.from({ length: 5 }, () => scene.connect()))
    const reference = await other.connect()
    for (const { socket } of [reference, ...clients]) socket.write('x')
    // Together they would need as long as 100,000 bytes.
    await Promise.all(clients.map((client) => client.receives(20_000)))
    expect(reference.received().length).toBeLessThan(90_000)
  })

  it('with rate 0 holds everything, and loses nothing when it is removed', async () => {
    const sent = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251))
    const scene = await startScene(api, (socket) => void socket.end(sent))
    await scene.add({ name: 't', type: 'bandwidth', attributes: { rate: 0 } })
    const healthy = await startScene(api)
    const client = await scene.connect()
    await roundTrip(await healthy.connect(), 'ping')
    expect(client.received()).toHaveLength(0)
    await scene.call('DELETE', '/toxics/t')
    await ended(client)
    expect(client.received().equals(sent)).toBe(true)
  })
})

describe('slow_close', () => {
  it('lets bytes pass, and delays the end', async () => {
    const scene = await startScene(api, (socket) => void socket.end('bytes'))
    await scene.add({ type: 'slow_close', attributes: { delay: 60 } })
    const start = performance.now()
    const client = await scene.connect()
    expect(String(await client.receives(5))).toBe('bytes')
    expect((await ended(client)) - start).toBeGreaterThanOrEqual(60)
  })

  it('closes at once when it is removed', async () => {
    const scene = await startScene(api, (socket) => void socket.end('bytes'))
    await scene.add({ name: 't', type: 'slow_close', attributes: { delay: FOREVER_MS } })
    const client = await scene.connect()
    await client.receives(5)
    expect(client.events).toEqual([])
    await scene.call('DELETE', '/toxics/t')
    await ended(client)
  })
})

describe('timeout', () => {
  it('closes a connection without bytes after the time', async () => {
    const scene = await startScene(api)
    await scene.add({ type: 'timeout', attributes: { timeout: 60 } })
    const start = performance.now()
    expect((await ended(await scene.connect())) - start).toBeGreaterThanOrEqual(60)
  })

  it('drops all bytes, and counts from the last of them', async () => {
    const scene = await startScene(api)
    await scene.add({ type: 'timeout', stream: 'upstream', attributes: { timeout: 400 } })
    // Where the machine stalls for as long between two of them, that takes more than one try.
    await vi.waitFor(async () => {
      const client = await scene.connect()
      const start = performance.now()
      let last = start
      while (!client.events.includes('end') && last - start < 800) {
        last = performance.now()
        client.socket.write('dropped')
        await scene.call('GET', '')
      }
      const closed = await ended(client)
      expect(last - start).toBeGreaterThanOrEqual(800)
      expect(closed - last).toBeGreaterThanOrEqual(400)
    })
    expect(scene.upstream.accepted.map(({ bytesRead }) => bytesRead)).toEqual(scene.upstream.accepted.map(() => 0))
  })

  it('0 drops bytes for ever; removed, it closes both ends, and the bytes are lost', async () => {
    const scene = await startScene(api)
    await scene.add({ name: 't', type: 'timeout', stream: 'upstream' })
    const client = await scene.connect()
    client.socket.write('dropped')
    await vi.waitFor(() => expect(scene.upstream.accepted).toHaveLength(1))
    const server = scene.upstream.accepted[0]
    const healthy = await startScene(api)
    await roundTrip(await healthy.connect(), 'ping')
    expect([client.events, server?.readableEnded, server?.bytesRead]).toEqual([[], false, 0])
    await scene.call('DELETE', '/toxics/t')
    await ended(client)
    await vi.waitFor(() => expect([server?.readableEnded, server?.bytesRead]).toEqual([true, 0]))
    expect(client.received()).toHaveLength(0)
  })

  it('changed from 0 closes after the new time', async () => {
    const scene = await startScene(api)
    await scene.add({ name: 't', type: 'timeout' })
    const client = await scene.connect()
    client.socket.write('dropped')
    await vi.waitFor(() => expect(scene.upstream.accepted[0]?.bytesRead).toBe(7))
    const start = performance.now()
    await scene.call('PATCH', '/toxics/t', { attributes: { timeout: 60 } })
    expect((await ended(client)) - start).toBeGreaterThanOrEqual(60)
    expect(client.received()).toHaveLength(0)
  })
})

describe('reset_peer', () => {
  const errors = new WeakMap<object, string | undefined>()
  const startResettable = (
    onConnection: Parameters<typeof startScene>[1] = (socket) => void socket.on('data', (bytes) => socket.write(bytes)),
  ) =>
    startScene(api, (socket) => {
      socket.on('error', (error: NodeJS.ErrnoException) => errors.set(socket, error.code)).resume()
      onConnection(socket)
    })

  it.each(['upstream', 'downstream'])('of stream %s resets both ends at its first bytes', async (stream) => {
    const scene = await startResettable()
    await scene.add({ type: 'reset_peer', stream })
    const client = await scene.connect()
    client.socket.write('x')
    await client.closed
    expect(client.events).toEqual(['ECONNRESET', 'close'])
    const server = scene.upstream.accepted[0] as object
    await vi.waitFor(() => expect(errors.get(server)).toBe('ECONNRESET'))
    expect(client.received()).toHaveLength(0)
  })

  it('waits before the reset', async () => {
    const scene = await startResettable()
    await scene.add({ type: 'reset_peer', attributes: { timeout: 60 } })
    const client = await scene.connect()
    const start = performance.now()
    client.socket.write('x')
    await client.closed
    expect(performance.now() - start).toBeGreaterThanOrEqual(60)
    expect(client.events).toEqual(['ECONNRESET', 'close'])
  })

  it('resets at an end too', async () => {
    const scene = await startResettable((socket) => void socket.end())
    await scene.add({ type: 'reset_peer' })
    const client = await scene.connect()
    await client.closed
    expect(client.events).toEqual(['ECONNRESET', 'close'])
  })

  it('leaves an idle connection alone until it has bytes', async () => {
    const scene = await startResettable()
    await scene.add({ type: 'reset_peer' })
    const [idle, busy] = [await scene.connect(), await scene.connect()]
    busy.socket.write('x')
    await busy.closed
    expect(idle.events).toEqual([])
    idle.socket.write('x')
    await idle.closed
    expect(idle.events).toEqual(['ECONNRESET', 'close'])
  })

  it('added to a live connection ends it as the dialect says', async () => {
    const scene = await startResettable()
    const client = await scene.connect()
    await roundTrip(client, 'x')
    await scene.add({ type: 'reset_peer' })
    client.socket.write('x')
    await vi.waitFor(() => expect(client.events[0]).toBe(dialect.lateResetArrivesAs))
  })

  it('with toxicity 0 lets an ordinary close arrive as the dialect says', async () => {
    const scene = await startResettable((socket) => void socket.end())
    await scene.add({ type: 'reset_peer', toxicity: 0 })
    const client = await scene.connect()
    client.socket.end()
    await client.closed
    expect(client.events[0]).toBe(dialect.closeBesideResetArrivesAs)
  })
})

describe('slicer', () => {
  it('cuts bytes into pieces of the average size and its variation, with microseconds between', async () => {
    const sent = Buffer.from(Array.from({ length: 1_000 }, (_, i) => i % 251))
    const scene = await startScene(api, (socket) => void socket.once('data', () => socket.write(sent)))
    await scene.add({ type: 'slicer', attributes: { average_size: 100, size_variation: 20, delay: 10_000 } })
    const client = await scene.connect()
    const sizes: number[] = []
    client.socket.on('data', (bytes) => sizes.push(bytes.length))
    // No piece has more than 120 bytes: there are at least 9, with at least 8 pauses between them.
    expect(await roundTrip(client, 'x', 1_000)).toBeGreaterThanOrEqual(80)
    expect(client.received().equals(sent)).toBe(true)
    expect(sizes.length).toBeGreaterThan(1)
    expect(sizes[0]).toBeLessThanOrEqual(120)
  })

  it('without a delay does not spread pieces over time', async () => {
    const scene = await startScene(api)
    await scene.add({ type: 'slicer', attributes: { average_size: 10 } })
    const other = await startScene(api)
    await other.add({ type: 'latency', attributes: { latency: 1_500 } })
    const [client, reference] = [await scene.connect(), await other.connect()]
    reference.socket.write('x')
    // At least 2,000 pieces, which is more than one in a millisecond.
    client.socket.write('x'.repeat(20_000))
    await client.receives(20_000)
    expect(reference.received()).toHaveLength(0)
  })

  it('without a delay loses nothing', async () => {
    const sent = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251))
    const scene = await startScene(api, (socket) => void socket.end(sent))
    await scene.add({ type: 'slicer', attributes: { average_size: 7 } })
    const client = await scene.connect()
    await ended(client)
    expect(client.received().equals(sent)).toBe(true)
  })
})

describe('limit_data', () => {
  it('lets exactly so many bytes of an answer pass, then closes', async () => {
    const scene = await startScene(api, (socket) => void socket.write('0123456789'))
    await scene.add({ type: 'limit_data', attributes: { bytes: 7 } })
    const client = await scene.connect()
    await ended(client)
    expect(String(client.received())).toBe('0123456')
  })

  it('lets exactly so many bytes of a request pass, then closes', async () => {
    let received = ''
    const scene = await startScene(api, (socket) => void socket.on('data', (bytes) => (received += String(bytes))))
    await scene.add({ type: 'limit_data', stream: 'upstream', attributes: { bytes: 7 } })
    const client = await scene.connect()
    client.socket.write('0123456789')
    await ended(client)
    await vi.waitFor(() => expect(scene.upstream.accepted[0]?.readableEnded).toBe(true))
    expect(received).toBe('0123456')
  })

  it('0 closes at the first bytes, and lets none pass', async () => {
    const scene = await startScene(api)
    await scene.add({ type: 'limit_data', stream: 'upstream' })
    const [idle, client] = [await scene.connect(), await scene.connect()]
    await vi.waitFor(() => expect(scene.upstream.accepted).toHaveLength(2))
    client.socket.write('x')
    await ended(client)
    expect(idle.events).toEqual([])
    expect(scene.upstream.accepted.map(({ bytesRead }) => bytesRead)).toEqual([0, 0])
  })

  it('counts each connection for itself, from when the toxic met it', async () => {
    const scene = await startScene(api)
    const old = await scene.connect()
    await roundTrip(old, 'before')
    await scene.add({ type: 'limit_data', attributes: { bytes: 4 } })
    const young = await scene.connect()
    for (const client of [old, young]) {
      client.socket.write('123456')
      await ended(client)
    }
    expect([String(old.received()), String(young.received())]).toEqual(['before1234', '1234'])
  })

  it('keeps its count when it is edited', async () => {
    const scene = await startScene(api)
    await scene.add({ name: 't', type: 'limit_data', attributes: { bytes: 100 } })
    const client = await scene.connect()
    await roundTrip(client, '123456')
    await scene.call('PATCH', '/toxics/t', { attributes: { bytes: 8 } })
    client.socket.write('7890')
    await ended(client)
    expect(String(client.received())).toBe('12345678')
  })

  it('lowered below its count closes at the next bytes', async () => {
    const scene = await startScene(api)
    await scene.add({ name: 't', type: 'limit_data', attributes: { bytes: 100 } })
    const client = await scene.connect()
    await roundTrip(client, '123456')
    await scene.call('PATCH', '/toxics/t', { attributes: { bytes: 4 } })
    const healthy = await startScene(api)
    await roundTrip(await healthy.connect(), 'ping')
    expect(client.events).toEqual([])
    client.socket.write('7890')
    await ended(client)
    expect(String(client.received())).toBe('123456')
  })
})

describe('noop', () => {
  it.each(['upstream', 'downstream'])('of stream %s lets everything pass', async (stream) => {
    const scene = await startScene(api)
    await scene.add({ type: 'noop', stream })
    const client = await scene.connect()
    await roundTrip(client, 'everything')
    client.socket.end()
    await client.closed
    expect([String(client.received()), client.events]).toEqual(['everything', ['end', 'close']])
  })
})

describe('packet_loss', () => {
  it('is a type as the dialect says, and loses nothing with a rate of 0', async () => {
    const scene = await startScene(api)
    const answer = await scene.call('POST', '/toxics', { type: 'packet_loss', attributes: { loss_rate: 0 } })
    expect(answer.status).toBe(dialect.hasPacketLoss ? 200 : 400)
    const client = await scene.connect()
    for (let i = 1; i <= 20; i += 1) await roundTrip(client, 'ping', 4 * i)
  })
})
