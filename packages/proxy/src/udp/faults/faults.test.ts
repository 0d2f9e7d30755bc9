import type { Fault } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { infoOf, inForceOn, startUdpScene, until, type Options } from '../../../test/udp.js'
import {
  corruptDatagrams,
  delayDatagrams,
  duplicateDatagrams,
  loseDatagrams,
  reorderDatagrams,
  throttleDatagrams,
  type UdpProxyTarget,
} from '../index.js'

const NUMBERS = Array.from({ length: 40 }, (_, n) => String(n))

/** A fault in force on what one client sends to a server that only receives. Time stands still. */
async function inForceUpstream(fault: Fault<UdpProxyTarget>, options: Options = {}) {
  const clock = manualClock()
  const scene = await startUdpScene({ echo: false })
  const injection = await inForceOn(fault, scene.proxy, { clock, leaseMs: 10_000_000, id: 'udp', ...options })
  return { ...scene, clock, injection }
}

/** What a server receives of 40 datagrams under a fault, by its seed. */
async function receivedUnder(fault: Fault<UdpProxyTarget>, options: Options): Promise<readonly string[]> {
  const { clock, injection, server, sends } = await inForceUpstream(fault, options)
  await sends(...NUMBERS)
  await clock.advance(10_000)
  await injection.rollback()
  return [...(await server.receives(injection.account['datagramsOut'] ?? 0))]
}

describe.each([
  ['loseDatagrams', () => loseDatagrams(), { rate: 0.5 }],
  ['loseDatagrams in bursts', () => loseDatagrams({ lossRate: 0.2, correlation: 0.6 }), {}],
  ['delayDatagrams that overtake', () => delayDatagrams({ delayMs: 50, jitterMs: 50, order: 'free' }), {}],
  ['duplicateDatagrams', () => duplicateDatagrams({ spacingMs: 1 }), { rate: 0.5 }],
  ['reorderDatagrams', () => reorderDatagrams(), { rate: 0.5 }],
  ['corruptDatagrams', () => corruptDatagrams(), { rate: 0.5 }],
] as const)('%s', (_title, fault, options) => {
  it('does the same to the same datagrams with the same seed, and something else with another', async () => {
    const first = await receivedUnder(fault(), { ...options, seed: 'one' })
    expect(first).not.toEqual(NUMBERS)
    expect(await receivedUnder(fault(), { ...options, seed: 'one' })).toEqual(first)
    expect(await receivedUnder(fault(), { ...options, seed: 'two' })).not.toEqual(first)
  })
})

describe('loseDatagrams', () => {
  it('loses what it reports, and only that', async () => {
    const { injection, proxy, server, sends } = await inForceUpstream(loseDatagrams(), { rate: 0.5, seed: 1 })
    await sends(...NUMBERS)
    expect(await server.receives(injection.passed)).toHaveLength(NUMBERS.length - injection.affected)
    expect(injection.affected).toBeGreaterThan(5)
    expect(injection.account).toMatchObject({ datagramsDropped: injection.affected, datagramsHeld: 0 })
    expect(proxy.counters.dropped).toMatchObject({ byFault: injection.affected, closed: 0 })
  })

  it('loses in bursts if losses are correlated: behind a loss, everything is lost at correlation 1', async () => {
    const { server, injection, sends } = await inForceUpstream(loseDatagrams({ lossRate: 0.1, correlation: 1 }), {
      seed: 2,
    })
    await sends(...NUMBERS)
    const { passed } = injection
    expect(passed).toBeGreaterThan(0)
    expect(passed).toBeLessThan(NUMBERS.length)
    expect(await server.receives(passed)).toEqual(NUMBERS.slice(0, passed))
  })

  it('affects both directions, unless it is told otherwise', async () => {
    const { proxy, client, server } = await startUdpScene()
    const down = await inForceOn(loseDatagrams({ stream: 'downstream' }), proxy)
    await client.send('a')
    await server.receives(1)
    await until(() => expect(down.affected).toBe(1))
    await down.rollback()
    const both = await inForceOn(loseDatagrams(), proxy)
    await client.send('b')
    await until(() => expect(both.affected).toBe(1))
    expect([server.received, client.received]).toEqual([['a'], []])
  })
})

