import { expect, it } from 'vitest'
import { openProbes } from './open-probes.js'

it('reads a probe outside an experiment, with its bounds', async () => {
  let waiting = 3
  const [queue] = openProbes([
    { name: 'queue', type: 'function', read: () => waiting, unit: 'orders', tolerance: { atMost: 5 } },
  ])
  expect(queue?.bounds).toBe('≤ 5 orders')
  expect(await queue?.read()).toMatchObject({ value: 3, isGood: true })
  waiting = 6
  expect(await queue?.read()).toMatchObject({ value: 6, isGood: false })
})

it('refuses what an experiment refuses', () => {
  expect(() => openProbes([{ name: 'queue', type: 'http', url: 'nowhere' }])).toThrow(/steadyState\.probes\.0\.url/)
  const health = { name: 'health', type: 'http', url: 'http://127.0.0.1/' } as const
  expect(() => openProbes([health, health])).toThrow('used twice')
})
