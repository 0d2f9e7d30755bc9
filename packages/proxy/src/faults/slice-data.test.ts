import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { inForce, startScene } from '../../test/tcp.js'
import { sliceData } from '../index.js'

async function sliced(options: Parameters<typeof sliceData>[0], sizeBytes = 1_000) {
  const clock = manualClock()
  const sent = Buffer.from(Array.from({ length: sizeBytes }, (_, n) => n % 251))
  const scene = await startScene({}, (socket) => void socket.write(sent))
  const injection = await inForce(sliceData(options), scene.proxy, { clock, seed: 1, id: 'slice' })
  const client = await scene.connect()
  await vi.waitFor(() => expect(injection.account['bytesIn']).toBe(sizeBytes))
  return { ...scene, clock, injection, client, sent }
}

describe('sliceData', () => {
  it('cuts data into slices, the given time apart', async () => {
    const { clock, client, injection, sent } = await sliced({ sizeBytes: 100, variationBytes: 20, delayMs: 10 })
    const sizes: number[] = []
    let passed = 0
    while (passed < 1_000) {
      const { bytesOut = 0 } = injection.account
      sizes.push(bytesOut - passed)
      passed = bytesOut
      await clock.advance(10)
    }
    expect((await client.receives(1_000)).equals(sent)).toBe(true)
    expect(sizes.length).toBeGreaterThanOrEqual(8)
    for (const size of sizes) expect(size > 0 && size <= 120).toBe(true)
  })

  it('gives on what waits when it ends', async () => {
    const { client, injection, sent, clock } = await sliced({ sizeBytes: 10, delayMs: 1_000 })
    await client.receives(7)
    await injection.rollback()
    expect((await client.receives(1_000)).equals(sent)).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('keeps every byte with the smallest slices', async () => {
    const { client, injection, sent, clock } = await sliced({ sizeBytes: 1, variationBytes: 1 }, 3_000)
    while (injection.account['bytesHeld'] !== 0) await clock.advance(1)
    expect((await client.receives(3_000)).equals(sent)).toBe(true)
  })

  it.each([
    [{ sizeBytes: 0 }, 'Expected `sizeBytes` of proxy/slice-data'],
    [
      { sizeBytes: 10, variationBytes: 11 },
      'Expected `variationBytes` of proxy/slice-data to be at most `sizeBytes` (10)',
    ],
  ])('refuses %o', (options, words) => {
    expect(() => sliceData(options)).toThrow(words)
  })
})