describe('delayDatagrams', () => {
  it('gives datagrams on when they are due, never early, with one timer', async () => {
    const { clock, server, sends, injection } = await inForceUpstream(delayDatagrams({ delayMs: 100 }))
    const timers = vi.spyOn(clock, 'after')
    await sends('a')
    await clock.advance(60)
    await sends('b', 'c')
    // One for the lease, which was there before, and one for all that is held.
    expect([timers.mock.calls.length, clock.pending]).toEqual([1, 2])
    await clock.advance(39.9)
    expect(injection.account['datagramsHeld']).toBe(3)
    await clock.advance(0.1)
    expect(await server.receives(1)).toEqual(['a'])
    await clock.advance(59.9)
    expect(injection.account['datagramsHeld']).toBe(2)
    await clock.advance(0.1)
    expect(await server.receives(3)).toEqual(['a', 'b', 'c'])
    expect([injection.account['datagramsHeld'], clock.pending]).toEqual([0, 1])
  })

  it('keeps the order of a session and direction, also of datagrams that it does not affect', async () => {
    const fault = delayDatagrams({ delayMs: 100, jitterMs: 100 })
    const { clock, server, sends, injection } = await inForceUpstream(fault, { rate: 0.5 })
    await sends(...NUMBERS)
    expect(injection.passed).toBeGreaterThan(0)
    await clock.advance(200)
    expect(await server.receives(NUMBERS.length)).toEqual(NUMBERS)
  })

  it('delays no session behind another one', async () => {
    const { clock, server, client, connect, proxy, injection } = await inForceUpstream(
      delayDatagrams({ delayMs: 100 }),
      {
        only: (args) => infoOf(args).ordinal === 1,
      },
    )
    await client.send('late')
    await until(() => expect(injection.account['datagramsHeld']).toBe(1))
    const other = await connect()
    await other.send('at once')
    expect(await server.receives(1)).toEqual(['at once'])
    await clock.advance(100)
    expect(await server.receives(2)).toEqual(['at once', 'late'])
    expect(proxy.counters.opened).toBe(2)
  })

  it('lets datagrams overtake if it should', async () => {
    const received = await receivedUnder(delayDatagrams({ delayMs: 100, jitterMs: 100, order: 'free' }), { seed: 1 })
    expect(received).not.toEqual(NUMBERS)
    expect([...received].sort()).toEqual([...NUMBERS].sort())
  })

  it('gives on what it holds when it ends, in order of arrival whatever was due first', async () => {
    const fault = delayDatagrams({ delayMs: 100, jitterMs: 100, order: 'free' })
    const { server, sends, injection, clock } = await inForceUpstream(fault)
    await sends(...NUMBERS)
    await injection.rollback()
    expect(await server.receives(NUMBERS.length)).toEqual(NUMBERS)
    expect(clock.pending).toBe(0)
    expect(injection.account).toMatchObject({ datagramsOut: 40, datagramsHeld: 0 })
  })

  it('stays in force for what it holds, though its limit is spent', async () => {
    const { server, sends, injection, clock } = await inForceUpstream(delayDatagrams({ delayMs: 100 }), { limit: 2 })
    await sends('a', 'b')
    await clock.advance(99)
    expect([server.received, injection.status]).toEqual([[], 'active'])
    await clock.advance(1)
    expect(await server.receives(2)).toEqual(['a', 'b'])
    expect((await injection.done).outcome).toBe('limit-spent')
  })
})

describe('duplicateDatagrams', () => {
  it('delivers copies behind the original, apart by the spacing', async () => {
    const { clock, server, sends, injection } = await inForceUpstream(
      duplicateDatagrams({ copies: 2, spacingMs: 10 }),
      {
        limit: 1,
      },
    )
    await sends('a', 'b')
    expect(await server.receives(2)).toEqual(['a', 'b'])
    await clock.advance(9)
    expect(injection.account).toMatchObject({ datagramsDuplicated: 2, datagramsHeld: 2 })
    await clock.advance(1)
    await server.receives(3)
    await clock.advance(10)
    expect(await server.receives(4)).toEqual(['a', 'b', 'a', 'a'])
  })

  it('delivers copies at once without a spacing', async () => {
    const { server, sends, proxy } = await inForceUpstream(duplicateDatagrams({ copies: 3 }))
    await sends('a', 'b')
    expect(await server.receives(8)).toEqual(['a', 'a', 'a', 'a', 'b', 'b', 'b', 'b'])
    expect(proxy.counters.upstream).toMatchObject({ datagramsIn: 2, datagramsDuplicated: 6, datagramsOut: 8 })
  })
})

describe('reorderDatagrams', () => {
  it('swaps pairs at rate 1 and distance 1', async () => {
    const { server, sends, injection } = await inForceUpstream(reorderDatagrams())
    await sends('1', '2', '3', '4')
    expect(await server.receives(4)).toEqual(['2', '1', '4', '3'])
    expect([injection.affected, injection.passed]).toEqual([2, 2])
  })

  it('lets as many overtake as it should', async () => {
    const { server, sends } = await inForceUpstream(reorderDatagrams({ distance: 3 }), { skip: 1, limit: 1 })
    await sends('1', '2', '3', '4', '5', '6')
    expect(await server.receives(6)).toEqual(['1', '3', '4', '5', '2', '6'])
  })

  it('waits no longer than it should for a datagram that overtakes', async () => {
    const { clock, server, sends, injection } = await inForceUpstream(reorderDatagrams({ withinMs: 100 }))
    await sends('1')
    await clock.advance(99)
    expect([server.received, injection.account['datagramsHeld']]).toEqual([[], 1])
    await clock.advance(1)
    await server.receives(1)
    // The next one waits anew.
    await sends('2', '3')
    expect(await server.receives(3)).toEqual(['1', '3', '2'])
  })

  it('refuses a wait of no time', () => {
    expect(() => reorderDatagrams({ withinMs: 0 })).toThrow(
      'Expected `withinMs` of proxy/reorder-datagrams to be at least 1, got `0`.',
    )
  })
})

