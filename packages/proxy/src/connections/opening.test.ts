import { once } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { inForce, startScene, startUpstream } from '../../test/tcp.js'
import { refuseConnections } from '../index.js'

describe('a client whose connection is not open yet', () => {
  it('is noticed when it resets the connection, and its upstream is not dialled then', async () => {
    const { proxy, connect, upstream } = await startScene()
    const injection = await inForce(refuseConnections({ how: 'hang' }), proxy)
    const client = await connect()
    client.socket.write('hello')
    await vi.waitFor(() => expect([injection.held, proxy.counters.upstream.bytesHeld]).toEqual([1, 5]))
    client.socket.resetAndDestroy()
    await vi.waitFor(() => expect([proxy.counters.open, injection.held]).toEqual([0, 0]))
    await injection.rollback()
    const next = await connect()
    next.socket.write('next')
    expect(String(await next.receives(4))).toBe('next')
    expect(upstream.accepted).toHaveLength(1)
    await vi.waitFor(() =>
      expect(proxy.counters.upstream).toEqual({ bytesIn: 9, bytesOut: 4, bytesDropped: 5, bytesHeld: 0 }),
    )
  })

  it('may send more than the proxy keeps, and its end, and loses nothing', async () => {
    const { proxy, connect } = await startScene()
    const injection = await inForce(refuseConnections({ how: 'hang' }), proxy)
    const client = await connect()
    const sent = Buffer.alloc(20_000_000, 'hello ')
    client.socket.end(sent)
    await vi.waitFor(() => expect(proxy.counters.upstream.bytesHeld).toBeGreaterThanOrEqual(65_536))
    expect(proxy.counters.upstream.bytesHeld).toBeLessThanOrEqual(2 * 65_536)
    expect(client.socket.writableLength).toBeGreaterThan(0)
    await injection.rollback()
    expect((await client.receives(sent.length)).equals(sent)).toBe(true)
    await client.closed
    expect(client.events).toEqual(['end', 'close'])
    await vi.waitFor(() => expect(proxy.counters.open).toBe(0))
    const { upstream: bytes } = proxy.counters
    expect(bytes).toEqual({ bytesIn: sent.length, bytesOut: sent.length, bytesDropped: 0, bytesHeld: 0 })
  })

  it('may end what it sends, and gets its answer when the connection opens', async () => {
    const { proxy, connect } = await startScene()
    const injection = await inForce(refuseConnections({ how: 'hang' }), proxy)
    const client = await connect()
    client.socket.end('hello')
    await once(client.socket, 'finish')
    await vi.waitFor(() => expect(proxy.counters.upstream.bytesHeld).toBe(5))
    await injection.rollback()
    await client.closed
    expect([String(client.received()), client.events]).toEqual(['hello', ['end', 'close']])
  })

  it('is reset if it has sent bytes that nobody will get', async () => {
    const gone = await startUpstream()
    await gone.close()
    const { attempt } = await startScene({ upstream: gone.address })
    const client = attempt()
    client.socket.write('hello')
    await client.closed
    expect(client.events).toEqual(['ECONNRESET', 'close'])
  })
})
