import { createChaos } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { once } from 'node:events'
import { connect as connectSocket, Socket } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { HOMES, inForce, startScene, startUpstream, type Client, type Scene } from '../../test/tcp.js'
import {
  closeConnections,
  createProxy,
  delayData,
  dropData,
  limitBandwidth,
  limitData,
  resetConnections,
  sliceData,
  type ConnectionInfo,
  type Proxy,
} from '../index.js'

/** Connects clients one after the other. */
async function connectMany({ connect, proxy }: Scene, count: number) {
  const clients = []
  for (let n = 1; n <= count; n += 1) {
    clients.push(await connect())
    await vi.waitFor(() => expect(proxy.connections().filter(({ status }) => status === 'open')).toHaveLength(n))
  }
  return clients
}

/** Connects the first client. The system resets one that the proxy has not accepted when it stops listening. */
async function accepted(connect: Scene['connect'], proxy: Proxy): Promise<Client> {
  const client = await connect()
  await vi.waitFor(() => expect(proxy.counters.open).toBe(1))
  return client
}

const hitsOf = ({ proxy }: Scene): readonly (readonly string[])[] =>
  proxy.connections().map(({ hits }) => hits.map(({ id }) => id))

/** The connection that a predicate is asked about. */
const connectionOf = (args: ArrayLike<unknown>): ConnectionInfo => args[0] as ConnectionInfo

describe('a decision', () => {
  it('is made once per connection, by the seed, and kept while other faults come, change and go', async () => {
    const clock = manualClock()
    const hit = async (seed: string): Promise<readonly number[]> => {
      const scene = await startScene()
      await connectMany(scene, 10)
      const injection = await inForce(dropData(), scene.proxy, { clock, rate: 0.5, seed, id: `drop-${seed}` })
      const hits = (): readonly number[] =>
        scene.proxy.connections().flatMap(({ ordinal, hits: all }) => (all.length > 0 ? [ordinal] : []))
      const first = hits()
      const other = await inForce(limitData({ bytes: 1_000_000 }), scene.proxy, { clock })
      scene.proxy.update(other.id, limitData({ bytes: 2_000_000 }))
      scene.proxy.update(injection.id, dropData({ timeoutMs: 100_000 }))
      await other.rollback()
      expect(hits()).toEqual(first)
      await injection.rollback()
      return first
    }
    const first = await hit('a')
    expect(first.length > 0 && first.length < 10).toBe(true)
    expect(await hit('a')).toEqual(first)
    expect(await hit('b')).not.toEqual(first)
  })

  it('is one for both streams of a connection', async () => {
    const scene = await startScene()
    const injection = await inForce(sliceData({ sizeBytes: 1, stream: 'both' }), scene.proxy)
    const [client] = await connectMany(scene, 1)
    client?.socket.write('abc')
    await client?.receives(3)
    expect([injection.seen, injection.affected, injection.account['bytesIn']]).toEqual([1, 1, 6])
  })

  it('is made for connections of an address, or by a predicate that gets the connection', async () => {
    const scene = await startScene()
    await connectMany(scene, 4)
    const seen: ConnectionInfo[] = []
    await inForce(dropData(), scene.proxy, { only: '10.*', id: 'elsewhere' })
    await inForce(dropData(), scene.proxy, { only: '127.0.0.*', skip: 3, id: 'last' })
    await inForce(dropData(), scene.proxy, {
      id: 'second',
      only: (args) => {
        seen.push(connectionOf(args))
        return connectionOf(args).ordinal === 2
      },
    })
    expect(hitsOf(scene)).toEqual([[], ['second'], [], ['last']])
    expect(seen[0]).toEqual({ ordinal: 1, clientAddress: '127.0.0.1', clientPort: expect.any(Number) as number })
  })

  it('is made anew on request, only for connections whose coverage has changed', async () => {
    const scene = await startScene()
    await connectMany(scene, 4)
    let covered = [1, 2]
    const injection = await inForce(limitBandwidth({ bytesPerSecond: 0 }), scene.proxy, {
      id: 'some',
      only: (args) => covered.includes(connectionOf(args).ordinal),
    })
    for (const socket of scene.upstream.accepted) socket.write('x')
    await vi.waitFor(() => expect(hitsOf(scene)).toEqual([['some'], ['some'], [], []]))
    covered = [2, 3]
    scene.proxy.reconsider('some')
    for (const socket of scene.upstream.accepted) socket.write('y')
    await vi.waitFor(() => expect(hitsOf(scene)).toEqual([[], ['some'], ['some'], []]))
    expect(injection.seen).toBe(3)
    await vi.waitFor(() =>
      expect(scene.proxy.connections().map(({ downstream }) => downstream.bytesOut)).toEqual([2, 0, 1, 2]),
    )
  })

  it('ends an injection whose limit is spent only when its last connection is over', async () => {
    const scene = await startScene()
    const injection = await inForce(limitBandwidth({ bytesPerSecond: 0 }), scene.proxy, { limit: 1 })
    const [first, second] = await connectMany(scene, 2)
    first?.socket.write('x')
    await vi.waitFor(() => expect([injection.affected, injection.held]).toEqual([1, 1]))
    second?.socket.write('y')
    await second?.receives(1)
    expect(injection.outcome).toBe(undefined)
    first?.socket.resetAndDestroy()
    expect((await injection.done).outcome).toBe('limit-spent')
    expect(injection.account).toMatchObject({ bytesHeld: 0, bytesDropped: 1 })
  })
})

