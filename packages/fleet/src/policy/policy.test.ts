import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { plan, refusal } from '../../test/fixtures.js'
import { checkPolicy } from './check-policy.js'
import { parsePolicy, policyJsonSchema, type PolicyRule } from './policy.js'

const rule: PolicyRule = {
  name: 'drills of journal',
  keys: ['ops', 'ci-*'],
  environments: 'staging',
  services: 'journal*',
  faults: ['adapter/delay-*', 'adapter/fail-calls'],
  targets: ['db'],
  labels: { zone: 'eu-*' },
  windows: [{ days: ['mon'], from: '09:00', to: '17:00', timeZone: 'Europe/Berlin' }],
  caps: { maxShare: 0.5 },
  maxDurationMs: 60_000,
  leaseMs: 5_000,
}
const monday = Date.parse('2026-11-30T10:00:00Z')
const ask = (given: Parameters<typeof plan>[0] = {}, keyId = 'ops', nowMs = monday): string | undefined =>
  checkPolicy(parsePolicy({ version: 1, rules: [rule] }), { plan: plan(given), keyId }, nowMs)

it('allows what a rule allows', () => {
  expect(ask()).toBeUndefined()
  expect(ask({ fault: 'adapter/fail-calls' }, 'ci-7')).toBeUndefined()
})

it.each([
  ['another key', ask({}, 'eve'), 'does not allow the key "eve"'],
  ['another environment', ask({ environment: 'production' }), 'the environment "production"'],
  ['one service among others', ask({ selected: { journal: 1, web: 1 } }), 'the service "web"'],
  ['another target', ask({ target: 'cache' }), 'the target "cache"'],
  ['another fault', ask({ fault: 'adapter/refuse-calls' }), 'the fault "adapter/refuse-calls"'],
  ['another label', ask({ labels: { zone: 'us-1' } }), 'select by the label zone=eu-*'],
  ['no label', ask({ labels: {} }), 'select by the label zone=eu-*'],
  ['a longer lease', ask({ leaseMs: 5_001 }), 'the lease of 5001 ms is longer'],
  ['a longer time', ask({ maxDurationMs: 60_001 }), '60001 ms, longer than its `maxDurationMs` of 60000'],
  ['a larger share', ask({ candidates: { journal: 3 } }), 'more than the cap `maxShare` of 0.5'],
  ['another time', ask({}, 'ops', monday - 86_400_000), 'none of its windows is open'],
  ['an end after the window', ask({}, 'ops', Date.parse('2026-11-30T15:59:45Z')), 'none of its windows is open'],
])('refuses %s, and says so', (_what, why, expected) => {
  expect(why).toContain('"drills of journal"')
  expect(why).toContain(expected)
})

it.each(['*', ''])('asks for a label also where its value may be "%s"', (zone) => {
  const policy = parsePolicy({ version: 1, rules: [{ ...rule, labels: { zone } }] })
  const asked = { plan: plan({ labels: {} }), keyId: 'ops' }
  expect(checkPolicy(policy, asked, monday)).toContain('the run must select by the label zone=')
})

it('refuses what no rule allows, also without any rule', () => {
  expect(checkPolicy(parsePolicy({ version: 1, rules: [] }), { plan: plan(), keyId: 'ops' }, monday)).toBe(
    'The policy has no rules, so it refuses every run.',
  )
})

it('lets no two rules allow together what neither allows', () => {
  const { labels: _labels, windows: _windows, ...open } = rule
  const rules = [
    { ...open, name: 'staging', keys: 'eve' },
    { ...open, name: 'production', environments: 'production' },
  ]
  const policy = parsePolicy({ version: 1, rules })
  const asked = { plan: plan({ environment: 'production' }), keyId: 'eve' }
  expect(checkPolicy(policy, asked, monday)).toContain('"staging": it does not allow the environment')
  expect(checkPolicy(policy, { plan: plan(), keyId: 'eve' }, monday)).toBeUndefined()
})

it('tells the reason of the rule that came closest', () => {
  const rules = [rule, { ...rule, name: 'other', environments: 'production' }]
  const policy = parsePolicy({ version: 1, rules })
  expect(checkPolicy(policy, { plan: plan({ leaseMs: 6_000 }), keyId: 'ops' }, monday)).toContain('"drills of journal"')
})

it.each([
  ['an unknown field', { ...rule, service: 'journal' }, 'service'],
  ['a rule for nobody', { ...rule, keys: [] }, 'keys'],
  [
    'an unknown time zone',
    { ...rule, windows: [{ ...rule.windows?.[0], timeZone: 'Europe/Bertin' }] },
    'Unknown time zone',
  ],
  ['a window without days', { ...rule, windows: [{ ...rule.windows?.[0], days: [] }] }, 'never opens'],
  ['an empty window', { ...rule, windows: [{ ...rule.windows?.[0], to: '09:00' }] }, 'is empty'],
  ['a time that no clock shows', { ...rule, windows: [{ ...rule.windows?.[0], from: '24:00' }] }, 'such as `09:00`'],
  ['a label that is a number', { ...rule, labels: { zone: 1 } }, 'to be a text'],
  ['an unknown cap', { ...rule, caps: { share: 1 } }, 'caps.share'],
])('refuses a policy with %s', (_what, given, why) => {
  expect(() => parsePolicy({ version: 1, rules: [given] })).toThrow(refusal('CHAOS_INVALID_OPTION', why))
})

it('publishes the JSON Schema of its declaration', () => {
  const file = new URL('../../policy.schema.json', import.meta.url)
  const text = `${JSON.stringify(policyJsonSchema(), null, 2)}\n`
  if (process.env['PAGES'] === 'write') writeFileSync(file, text)
  expect(readFileSync(file, 'utf8')).toBe(text)
})