describe('corruptDatagrams', () => {
  /** The number of bits in which two texts differ. */
  const differences = (one: string, other: string): number =>
    Buffer.from(one, 'latin1').reduce((sum, byte, at) => {
      let rest = byte ^ other.charCodeAt(at)
      for (; rest > 0; rest >>= 1) sum += rest & 1
      return sum
    }, 0)

  it.each([1, 5, 16])('flips %i bits of a datagram, no bit twice, and keeps its length', async (bits) => {
    const { server, sends } = await inForceUpstream(corruptDatagrams({ bits }))
    await sends('ab', 'cd', '')
    const received = await server.receives(3)
    expect(received.map(({ length }) => length)).toEqual([2, 2, 0])
    expect([differences('ab', received[0] as string), differences('cd', received[1] as string)]).toEqual([bits, bits])
  })

  it('does not damage a copy that is under way', async () => {
    const { clock, proxy, server, sends } = await inForceUpstream(duplicateDatagrams({ spacingMs: 10 }))
    const corrupt = await inForceOn(corruptDatagrams({ stream: 'upstream' }), proxy, { limit: 1 })
    await sends('a')
    await server.receives(1)
    expect(corrupt.affected).toBe(1)
    await clock.advance(10)
    const [original, copy] = await server.receives(2)
    expect(original).not.toBe('a')
    expect(copy).toBe('a')
  })
})

describe('throttleDatagrams', () => {
  it('carries one datagram after the other, each until its last byte', async () => {
    const { clock, server, sends, injection } = await inForceUpstream(throttleDatagrams({ bytesPerSecond: 1_000 }))
    await sends('x'.repeat(100), 'y'.repeat(50))
    await clock.advance(99)
    expect(injection.account['datagramsOut']).toBe(0)
    await clock.advance(1)
    await server.receives(1)
    await clock.advance(49)
    expect(injection.account['datagramsOut']).toBe(1)
    await clock.advance(1)
    expect(await server.receives(2)).toEqual(['x'.repeat(100), 'y'.repeat(50)])
  })

  it('is one line for all sessions, and one for each direction', async () => {
    const clock = manualClock()
    const { proxy, client, connect, server } = await startUdpScene()
    const injection = await inForceOn(throttleDatagrams({ bytesPerSecond: 1_000 }), proxy, {
      clock,
      leaseMs: 1_000_000,
    })
    const other = await connect()
    await client.send('x'.repeat(100))
    await until(() => expect(injection.account['datagramsHeld']).toBe(1))
    await other.send('y'.repeat(100))
    await until(() => expect(injection.account['datagramsHeld']).toBe(2))
    await clock.advance(100)
    await server.receives(1)
    // The answer of the first session, and the request of the second one.
    await until(() => expect(injection.account['datagramsHeld']).toBe(2))
    await clock.advance(100)
    await client.receives(1)
    await server.receives(2)
    await until(() => expect(injection.account['datagramsHeld']).toBe(1))
    await clock.advance(100)
    await other.receives(1)
  })

  it('drops what its queue has no room for, and carries any datagram that finds it empty', async () => {
    const fault = throttleDatagrams({ bytesPerSecond: 1_000, queueBytes: 10 })
    const { clock, server, sends, injection, proxy } = await inForceUpstream(fault)
    await sends('x'.repeat(50), 'lost')
    await clock.advance(50)
    await server.receives(1)
    await sends('12345', '67890', 'lost')
    await clock.advance(10)
    expect(await server.receives(3)).toEqual(['x'.repeat(50), '12345', '67890'])
    expect(injection.account).toMatchObject({ datagramsIn: 5, datagramsOut: 3, datagramsDropped: 2 })
    expect(proxy.counters.dropped).toMatchObject({ queueFull: 2, byFault: 0 })
  })

  it('keeps to its rate, however late its timers are', async () => {
    const { clock, sends, injection } = await inForceUpstream(throttleDatagrams({ bytesPerSecond: 1_000 }))
    await sends(...NUMBERS.map(() => 'x'.repeat(100)))
    for (let n = 0; n < 20; n += 1) await clock.advance(n % 2 === 0 ? 37 : 63)
    expect(injection.account['datagramsOut']).toBe(10)
  })
})
