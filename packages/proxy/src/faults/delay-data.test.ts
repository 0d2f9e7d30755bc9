import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { inForce, startScene } from '../../test/tcp.js'
import { delayData } from '../index.js'

/** A client behind a delay of the bytes to it. */
async function delayed(options: Parameters<typeof delayData>[0]) {
  const clock = manualClock()
  const scene = await startScene()
  const injection = await inForce(delayData(options), scene.proxy, { clock, leaseMs: 1_000_000, id: 'delay' })
  const client = await scene.connect()
  /** Sends something, and waits until the server's answer is held. */
  const send = async (text: string, held: number): Promise<void> => {
    client.socket.write(text)
    await vi.waitFor(() => expect(injection.account['bytesHeld']).toBe(held))
  }
  return { ...scene, clock, injection, client, send }
}

describe('delayData', () => {
  it('gives bytes on when they are due, in order and never early', async () => {
    const { clock, client, send } = await delayed({ delayMs: 100 })
    await send('a', 1)
    await clock.advance(60)
    await send('b', 2)
    await clock.advance(39.9)
    expect(client.received().length).toBe(0)
    await clock.advance(0.1)
    expect(String(await client.receives(1))).toBe('a')
    await clock.advance(59.9)
    expect(client.received().length).toBe(1)
    await clock.advance(0.1)
    expect(String(await client.receives(2))).toBe('ab')
  })

  it('adds to other delays, and has one timer for all that a stream holds', async () => {
    const { clock, client, send, proxy } = await delayed({ delayMs: 50 })
    await inForce(delayData({ delayMs: 70 }), proxy, { clock, leaseMs: 1_000_000 })
    const leases = clock.pending
    const timers = vi.spyOn(clock, 'after')
    await send('a', 1)
    await send('b', 2)
    await send('c', 3)
    expect(clock.pending - leases).toBe(1)
    // One for the link; the first hit of each of the two faults asks for none.
    expect(timers).toHaveBeenCalledTimes(1)
    await clock.advance(119)
    expect(client.received().length).toBe(0)
    await clock.advance(1)
    expect(String(await client.receives(3))).toBe('abc')
    expect(clock.pending).toBe(leases)
  })

  it('keeps the order although the delay varies', async () => {
    const { clock, client, send } = await delayed({ delayMs: 100, jitterMs: 100 })
    for (let n = 0; n < 10; n += 1) await send(String(n), n + 1)
    await clock.advance(200)
    expect(String(await client.receives(10))).toBe('0123456789')
  })

  it('holds an end behind the bytes before it, and does not delay it otherwise', async () => {
    const { clock, client, send, connect } = await delayed({ delayMs: 100 })
    await send('x', 1)
    client.socket.end()
    await clock.advance(99)
    expect(client.events).toEqual([])
    await clock.advance(1)
    await client.closed
    expect([String(client.received()), client.events]).toEqual(['x', ['end', 'close']])
    const idle = await connect()
    idle.socket.end()
    await idle.closed
    expect(idle.events).toEqual(['end', 'close'])
  })

  it('gives on everything that it holds when it ends', async () => {
    const { client, send, injection, clock } = await delayed({ delayMs: 100_000 })
    await send('a', 1)
    await send('b', 2)
    await injection.rollback()
    expect(String(await client.receives(2))).toBe('ab')
    expect(clock.pending).toBe(0)
    expect(injection.account).toEqual({ bytesIn: 2, bytesOut: 2, bytesDropped: 0, bytesHeld: 0 })
  })

  it('gives on the first piece at an update, and the rest by the new delay from when it came', async () => {
    const { client, send, proxy, clock } = await delayed({ delayMs: 200 })
    await send('a', 1)
    await clock.advance(50)
    await send('b', 2)
    proxy.update('delay', delayData({ delayMs: 400 }))
    expect(String(await client.receives(1))).toBe('a')
    await clock.advance(399)
    expect(client.received().length).toBe(1)
    await clock.advance(1)
    expect(String(await client.receives(2))).toBe('ab')
  })

  it('draws the same delays for the same seed', async () => {
    const draws = async (seed: string): Promise<number[]> => {
      const clock = manualClock()
      const { proxy, connect } = await startScene()
      const injection = await inForce(delayData({ delayMs: 100, jitterMs: 100 }), proxy, { clock, seed, id: 'drawn' })
      const client = await connect()
      const dues: number[] = []
      for (let n = 0; n < 5; n += 1) {
        client.socket.write('x')
        await vi.waitFor(() => expect(injection.account['bytesHeld']).toBe(1))
        const from = clock.now()
        while (injection.account['bytesHeld'] === 1) await clock.advance(1)
        dues.push(clock.now() - from)
      }
      await injection.rollback()
      return dues
    }
    const first = await draws('seed')
    expect(new Set(first).size).toBeGreaterThan(2)
    expect(await draws('seed')).toEqual(first)
    expect(await draws('other')).not.toEqual(first)
  })

  it('stops reading when it holds as much as the proxy allows', async () => {
    const clock = manualClock()
    const { proxy, connect } = await startScene({ maxHeldBytes: 1_000_000 }, (socket) => {
      socket.write(Buffer.alloc(20_000_000))
    })
    const injection = await inForce(delayData({ delayMs: 1_000 }), proxy, { clock })
    const client = await connect()
    await vi.waitFor(() => expect(injection.account['bytesHeld']).toBeGreaterThanOrEqual(1_000_000))
    expect(injection.account['bytesHeld']).toBeLessThan(1_000_000 + 262_144)
    // It reads on as soon as there is room.
    for (let n = 1; n <= 20; n += 1) {
      await clock.advance(1_000)
      await vi.waitFor(() => expect(client.received().length).toBeGreaterThan(0))
    }
    await injection.rollback()
    await client.receives(20_000_000)
  })
})