describe.each(HOMES)('a client that does not read, in %s', (_home, options) => {
  it('stalls neither a fault that comes, changes or goes, nor what the proxy tells', async () => {
    const scene = await startScene(options, (socket) => void socket.write(Buffer.alloc(50_000_000)))
    const [client] = await connectMany(scene, 1)
    client?.socket.pause()
    await vi.waitFor(() => expect(scene.proxy.connections()[0]?.downstream.bytesHeld).toBeGreaterThan(0))
    for (const fault of [
      delayData({ delayMs: 10 }),
      limitBandwidth({ bytesPerSecond: 10 }),
      sliceData({ sizeBytes: 9 }),
    ]) {
      const injection = await inForce(fault, scene.proxy, { id: 'stalled' })
      scene.proxy.update('stalled', fault)
      expect(scene.proxy.toxics()).toMatchObject([{ id: 'stalled', fault: fault.name, stream: 'downstream' }])
      await injection.rollback()
    }
    const cut = await inForce(resetConnections({ stream: 'upstream' }), scene.proxy)
    client?.socket.write('x')
    await vi.waitFor(() => expect(scene.proxy.counters.open).toBe(0))
    await cut.rollback()
  })
})

describe.each(HOMES)('an update, in %s', (_home, options) => {
  it('that is refused changes nothing', async () => {
    const { proxy } = await startScene(options)
    await inForce(delayData({ delayMs: 100 }), proxy, { id: 'one' })
    const before = proxy.toxics()
    expect(() => proxy.update('two', delayData({ delayMs: 1 }))).toThrow('Unknown injection on the proxy')
    expect(() => proxy.update('one', dropData())).toThrow('cannot be updated to proxy/drop-data')
    expect(() => proxy.update('one', delayData({ delayMs: 1, stream: 'both' }))).toThrow(
      'The `stream` of one is `downstream` and cannot be changed to `both`',
    )
    expect(() => delayData({ delayMs: -1 })).toThrow('Expected `delayMs`')
    const made = delayData({ delayMs: 1 })
    for (const unchecked of [{ ...made, options: { delayMs: -1 } }, Object.create(made), null])
      expect(() => proxy.update('one', unchecked as never)).toThrow('a fault that its factory made')
    expect(proxy.toxics()).toEqual(before)
    proxy.update('one', delayData({ delayMs: 7 }))
    expect(proxy.toxics()[0]?.options).toMatchObject({ delayMs: 7 })
  })
})

