import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { connectTo, HOMES, isBalanced, startScene, startUpstream } from '../../test/tcp.js'
import { createProxy } from '../index.js'

describe.each([{ publicApiOnly: false }, { publicApiOnly: true }, { worker: true }])('a proxy with %o', (options) => {
  it('listens at a free port of loopback, and carries bytes both ways', async () => {
    const { proxy, connect } = await startScene(options)
    expect(proxy.listen).toMatch(/^127\.0\.0\.1:\d{4,5}$/)
    const client = await connect()
    client.socket.write('hello')
    expect(String(await client.receives(5))).toBe('hello')
    await vi.waitFor(() =>
      expect(proxy.counters).toEqual({
        accepted: 1,
        open: 1,
        turnedAway: 0,
        upstream: { bytesIn: 5, bytesOut: 5, bytesDropped: 0, bytesHeld: 0 },
        downstream: { bytesIn: 5, bytesOut: 5, bytesDropped: 0, bytesHeld: 0 },
      }),
    )
  })

  it('carries an end in one direction, while the other goes on', async () => {
    const { connect, proxy } = await startScene(options, (socket) => {
      socket.on('end', () => socket.write('late', () => socket.end())).resume()
    })
    const client = await connect()
    client.socket.end('request')
    await client.closed
    expect([String(client.received()), client.events]).toEqual(['late', ['end', 'close']])
    await vi.waitFor(() => expect(proxy.counters.open).toBe(0))
  })

  it('carries a reset of the server to the client', async () => {
    const { upstream, proxy, connect } = await startScene(options, () => undefined)
    const client = await connect()
    await vi.waitFor(() => expect(upstream.accepted).toHaveLength(1))
    upstream.accepted[0]?.resetAndDestroy()
    await client.closed
    expect(client.events).toEqual(['ECONNRESET', 'close'])
    await vi.waitFor(() => expect(proxy.connections()).toEqual([]))
  })

  it('carries a reset of the client to the server', async () => {
    const errors: unknown[] = []
    const { upstream, proxy, connect } = await startScene(options, (socket) => {
      socket.on('error', ({ code }: NodeJS.ErrnoException) => errors.push(code)).resume()
    })
    const client = await connect()
    await vi.waitFor(() => expect(proxy.connections()[0]?.status).toBe('open'))
    await vi.waitFor(() => expect(upstream.accepted).toHaveLength(1))
    client.socket.resetAndDestroy()
    await vi.waitFor(() => expect(errors).toEqual(['ECONNRESET']))
    await vi.waitFor(() => expect(proxy.connections()).toEqual([]))
  })

  it('carries a reset to the server that comes after the end of the client', async () => {
    const { upstream, proxy, connect } = await startScene(options, (socket) => void socket.resume())
    const client = await connect()
    client.socket.end('request')
    const [server] = await vi.waitFor(() => {
      expect(upstream.accepted[0]?.readableEnded).toBe(true)
      return upstream.accepted as [Socket]
    })
    client.socket.destroy()
    await client.closed
    const error = once(server, 'error')
    const feed = (): void => void server.write('answer', (failed) => failed ?? setImmediate(feed))
    feed()
    expect(['ECONNRESET', 'EPIPE']).toContain(((await error) as [NodeJS.ErrnoException])[0].code)
    await vi.waitFor(() => expect(proxy.connections()).toEqual([]))
  })

  it('carries a reset to the client that comes after the end of the server', async () => {
    const { upstream, proxy, connect } = await startScene(options, (socket) => void socket.end('bye'))
    const client = await connect()
    await vi.waitFor(() => expect(client.events).toEqual(['end']))
    upstream.accepted[0]?.destroy()
    const feed = (): void => void client.socket.write('more', (failed) => failed ?? setImmediate(feed))
    feed()
    await client.closed
    expect(client.events).toEqual(['end', expect.stringMatching(/ECONNRESET|EPIPE/), 'close'])
    await vi.waitFor(() => expect(proxy.connections()).toEqual([]))
  })

  it('counts as dropped what was on its way to a client that has reset the connection', async () => {
    const errors: unknown[] = []
    const { proxy, connect } = await startScene(options, (socket) => {
      socket.on('error', ({ code }: NodeJS.ErrnoException) => errors.push(code)).write(Buffer.alloc(50_000_000))
    })
    const client = await connect()
    client.socket.pause()
    await vi.waitFor(() => expect(proxy.connections()[0]?.downstream.bytesHeld).toBeGreaterThan(0))
    client.socket.resetAndDestroy()
    await vi.waitFor(() => expect(proxy.counters.open).toBe(0))
    await vi.waitFor(() => expect(errors).toHaveLength(1))
    const { downstream } = proxy.counters
    expect(downstream.bytesDropped).toBeGreaterThan(0)
    expect(downstream.bytesHeld).toBe(0)
    expect(isBalanced(downstream)).toBe(true)
  })

  it('moves, stops and closes with connections open, which it closes', async () => {
    const { proxy, connect } = await startScene(options)
    const changes = [() => proxy.move({ listen: '127.0.0.1:0' }), () => proxy.disable(), () => proxy.close()]
    for (const change of changes) {
      await proxy.enable()
      const client = await connect()
      await vi.waitFor(() => expect(proxy.connections()).toMatchObject([{ status: 'open' }]))
      await change()
      expect(proxy.counters.open).toBe(0)
      await vi.waitFor(() => expect(client.events).toEqual(['end']))
    }
  })

  it('stops reading from a server whose client does not read', async () => {
    const sent = Buffer.alloc(64_000_000)
    const { upstream, proxy, connect } = await startScene(options, (socket) => void socket.end(sent))
    const client = await connect()
    client.socket.pause()
    await vi.waitFor(() => expect(proxy.connections()[0]?.downstream.bytesHeld).toBeGreaterThan(0))
    expect(proxy.connections()[0]?.downstream.bytesHeld).toBeLessThanOrEqual(262_144)
    expect(upstream.accepted[0]?.writableLength).toBeGreaterThan(0)
    client.socket.resume()
    expect((await client.receives(sent.length)).length).toBe(sent.length)
  })
})

