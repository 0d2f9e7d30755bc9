import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { inForce, startScene } from '../../test/tcp.js'
import { loseData, retransmitData } from '../index.js'
import { lossOf } from '../toxics/loss.js'

/** The outcomes of many decisions with evenly spread numbers that look random. */
function outcomes(lossRate: number, correlation: number): readonly boolean[] {
  let state = 1
  const draw = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
  const isLost = lossOf(draw)
  return Array.from({ length: 20_000 }, () => isLost({ lossRate, correlation }))
}
const share = (all: readonly boolean[]): number => all.filter(Boolean).length / all.length

describe('lossOf', () => {
  it('loses the given share', () => {
    expect(share(outcomes(0.2, 0))).toBeCloseTo(0.2, 1)
    expect([share(outcomes(0, 1)), share(outcomes(1, 0))]).toEqual([0, 1])
  })

  it('is more likely behind a loss by the correlation', () => {
    const all = outcomes(0.1, 0.5)
    const behind = all.filter((_, n) => all[n - 1] === true)
    const others = all.filter((_, n) => all[n - 1] === false)
    expect(share(behind)).toBeCloseTo(0.6, 1)
    expect(share(others)).toBeCloseTo(0.1, 1)
  })
})

describe('loseData', () => {
  it('loses pieces of data, and says so', async () => {
    const { proxy, connect } = await startScene()
    const injection = await inForce(loseData({ lossRate: 0.5, stream: 'upstream' }), proxy, { seed: 3, id: 'lose' })
    const client = await connect()
    for (let n = 1; n <= 30; n += 1) {
      client.socket.write('x')
      await vi.waitFor(() => expect(injection.account['bytesIn']).toBe(n))
    }
    const { bytesOut = 0, bytesDropped = 0 } = injection.account
    expect(bytesOut + bytesDropped).toBe(30)
    expect(bytesOut > 0 && bytesDropped > 0).toBe(true)
    await client.receives(bytesOut)
    await injection.rollback()
  })
})

describe('retransmitData', () => {
  it('delays what was lost by the timeout, which doubles, and loses no byte', async () => {
    const clock = manualClock()
    const { proxy, connect } = await startScene()
    const injection = await inForce(retransmitData({ lossRate: 0.5, timeoutMs: 200 }), proxy, {
      clock,
      seed: 5,
      id: 'r',
    })
    const client = await connect()
    const delays = new Set<number>()
    for (let n = 1; n <= 30; n += 1) {
      client.socket.write('x')
      await vi.waitFor(() => expect(injection.account['bytesIn']).toBe(n))
      const from = clock.now()
      while (injection.account['bytesHeld'] !== 0) await clock.advance(100)
      delays.add(clock.now() - from)
    }
    await client.receives(30)
    const expected = [0, 200, 600, 1_400, 3_000, 6_200, 12_600]
    for (const delay of delays) expect(expected).toContain(delay)
    expect([...delays]).toEqual(expect.arrayContaining([0, 200, 600]))
  })

  it('lets bytes wait behind a lost packet', async () => {
    const clock = manualClock()
    const { proxy, connect } = await startScene()
    const injection = await inForce(retransmitData({ lossRate: 1 }), proxy, { clock, id: 'r' })
    const client = await connect()
    client.socket.write('a')
    await vi.waitFor(() => expect(injection.account['bytesHeld']).toBe(1))
    proxy.update('r', retransmitData({ lossRate: 1 }))
    await client.receives(1)
    client.socket.write('b')
    await vi.waitFor(() => expect(injection.account['bytesHeld']).toBe(1))
    client.socket.write('c')
    await vi.waitFor(() => expect(injection.account['bytesHeld']).toBe(2))
    await injection.rollback()
    expect(String(await client.receives(3))).toBe('abc')
  })
})