describe.each(HOMES)('the listener, in %s', (_home, options) => {
  it('refuses clients while it is disabled, closes live ones, and comes back at its port with its faults', async () => {
    const scene = await startScene(options)
    const { proxy, connect } = scene
    await inForce(sliceData({ sizeBytes: 1 }), proxy, { id: 'slice' })
    const client = await connect()
    client.socket.write('x')
    await client.receives(1)
    const { listen } = proxy
    await proxy.disable()
    await vi.waitFor(() => expect(client.events).toEqual(['end']))
    expect([proxy.enabled, proxy.connections(), proxy.listen]).toEqual([false, [], listen])
    const refused = connectSocket(proxy.port, '127.0.0.1')
    expect(await once(refused, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }])
    await Promise.all([proxy.enable(), proxy.enable()])
    expect([proxy.enabled, proxy.listen]).toEqual([true, listen])
    const again = await connect()
    again.socket.write('abc')
    await again.receives(3)
    expect(hitsOf(scene)).toEqual([['slice']])
  })

  it('moves to another port and another server, and closes live connections', async () => {
    const { proxy, connect } = await startScene(options)
    const other = await startUpstream((socket) => void socket.end('other'))
    onTestFinished(() => other.close())
    const client = await accepted(connect, proxy)
    const { port } = proxy
    await proxy.move({ listen: '127.0.0.1:0', upstream: other.address })
    expect(proxy.port).not.toBe(port)
    expect(proxy.upstream).toBe(other.address)
    await vi.waitFor(() => expect(client.events).toEqual(['end']))
    expect(String(await (await connect()).receives(5))).toBe('other')
  })

  it('leaves live connections alone if nothing changes', async () => {
    const { proxy, connect, upstream } = await startScene(options)
    const client = await connect()
    await proxy.move({ listen: proxy.listen, upstream: upstream.address })
    await proxy.move({})
    client.socket.write('x')
    await client.receives(1)
  })

  it('stays as it is if the new address is taken or no address', async () => {
    const { proxy, connect, upstream } = await startScene(options)
    const other = await createProxy({ upstream: upstream.address })
    onTestFinished(() => other.close())
    const client = await accepted(connect, proxy)
    const { listen } = proxy
    await expect(proxy.move({ listen: other.listen, upstream: '127.0.0.1:1' })).rejects.toMatchObject({
      code: 'CHAOS_LISTEN_FAILED',
    })
    await expect(proxy.move({ listen: `192.0.2.1:${proxy.port}` })).rejects.toMatchObject({
      code: 'CHAOS_LISTEN_FAILED',
    })
    expect(() => proxy.move({ upstream: 'nowhere' })).toThrow('Expected `upstream`')
    expect([proxy.listen, proxy.upstream, proxy.enabled]).toEqual([listen, upstream.address, true])
    client.socket.write('x')
    await client.receives(1)
    const next = await connect()
    next.socket.write('y')
    await next.receives(1)
  })

  it('may begin disabled', async () => {
    const { proxy } = await startScene({ ...options, enabled: false, name: 'a/b' })
    expect([proxy.enabled, proxy.name, proxy.listen]).toEqual([false, 'a/b', '127.0.0.1:0'])
    await proxy.enable()
    expect(proxy.port).toBeGreaterThan(0)
  })
})

it.each(['listen', 'upstream'] as const)('moves its %s while clients keep coming', async (what) => {
  const { proxy, connect, upstream } = await startScene()
  const other = await startUpstream()
  onTestFinished(() => other.close())
  await accepted(connect, proxy)
  // The first client takes long to close.
  const closes: (() => void)[] = []
  const { destroy } = Socket.prototype
  const spy = vi.spyOn(Socket.prototype, 'destroy').mockImplementation(function (this: Socket, error) {
    closes.push(() => void destroy.call(this, error))
    return this
  })
  onTestFinished(() => spy.mockRestore())
  const moved = proxy.move(what === 'listen' ? { listen: '127.0.0.1:0' } : { upstream: other.address })
  await vi.waitFor(() => expect(closes.length).toBeGreaterThan(0))
  const next = await connect()
  spy.mockRestore()
  for (const close of closes) close()
  await moved
  next.socket.write('abc')
  expect(String(await next.receives(3))).toBe('abc')
  expect(what === 'listen' ? upstream.accepted : other.accepted).toHaveLength(what === 'listen' ? 2 : 1)
})

