import type { Fault, Injection } from '@chaos/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { inForceOn, isBalancedUdp, startUdpScene, until, type UdpScene } from '../../test/udp.js'
import {
  corruptDatagrams,
  delayDatagrams,
  duplicateDatagrams,
  loseDatagrams,
  reorderDatagrams,
  throttleDatagrams,
  type UdpProxyTarget,
} from './index.js'

type Make = (n: number) => Fault<UdpProxyTarget>

/** Limited: the system drops what comes faster than a socket of this process is read, and counts it nowhere. */
const duplicates: Make = (n) => duplicateDatagrams({ copies: n % 3 || 1, spacingMs: n % 4 })

const FAULTS: readonly Make[] = [
  (n) => loseDatagrams({ lossRate: n / 20, correlation: 0.3 }),
  (n) => delayDatagrams({ delayMs: n % 4, jitterMs: n % 3, order: n % 2 === 0 ? 'keep' : 'free' }),
  duplicates,
  (n) => reorderDatagrams({ distance: n, withinMs: 1 + (n % 3) }),
  (n) => corruptDatagrams({ bits: n }),
  (n) => throttleDatagrams({ bytesPerSecond: 10_000 * n, queueBytes: 100 * n }),
]

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      from: fc.nat(2),
      count: fc.integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      fault: fc.nat(FAULTS.length - 1),
      n: fc.integer({ min: 1, max: 9 }),
      rate: fc.constantFrom(1, 0.5),
      isLimited: fc.boolean(),
    }),
  },
  fc.record({ do: fc.constant('end' as const), which: fc.nat(5) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat(4) }),
)

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0)

/** Whether the accounts of a proxy, of its sessions and of its faults balance, and agree with each other. */
function checkAccounts({ proxy }: UdpScene, injections: readonly Injection[]): void {
  const { upstream, downstream, dropped } = proxy.counters
  const sessions = proxy.sessions()
  for (const account of [upstream, downstream, ...sessions.flatMap((one) => [one.upstream, one.downstream])])
    expect(account).toSatisfy(isBalancedUdp)
  for (const { account, seen, affected, passed } of injections) {
    expect(account).toSatisfy(isBalancedUdp)
    expect([seen, seen]).toEqual([affected + passed, account['datagramsIn']])
  }
  const reasons = sumOf(Object.values(dropped) as number[])
  expect(reasons).toBe(upstream.datagramsDropped + downstream.datagramsDropped)
  const byFaults = sumOf(injections.map(({ account }) => account['datagramsDropped'] ?? 0))
  expect(reasons).toBe(byFaults)
}

it('accounts for every datagram at any instant, and drops exactly what it reports, while faults come and go', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.integer({ min: 3, max: 40 }),
      async (steps, maxHeldDatagrams) => {
        const scene = await startUdpScene({ maxHeldDatagrams })
        const { proxy, server } = scene
        const clients = [scene.client, await scene.connect(), await scene.connect()]
        // A session that opens holds datagrams too, and its proxy drops what it has no room for.
        for (const client of clients) await client.send('open')
        await Promise.all(clients.map((client) => client.receives(1)))
        const injections: Injection[] = []
        let sent = clients.length
        for (const one of steps) {
          if (one.do === 'send') {
            const payloads = Array.from({ length: one.count }, (_, n) => 'x'.repeat(n * 20))
            await clients[one.from]?.send(...payloads)
            sent += one.count
          } else if (one.do === 'add') {
            const fault = FAULTS[one.fault] as Make
            const limit = one.isLimited || fault === duplicates ? { limit: 5 } : {}
            injections.push(await inForceOn(fault(one.n), proxy, { rate: one.rate, ...limit }))
          } else if (one.do === 'end') await injections[one.which]?.rollback()
          else await new Promise((resolve) => setTimeout(resolve, one.ms))
          checkAccounts(scene, injections)
        }
        for (const injection of injections) await injection.rollback()
        // Everything has come, and everything has gone: to where it belongs, or to where the counters say.
        await until(() => {
          const { upstream, downstream } = proxy.counters
          expect([upstream.datagramsIn, upstream.datagramsHeld, downstream.datagramsHeld]).toEqual([sent, 0, 0])
          expect(server.received).toHaveLength(upstream.datagramsOut)
          expect(downstream.datagramsIn).toBe(upstream.datagramsOut)
          expect(sumOf(clients.map(({ received }) => received.length))).toBe(downstream.datagramsOut)
        })
        checkAccounts(scene, injections)
        for (const { account } of injections) expect(account['datagramsHeld']).toBe(0)
        await proxy.close()
        checkAccounts(scene, injections)
      },
    ),
    { numRuns: 60 },
  ))
