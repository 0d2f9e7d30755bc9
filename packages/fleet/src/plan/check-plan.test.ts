import fc from 'fast-check'
import { expect, it } from 'vitest'
import { plan, refusal } from '../../test/fixtures.js'
import { canonicalJson } from './canonical.js'
import { checkPlan, parsePlan, MAX_PLAN_BYTES } from './check-plan.js'

const REFUSED = { code: 'CHAOS_FLEET_PLAN_REFUSED' }
const refusedFor = (why: string): Error => refusal('CHAOS_FLEET_PLAN_REFUSED', why)

it('reads the plan that was written, frozen', () => {
  const read = parsePlan(canonicalJson(plan()))
  expect(read).toEqual(plan())
  expect(Object.isFrozen(read) && Object.isFrozen(read.instances) && Object.isFrozen(read.how)).toBe(true)
})

it.each([
  ['an unknown field', { extra: 1 }, 'Unknown option "extra"'],
  ['another version', { version: 2 }, '`version`'],
  ['a short run id', { runId: 'a' }, '`runId`'],
  ['a lease beneath a second', { leaseMs: 999 }, '`leaseMs`'],
  ['a lease beyond a minute', { leaseMs: 60_001 }, '`leaseMs`'],
  ['a duration beyond a day', { maxDurationMs: 86_400_001 }, '`maxDurationMs`'],
  ['a rate that is none', { how: { rate: 2 } }, '`how.rate`'],
  ['a lease within the instances', { how: { leaseMs: 1 } }, 'how.leaseMs'],
  ['an unknown cap', { caps: { maxInstance: 1 } }, 'caps.maxInstance'],
  ['no instance', { instances: [], selected: {} }, 'names no instance'],
  ['an instance twice', { instances: ['i-0', 'i-0'] }, 'twice'],
  ['a quorum that no run reaches', { quorum: 3 }, 'quorum is 3'],
  ['counts that do not add up', { selected: { journal: 1 } }, 'adds up to 1'],
  ['more instances than a service has', { candidates: { journal: 1 } }, 'which has 1'],
  ['instances of a service that it does not count', { selected: { toString: 2 } }, 'which has 0'],
  ['a count that is none', { candidates: { journal: '4' } }, '`candidates`'],
  ['a label that is no text', { labels: { zone: 1 } }, '`labels`'],
])('refuses %s', (_what, given, why) => {
  expect(() => checkPlan({ ...plan(), ...given })).toThrow(refusedFor(why))
})

it.each(Object.keys(plan()))('refuses a plan without %s', (field) => {
  const { [field]: _left, ...rest } = plan() as unknown as Record<string, unknown>
  expect(() => checkPlan(rest)).toThrow(expect.objectContaining(REFUSED))
})

it('refuses text that is not the canonical form, such as a key twice', () => {
  const text = canonicalJson(plan())
  expect(() => parsePlan(text.replace('{', '{"by":"eve",'))).toThrow(refusedFor('canonical'))
  expect(() => parsePlan(` ${text}`)).toThrow(refusedFor('canonical'))
  expect(() => parsePlan('{')).toThrow(refusedFor('not JSON'))
})

it('refuses more than 1 MiB, also in characters of several bytes', () => {
  const wide = canonicalJson(plan({ options: { text: 'é'.repeat(MAX_PLAN_BYTES / 2) } }))
  expect(wide.length).toBeLessThan(MAX_PLAN_BYTES)
  expect(() => parsePlan(wide)).toThrow(refusedFor('longer than'))
  expect(() => parsePlan('['.repeat(MAX_PLAN_BYTES + 1))).toThrow(refusedFor('longer than'))
})

it('holds 10,000 instances, and no more', () => {
  const ids = Array.from(
    { length: 10_000 },
    (_, index) => `host-of-a-long-name-${index}:12345:0123456789abcdef0123456789abcdef`,
  )
  const many = plan({ instances: ids, candidates: { journal: 20_000 }, selected: { journal: 10_000 } })
  expect(parsePlan(canonicalJson(many)).instances).toHaveLength(10_000)
  expect(() => checkPlan({ ...many, instances: [...ids, 'one'], selected: { journal: 10_001 } })).toThrow(
    refusedFor('at most 10000 instances'),
  )
})

it('never throws anything else, whatever text it gets', () =>
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json({ maxDepth: 5 })), (text) => {
      expect(() => parsePlan(text)).toThrow(expect.objectContaining(REFUSED))
    }),
  ))

it('writes equal data as equal text, in any order of keys', () =>
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value)
      // Minus zero is zero in JSON.
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      expect(canonicalJson(reversed(value))).toBe(text)
    }),
  ))

/** The same data with the keys of each object in reverse. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, part]) => [key, reversed(part)]),
  )
}
