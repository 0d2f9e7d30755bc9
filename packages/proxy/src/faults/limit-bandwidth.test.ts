import type { Clock } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { inForce, startScene } from '../../test/tcp.js'
import { limitBandwidth } from '../index.js'

async function limited(options: Parameters<typeof limitBandwidth>[0], sizeBytes: number) {
  const clock = manualClock()
  const scene = await startScene({}, (socket) => void socket.write(Buffer.alloc(sizeBytes)))
  const injection = await inForce(limitBandwidth(options), scene.proxy, { clock, leaseMs: 1_000_000, id: 'bandwidth' })
  const client = await scene.connect()
  await vi.waitFor(() => expect(injection.account['bytesIn']).toBeGreaterThan(0))
  return { ...scene, clock, injection, client }
}

describe('limitBandwidth', () => {
  it('lets a piece of data arrive when its last byte would, in slices of 100 ms', async () => {
    const { clock, client, injection } = await limited({ bytesPerSecond: 1_000 }, 250)
    await clock.advance(99)
    expect(injection.account['bytesOut']).toBe(0)
    await clock.advance(1)
    await client.receives(100)
    expect(injection.account['bytesOut']).toBe(100)
    await clock.advance(100)
    expect(injection.account['bytesOut']).toBe(200)
    await clock.advance(49)
    expect(injection.account['bytesOut']).toBe(200)
    await clock.advance(1)
    await client.receives(250)
  })

  it.each([10_000, 1_000_000, 10_000_000])(
    'keeps to %i bytes per second, however late its timers are',
    async (rate) => {
      const { clock, injection } = await limited({ bytesPerSecond: rate }, 60_000_000)
      const startedAt = clock.now()
      for (let n = 0; n < 20; n += 1) {
        await vi.waitFor(() =>
          expect(injection.account['bytesHeld']).toBeGreaterThanOrEqual(Math.max(65_536, rate / 10)),
        )
        await clock.advance(n % 3 === 0 ? 37 : 21)
      }
      const expected = (rate * (clock.now() - startedAt)) / 1_000
      const { bytesOut = 0 } = injection.account
      expect(bytesOut).toBeLessThanOrEqual(expected)
      // At most one slice of 100 ms is on its way.
      expect(bytesOut).toBeGreaterThanOrEqual(expected - Math.max(65_536, rate / 10))
    },
  )

  it('keeps to its rate although every timer is late', async () => {
    const manual = manualClock()
    const late: Clock = { now: () => manual.now(), after: (ms, work) => manual.after(ms + 15, work) }
    const { proxy, connect } = await startScene({}, (socket) => void socket.write(Buffer.alloc(5_000_000)))
    const injection = await inForce(limitBandwidth({ bytesPerSecond: 1_000_000 }), proxy, { clock: late })
    await connect()
    for (let n = 0; n < 100; n += 1) {
      await vi.waitFor(() => expect(injection.account['bytesHeld']).toBeGreaterThanOrEqual(100_000))
      await manual.advance(10)
    }
    // One slice may be late at the end.
    expect(injection.account['bytesOut']).toBeGreaterThanOrEqual(1_000_000 - 100_000)
    expect(injection.account['bytesOut']).toBeLessThanOrEqual(1_000_000)
  })

  it('lets nothing pass and loses nothing at 0', async () => {
    const { clock, client, injection } = await limited({ bytesPerSecond: 0 }, 1_000)
    await clock.advance(500_000)
    expect(client.received().length).toBe(0)
    await injection.rollback()
    expect((await client.receives(1_000)).length).toBe(1_000)
    expect(injection.account).toMatchObject({ bytesDropped: 0, bytesHeld: 0 })
  })

  it('gives on the first piece at an update, and follows the new rate from then on', async () => {
    const { clock, client, injection, proxy, upstream } = await limited({ bytesPerSecond: 0 }, 500)
    upstream.accepted[0]?.write(Buffer.alloc(100))
    await vi.waitFor(() => expect(injection.account['bytesIn']).toBe(600))
    await clock.advance(10_000)
    proxy.update('bandwidth', limitBandwidth({ bytesPerSecond: 1_000 }))
    await client.receives(500)
    await clock.advance(99)
    expect(injection.account['bytesOut']).toBe(500)
    await clock.advance(1)
    await client.receives(600)
  })

  it('is shared by all connections if it should be, and they take turns', async () => {
    const { clock, connect, injection, proxy } = await limited({ bytesPerSecond: 10_000, shared: true }, 100_000)
    await connect()
    await connect()
    await vi.waitFor(() => expect(proxy.connections().every(({ downstream }) => downstream.bytesIn > 0)).toBe(true))
    for (let n = 0; n < 100; n += 1) await clock.advance(10)
    const outs = proxy.connections().map(({ downstream }) => downstream.bytesOut)
    expect(injection.account['bytesOut']).toBeGreaterThanOrEqual(9_700)
    expect(injection.account['bytesOut']).toBeLessThanOrEqual(10_000)
    for (const out of outs) expect(out).toBeGreaterThan(3_000)
  })
})
