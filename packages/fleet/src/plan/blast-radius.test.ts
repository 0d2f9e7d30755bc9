import fc from 'fast-check'
import { expect, it } from 'vitest'
import { instance, instances, refusal } from '../../test/fixtures.js'
import { chooseInstances, type Selector } from './blast-radius.js'
import { capsProblem } from './caps.js'
import type { InstanceRecord } from './instance.js'

const percents = fc.integer({ min: 1, max: 100 })
const seeds = fc.string({ maxLength: 20 })
const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 200 })
const fleetOf = (names: readonly string[]): readonly InstanceRecord[] => names.map((id) => instance(id))
const chosen = (fleet: readonly InstanceRecord[], selector: Omit<Selector, 'service'>): readonly string[] => {
  try {
    return chooseInstances(fleet, { service: 'journal', ...selector }).instances.map(({ id }) => id)
  } catch {
    // A share of less than one instance is refused.
    return []
  }
}

it('takes exactly the share of the instances, rounded down', () =>
  fc.assert(
    fc.property(ids, percents, seeds, (names, percent, seed) => {
      expect(chosen(fleetOf(names), { share: percent / 100, seed })).toHaveLength(
        Math.floor((names.length * percent) / 100),
      )
    }),
  ))

it('takes the same instances again, in whatever order they are listed', () =>
  fc.assert(
    fc.property(ids, percents, seeds, (names, percent, seed) => {
      const selector = { share: percent / 100, seed }
      expect(chosen(fleetOf([...names].reverse()), selector)).toEqual(chosen(fleetOf(names), selector))
    }),
  ))

it('takes a smaller share from a larger one of the same seed, also under a cap', () =>
  fc.assert(
    fc.property(ids, percents, percents, fc.integer({ min: 1, max: 50 }), seeds, (names, one, other, cap, seed) => {
      const [small = 1, large = 1] = [one, other].sort((a, b) => a - b)
      const more = chosen(fleetOf(names), { share: large / 100, seed, cap })
      const fewer = chosen(fleetOf(names), { share: small / 100, seed, cap })
      expect(more.slice(0, fewer.length)).toEqual(fewer)
      expect(more.length).toBeLessThanOrEqual(cap)
    }),
  ))

it('draws nobody in for an instance that leaves, beyond the next of the order', () =>
  fc.assert(
    fc.property(ids, seeds, fc.nat(), (names, seed, at) => {
      const gone = names[at % names.length]
      const order = chosen(fleetOf(names), { seed })
      expect(chosen(fleetOf(names.filter((id) => id !== gone)), { seed })).toEqual(order.filter((id) => id !== gone))
    }),
  ))

it('takes others for another seed', () => {
  const fleet = instances(200)
  expect(chosen(fleet, { share: 0.1, seed: 'a' })).not.toEqual(chosen(fleet, { share: 0.1, seed: 'b' }))
})

it('keeps 29 % of 100 at 29, whatever binary fractions make of it', () => {
  expect(chosen(instances(100), { share: 0.29, seed: 'a' })).toHaveLength(29)
})

it('selects by service and every label, and leaves out who is leaving', () => {
  const fleet = [
    instance('yes', { labels: { zone: 'eu-1', tier: 'gold' } }),
    instance('no-tier'),
    instance('other-zone', { labels: { zone: 'us-1', tier: 'gold' } }),
    instance('other-service', { service: 'web', labels: { zone: 'eu-1', tier: 'gold' } }),
    instance('leaving', { labels: { zone: 'eu-1', tier: 'gold' }, state: 'leaving' }),
  ]
  const selection = chooseInstances(fleet, { service: 'journal', labels: { zone: 'eu-1', tier: 'gold' }, seed: 'a' })
  expect(selection.instances.map(({ id }) => id)).toEqual(['yes'])
  expect(selection).toMatchObject({ matched: 1, candidates: { journal: 3 }, selected: { journal: 1 } })
})

it.each<[string, Omit<Selector, 'seed'>, string]>([
  ['an empty selector', {}, 'whole fleet'],
  ['a selector of a share alone', { share: 0.1, labels: {} }, 'whole fleet'],
  ['an unknown service', { service: 'jurnal' }, 'The services with instances are `journal`'],
  ['a label of every object', { service: 'journal', labels: { constructor: 'x' } }, 'No instance matches'],
  ['less than one instance', { service: 'journal', share: 0.05 }, 'less than one instance'],
])('refuses %s', (_what, selector, why) => {
  expect(() => chooseInstances(instances(10), { ...selector, seed: 'a' })).toThrow(
    refusal('CHAOS_FLEET_RUN_REFUSED', why),
  )
})

const planOf = (selected: Record<string, number>, candidates: Record<string, number>) => ({
  selected,
  candidates,
  instances: Object.values(selected).flatMap((count) => Array.from({ length: count }, (_, index) => `i-${index}`)),
})

it.each([
  [{ maxInstances: 3 }, undefined],
  [{ maxInstances: 2 }, '3 instances are more than the cap `maxInstances` of 2.'],
  [{ maxShare: 0.5 }, undefined],
  [{ maxShare: 0.4 }, '1 of 2 instances of the service "web" are more than the cap `maxShare` of 0.4.'],
  [{ minHealthy: 1 }, undefined],
  [
    { minHealthy: 2 },
    '1 of 2 instances of the service "web" leave 1 unaffected, fewer than the cap `minHealthy` of 2.',
  ],
])('judges the caps %j by each service', (caps, why) => {
  expect(capsProblem(planOf({ journal: 2, web: 1 }, { journal: 10, web: 2 }), caps)).toBe(why)
})

it('never calls what the share of a cap allows too much', () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), percents, (n, percent) => {
      const fleet = instances(n)
      const names = chosen(fleet, { share: percent / 100, seed: 'a' })
      fc.pre(names.length > 0)
      expect(
        capsProblem(planOf({ journal: names.length }, { journal: n }), { maxShare: percent / 100 }),
      ).toBeUndefined()
      expect(
        capsProblem(planOf({ journal: names.length + 1 }, { journal: n }), { maxShare: percent / 100 }),
      ).toBeDefined()
    }),
  ))
