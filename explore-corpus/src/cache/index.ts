import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { delayCalls, failAfterCall, refuseCalls } from '@chaos/adapter'
import { calm } from '../shared/calm.js'
import { corpusApp, runningApp } from '../shared/corpus-app.js'
import { testTime } from '../shared/time.js'
import { Catalog, FRESH_MS, type CatalogBug } from './catalog.js'
import { Cache, Prices } from './services.js'

const LAMP = 'lamp'

/** A cache before a database. */
export const cache = corpusApp<CatalogBug>({
  name: 'cache',
  bugs: {
    'failed-invalidation-ignored': {
      story: 'An entry that can be neither removed nor overwritten is left in the cache, and read after the change.',
      revealedBy: [
        { target: 'cache', operation: 'remove', call: 1, fault: 'adapter/refuse-calls' },
        { target: 'cache', operation: 'write', call: 2, fault: 'adapter/refuse-calls' },
      ],
    },
    'errors-cached': {
      story: 'When the database fails, the cache remembers that there is no such item.',
      revealedBy: [{ target: 'prices', operation: 'load', call: 1, fault: 'adapter/refuse-calls' }],
    },
    'late-read-cached': {
      story: 'A slow read that began before a change puts the old price into the cache after it.',
      revealedBy: [{ target: 'prices', operation: 'load', call: 3, fault: 'adapter/delay-calls' }],
    },
    'lock-never-released': {
      story: 'A read that fails keeps its lock, and all later reads of the item wait for ever.',
      revealedBy: [{ target: 'prices', operation: 'load', call: 1, fault: 'adapter/refuse-calls' }],
    },
    'stale-answer-renewed': {
      story: 'The last known price that is given while the database fails counts as fresh again.',
      revealedBy: [{ target: 'prices', operation: 'load', call: 5, fault: 'adapter/refuse-calls' }],
    },
  },
  make(bugs) {
    const services = { prices: new Prices(), cache: new Cache() }
    const { prices } = services
    const time = testTime()
    return runningApp({
      targets: services,
      faults: {
        prices: [
          refuseCalls(),
          failAfterCall({ methods: 'store' }),
          delayCalls({ methods: 'load', delayMs: 50, seam: 'response' }),
        ],
        cache: [refuseCalls(), failAfterCall({ methods: ['write', 'remove'] })],
      },
      clock: time.clock,
      async body() {
        prices.set(LAMP, 10)
        const sut = new Catalog(services, time, bugs)
        /** An error is a fair answer. "No such item" is not. */
        const read = (): Promise<number | 'error'> =>
          sut.price(LAMP).then(
            (price) => price ?? assert.fail('The item exists'),
            () => 'error' as const,
          )
        const now = (): Promise<number | 'error'> => time.run(read)
        const change = (price: number): Promise<boolean> =>
          time.run(() =>
            sut.change(LAMP, price).then(
              () => true,
              () => false,
            ),
          )
        const isRead = async (price: number, when: string): Promise<void> =>
          assert.ok([price, 'error'].includes(await now()), `${when}: the price is not ${price}`)

        await isRead(10, 'at first')
        if (await change(20)) await isRead(20, 'after a change')
        await time.pass(FRESH_MS)
        const slow = read()
        slow.catch(() => undefined)
        await turn()
        const isChanged = await change(30)
        await time.run(() => slow)
        if (isChanged) await isRead(30, 'after a change during a read')
        prices.set(LAMP, 40)
        await time.pass(FRESH_MS)
        await now()
        await time.pass(FRESH_MS / 2)
        assert.equal(await calm(now), 40, 'the price after a change by another service')
      },
      reset() {
        time.reset()
        for (const service of Object.values(services)) service.reset()
      },
    })
  },
})