describe('what a client learns of the server', () => {
  it('is accepted and closed if the server refuses', async () => {
    const gone = await startUpstream()
    await gone.close()
    const proxy = await createProxy({ upstream: gone.address })
    onTestFinished(() => proxy.close())
    const client = await connectTo(proxy.port)
    await vi.waitFor(() => expect(client.events).toContain('end'))
    client.socket.end()
    await client.closed
    expect(client.events).toEqual(['end', 'close'])
    await vi.waitFor(() => expect(proxy.counters.open).toBe(0))
  })

  it('is closed if the server does not accept in time, and stalls nobody else meanwhile', async () => {
    const clock = manualClock()
    const port = await fullServer()
    const proxy = await createProxy({ upstream: `127.0.0.1:${port}`, connectTimeoutMs: 300, clock })
    onTestFinished(() => proxy.close())
    const stuck = await connectTo(proxy.port)
    await vi.waitFor(() => expect(proxy.counters.accepted).toBe(1))
    // Another client gets to the accept path although the first one waits for its upstream.
    const second = await connectTo(proxy.port)
    await vi.waitFor(() => expect(proxy.counters.accepted).toBe(2))
    await clock.advance(299)
    expect([stuck.events, second.events]).toEqual([[], []])
    await clock.advance(1)
    await vi.waitFor(() => expect(stuck.events).toContain('end'))
    expect(proxy.counters.open).toBe(0)
    for (const { socket } of [stuck, second]) socket.destroy()
    expect(clock.pending).toBe(0)
  })

  it('reaches a server on localhost at 127.0.0.1', async () => {
    const upstream = await startUpstream()
    const proxy = await createProxy({ upstream: `localhost:${upstream.port}`, listen: 'localhost:0' })
    onTestFinished(async () => {
      await proxy.close()
      await upstream.close()
    })
    expect(proxy.listen).toMatch(/^127\.0\.0\.1:/)
    const client = await connectTo(proxy.port)
    client.socket.write('x')
    await client.receives(1)
    client.socket.destroy()
  })
})

describe('limits and options', () => {
  it.each(HOMES)('turns connections away that are too many, in %s', async (_home, options) => {
    const { proxy, connect } = await startScene({ maxConnections: 1, ...options })
    await connect()
    await vi.waitFor(() => expect(proxy.counters.open).toBe(1))
    const second = await connect()
    await vi.waitFor(() => expect(second.events).toEqual(['end']))
    expect(proxy.counters).toMatchObject({ accepted: 1, open: 1, turnedAway: 1 })
  })

  it.each([
    [{ upstream: 'redis' }, 'Expected `upstream` to be a host and a port from 1 to 65535'],
    [{ upstream: 'redis:0' }, 'from 1 to 65535'],
    [{ upstream: 'a:1', listen: '127.0.0.1:70000' }, 'Expected `listen`'],
    [{ upstream: 'a:1', maxHeldBytes: 1 }, 'Expected `maxHeldBytes` of createProxy'],
    [{ upstream: 'a:1', lisen: 'x' }, 'Did you mean "listen"?'],
    [{ upstream: 'redis', worker: true }, 'Expected `upstream`'],
    [{ upstream: 'a:1', worker: true, clock: manualClock() }, 'A proxy in a worker thread has the real clock.'],
  ])('refuses %o', async (options, words) => {
    await expect(createProxy(options)).rejects.toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
      message: expect.stringContaining(words) as string,
    })
  })

  it.each(HOMES)('says so if the port is taken, in %s', async (_home, options) => {
    const { proxy, upstream } = await startScene()
    await expect(createProxy({ upstream: upstream.address, listen: proxy.listen, ...options })).rejects.toMatchObject({
      code: 'CHAOS_LISTEN_FAILED',
      cause: { code: 'EADDRINUSE', syscall: 'listen' },
      message: expect.stringContaining(`Cannot listen on ${proxy.listen}: listen EADDRINUSE`) as string,
    })
  })
})

/** A port whose server answers no connection attempt: its process stands still, and its queue is full. */
async function fullServer(): Promise<number> {
  const program =
    "const server = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port))"
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const sockets: Socket[] = []
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  child.kill('SIGSTOP')
  // The queue is full when no further connection attempt is answered while another round trip on loopback is.
  for (let isFull = false; !isFull;) {
    const socket = connect(Number(String(port)), '127.0.0.1').on('error', () => undefined)
    sockets.push(socket)
    isFull = await Promise.race([once(socket, 'connect').then(() => false), answered().then(() => true)])
  }
  return Number(String(port))
}

/** Resolves when several connections on loopback have been answered, one after the other. */
async function answered(): Promise<void> {
  const other = await startUpstream()
  for (let n = 0; n < 20; n += 1) (await connectTo(other.port)).socket.destroy()
  await other.close()
}
