import { StatsD } from 'hot-shots'
import { expect, it, onTestFinished } from 'vitest'
import { duplicateDatagrams, loseDatagrams, reorderDatagrams, throttleDatagrams } from '../../src/udp/index.js'
import { inForceOn, startUdpScene, until } from '../udp.js'

const COUNT = 50

/** A StatsD client whose metrics go through a proxy, each in a datagram of its own. */
async function startStatsD() {
  const scene = await startUdpScene({ echo: false })
  const errors: Error[] = []
  const statsd = new StatsD({
    host: scene.proxy.host,
    port: scene.proxy.port,
    errorHandler: (error) => errors.push(error),
  })
  onTestFinished(() => new Promise<void>((resolve) => statsd.close(() => resolve())))
  /** Counts orders, and resolves when the client believes that all are sent. */
  const count = (): Promise<unknown> =>
    Promise.all(
      Array.from(
        { length: COUNT },
        (_, n) =>
          new Promise<void>((resolve, reject) =>
            statsd.increment(`orders.${n}`, 1, (error) => (error ? reject(error) : resolve())),
          ),
      ),
    )
  const arrived = (): Promise<void> =>
    until(() => expect(scene.proxy.counters.upstream).toMatchObject({ datagramsIn: COUNT, datagramsHeld: 0 }))
  return { ...scene, statsd, errors, count, arrived }
}

const ORDERS = Array.from({ length: COUNT }, (_, n) => `orders.${n}:1|c`)

it('never notices that its metrics are lost, which the counters of the proxy tell', async () => {
  const { proxy, server, count, arrived, errors } = await startStatsD()
  const injection = await inForceOn(loseDatagrams(), proxy, { rate: 0.4, seed: 1, id: 'statsd' })
  await count()
  await arrived()
  expect(errors).toEqual([])
  expect(injection.affected).toBeGreaterThan(5)
  expect(await server.receives(COUNT - injection.affected)).toHaveLength(COUNT - injection.affected)
  expect(proxy.counters.dropped.byFault).toBe(injection.affected)
})

it('counts twice what the network delivers twice', async () => {
  const { proxy, server, count, arrived } = await startStatsD()
  await inForceOn(duplicateDatagrams(), proxy)
  await count()
  await arrived()
  expect(await server.receives(2 * COUNT)).toEqual(ORDERS.flatMap((order) => [order, order]))
})

it('lets its metrics arrive in another order', async () => {
  const { proxy, server, count, arrived } = await startStatsD()
  await inForceOn(reorderDatagrams(), proxy)
  await count()
  await arrived()
  const received = await server.receives(COUNT)
  expect(received.slice(0, 4)).toEqual([ORDERS[1], ORDERS[0], ORDERS[3], ORDERS[2]])
  expect([...received].sort()).toEqual([...ORDERS].sort())
})

it('loses what a slow line has no room for, since it never waits', async () => {
  const { proxy, server, count, errors } = await startStatsD()
  const injection = await inForceOn(throttleDatagrams({ bytesPerSecond: 10, queueBytes: 200 }), proxy)
  await count()
  await until(() => expect(proxy.counters.upstream.datagramsIn).toBe(COUNT))
  expect(errors).toEqual([])
  const { queueFull } = proxy.counters.dropped
  expect(queueFull).toBeGreaterThan(20)
  await injection.rollback()
  expect(await server.receives(COUNT - queueFull)).toEqual(ORDERS.slice(0, COUNT - queueFull))
})
