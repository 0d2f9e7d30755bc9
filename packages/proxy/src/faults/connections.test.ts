import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { inForce, startScene } from '../../test/tcp.js'
import { delayConnections, refuseConnections } from '../index.js'

describe('refuseConnections', () => {
  it('lets the first connections fail, and ends then', async () => {
    const { proxy, connect, attempt, upstream } = await startScene()
    const injection = await inForce(refuseConnections(), proxy, { limit: 2 })
    for (let n = 0; n < 2; n += 1) {
      const client = attempt()
      await client.closed
      expect(client.events).toEqual(['ECONNRESET', 'close'])
    }
    expect((await injection.done).outcome).toBe('limit-spent')
    const third = await connect()
    third.socket.write('x')
    await third.receives(1)
    expect(upstream.accepted).toHaveLength(1)
  })

  it('closes after a time', async () => {
    const clock = manualClock()
    const { proxy, connect } = await startScene()
    const injection = await inForce(refuseConnections({ how: 'close', afterMs: 100 }), proxy, { clock })
    const client = await connect()
    await vi.waitFor(() => expect(injection.held).toBe(1))
    await clock.advance(99)
    expect(client.events).toEqual([])
    await clock.advance(1)
    await vi.waitFor(() => expect(client.events).toEqual(['end']))
    expect(proxy.counters.open).toBe(0)
  })

  it('lets connections hang until it ends, and opens them then', async () => {
    const clock = manualClock()
    const { proxy, connect, upstream } = await startScene()
    const injection = await inForce(refuseConnections({ how: 'hang' }), proxy, { clock })
    const client = await connect()
    client.socket.write('hello')
    await vi.waitFor(() => expect(injection.held).toBe(1))
    await clock.advance(50_000)
    expect([client.events, upstream.accepted.length, proxy.connections()[0]?.status]).toEqual([[], 0, 'opening'])
    await injection.rollback()
    expect(String(await client.receives(5))).toBe('hello')
  })

  it('leaves live connections alone', async () => {
    const { proxy, connect } = await startScene()
    const client = await connect()
    await vi.waitFor(() => expect(proxy.connections()[0]?.status).toBe('open'))
    const injection = await inForce(refuseConnections(), proxy)
    client.socket.write('x')
    await client.receives(1)
    expect(injection.seen).toBe(0)
    await injection.rollback()
  })
})

describe('delayConnections', () => {
  it('opens connections late, with all that was sent meanwhile', async () => {
    const clock = manualClock()
    const { proxy, connect, upstream } = await startScene()
    const injection = await inForce(delayConnections({ delayMs: 200 }), proxy, { clock })
    const client = await connect()
    client.socket.write('hello')
    await vi.waitFor(() => expect(injection.held).toBe(1))
    await clock.advance(199)
    expect(upstream.accepted).toHaveLength(0)
    await clock.advance(1)
    expect(String(await client.receives(5))).toBe('hello')
    expect(injection.held).toBe(0)
  })

  it('comes before a refusal that came later', async () => {
    const clock = manualClock()
    const { proxy, connect } = await startScene()
    const delay = await inForce(delayConnections({ delayMs: 200 }), proxy, { clock })
    const refusal = await inForce(refuseConnections(), proxy, { clock })
    const client = await connect()
    await vi.waitFor(() => expect(delay.held).toBe(1))
    expect(refusal.affected).toBe(0)
    await clock.advance(200)
    await client.closed
    expect([client.events, refusal.affected]).toEqual([['ECONNRESET', 'close'], 1])
  })
})