describe.each(HOMES)('the hits of a connection, in %s', (_home, options) => {
  it('stay when their faults end, the last 100 of them', async () => {
    const scene = await startScene(options)
    const client = await scene.connect()
    const ids = Array.from({ length: 101 }, (_, n) => `ended-${n}`)
    const ended = await Promise.all(
      ids.map((id) => inForce(limitBandwidth({ bytesPerSecond: 1e9 }), scene.proxy, { id })),
    )
    const missed = await inForce(limitBandwidth({ bytesPerSecond: 1 }), scene.proxy, { rate: 0 })
    const inForceStill = await inForce(sliceData({ sizeBytes: 10 }), scene.proxy, { id: 'in-force' })
    client.socket.write('abc')
    await client.receives(3)
    for (const injection of [...ended, missed]) await injection.rollback()
    await vi.waitFor(() => expect(hitsOf(scene)).toEqual([[...ids.slice(1), 'in-force']]))
    expect(scene.proxy.connections()[0]?.hits[0]).toEqual({ id: 'ended-1', fault: 'proxy/limit-bandwidth' })
    await inForceStill.rollback()
    await vi.waitFor(() => expect(hitsOf(scene)).toEqual([[...ids.slice(2), 'in-force']]))
  })
})

describe('the end', () => {
  it.each(HOMES)('drops what is held and refuses what comes, in %s', async (_home, options) => {
    const { proxy, connect } = await startScene(options)
    const injection = await inForce(delayData({ delayMs: 100_000 }), proxy, { id: 'late' })
    const client = await connect()
    client.socket.write('x')
    await vi.waitFor(() => expect(injection.account['bytesHeld']).toBe(1))
    await Promise.all([proxy.close(), proxy.close()])
    await proxy[Symbol.asyncDispose]()
    await proxy.disable()
    expect(injection.account).toEqual({ bytesIn: 1, bytesOut: 0, bytesDropped: 1, bytesHeld: 0 })
    expect([proxy.enabled, proxy.counters.open, proxy.connections()]).toEqual([false, 0, []])
    expect([injection.outcome, proxy.toxics().map(({ id }) => id)]).toEqual([undefined, ['late']])
    await expect(proxy.enable()).rejects.toMatchObject({ code: 'CHAOS_PROXY_CLOSED' })
    await expect(inForce(dropData(), proxy)).rejects.toMatchObject({ code: 'CHAOS_PROXY_CLOSED' })
    expect((await injection.rollback()).failures).toEqual([])
    expect(proxy.toxics()).toEqual([])
  })

  it('is for good, with connections and timers', async () => {
    const clock = manualClock()
    const { proxy, connect } = await startScene()
    const injection = await inForce(delayData({ delayMs: 1_000 }), proxy, { clock })
    const client = await connect()
    client.socket.write('x')
    await vi.waitFor(() => expect(injection.account['bytesHeld']).toBe(1))
    const leases = 1
    expect(clock.pending).toBe(leases + 1)
    await proxy.close()
    await proxy[Symbol.asyncDispose]()
    expect(clock.pending).toBe(leases)
    expect(injection.account).toEqual({ bytesIn: 1, bytesOut: 0, bytesDropped: 1, bytesHeld: 0 })
    expect(proxy.counters.open).toBe(0)
    await expect(proxy.enable()).rejects.toMatchObject({ code: 'CHAOS_PROXY_CLOSED' })
    await expect(inForce(dropData(), proxy)).rejects.toMatchObject({ code: 'CHAOS_PROXY_CLOSED' })
  })
})

it('is a target of a controller, whose stopAll releases what is held', async () => {
  const { proxy, connect } = await startScene()
  const chaos = createChaos({ environment: 'test' })
  onTestFinished(() => chaos.close().then(() => undefined))
  chaos.target('redis', proxy, [delayData, closeConnections])
  const injection = await chaos.controller.inject('redis', 'proxy/delay-data', { delayMs: 100_000 })
  const client = await connect()
  client.socket.write('x')
  await vi.waitFor(() => expect(injection.account['bytesHeld']).toBe(1))
  await chaos.stopAll()
  await client.receives(1)
})
