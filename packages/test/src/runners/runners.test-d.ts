import { refuseCalls } from '@chaos/adapter'
import { expect as jestExpect, useChaos } from './jest/index.js'
import { useChaos as useChaosOfNode, type NodeTestContext } from './node/index.js'
import { expect as playwrightExpect, test as playwrightTest } from './playwright/index.js'
import { expect, it, test } from './vitest/index.js'

const store = { get: (key: string): Promise<string> => Promise.resolve(key) }

test('has the fixture and the matchers', async ({ chaos, task }) => {
  const fault = await chaos.inject(refuseCalls(), store, { limit: 1, mayMiss: true })
  const name: string = await chaos.withFault(refuseCalls(), store, () => task.name)
  expect(fault).toHaveLanded()
  expect(fault).not.toHaveHit('get', 2)
  await expect(() => name).toRecoverWithin(1_000, { everyMs: 10 })
  expect({}).toHaveRetried({ times: 3, backoff: 'exponential', capMs: 1_000 })
  await expect({}).toHaveFiredAlert('LagHigh', { labels: { severity: 'page' }, withinMs: 1_000 })
  // @ts-expect-error A fault of a name is not one of a backoff.
  expect({}).toHaveRetried({ backoff: 'often' })
  // @ts-expect-error `limit` is a number.
  await chaos.inject(refuseCalls(), store, { limit: 'one' })
})
it.concurrent.for([1, 2])('chains', (n, { chaos }) => {
  expect(chaos.seed).not.toBe(n)
})
test.explore('explores', { targets: { store }, faults: { store: [refuseCalls] } }, async ({ targets }) => {
  await targets.store.get('a')
})

const chaos = useChaos({ scoped: true })
const ofNode = useChaosOfNode({} as NodeTestContext)
export const ofJest = async (): Promise<void> => {
  const fault = await chaos.inject(refuseCalls(), store)
  jestExpect(fault).toHaveHit('get', 1)
  jestExpect(fault).not.toHaveLanded()
  jestExpect(1).toBe(1)
  await ofNode.inject(refuseCalls(), store)
}

playwrightTest('has fixtures', async ({ chaos: ofPlaywright, remoteChaos }) => {
  playwrightExpect(await ofPlaywright.inject(refuseCalls(), store)).toHaveLanded()
  playwrightExpect(await remoteChaos.inject('store', 'refuse-calls', {}, { mayMiss: true })).toHaveHit('get')
})
