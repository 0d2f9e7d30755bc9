import fc from 'fast-check'
import { expect, it } from 'vitest'
import { instance, instances, refusal } from '../../test/fixtures.js'
import { planRun, type RunRequest, type RunSettings } from './plan-run.js'
import { parseTarget } from './select.js'

it('reads a name, and a name with a selector', () => {
  expect(parseTarget('db')).toEqual({ target: 'db', labels: {} })
  expect(parseTarget('db[service=journal, zone=eu-1,app.kubernetes.io/name=j,share=0.33,cap=5,seed=a]')).toEqual({
    target: 'db',
    service: 'journal',
    labels: { zone: 'eu-1', 'app.kubernetes.io/name': 'j' },
    share: 0.33,
    cap: 5,
    seed: 'a',
  })
})

it.each([
  ['', 'name of a target'],
  ['a b', 'name of a target'],
  ['[service=a]', 'name of a target'],
  ['db[service=a', 'does not end'],
  ['db[service=a]x', 'does not end'],
  ['db[]', '`name=value`'],
  ['db[service]', '`name=value`'],
  ['db[service=]', '`name=value`'],
  ['db[service=a=b]', '`name=value`'],
  ['db[service=a,]', '`name=value`'],
  ['db[a[b]=c]', 'brackets within'],
  ['db[service=a,service=b]', 'twice'],
  ['db[a b=c]', 'name of a label'],
  ['db[share=0]', 'above 0 and at most 1'],
  ['db[share=1.1]', 'above 0 and at most 1'],
  ['db[share=10%]', 'above 0 and at most 1'],
  ['db[share=1e-3]', 'above 0 and at most 1'],
  ['db[cap=0]', 'from 1 to 10000'],
  ['db[cap=10001]', 'from 1 to 10000'],
  [`db[seed=${'x'.repeat(201)}]`, 'longer than 200'],
  [`db[${Array.from({ length: 51 }, (_, index) => `l${index}=1`).join(',')}]`, 'more than 50 parts'],
  ['d'.repeat(1_001), 'longer than 1000'],
])('refuses %j', (text, why) => {
  expect(() => parseTarget(text)).toThrow(refusal('CHAOS_INVALID_OPTION', why))
})

it('reads each text or refuses it with one error', () =>
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z[\],=. ]{0,40}$/), (text) => {
      try {
        expect(parseTarget(text).target).toMatch(/^[\w.-]+$/)
      } catch (error) {
        expect(error).toMatchObject({ code: 'CHAOS_INVALID_OPTION' })
      }
    }),
  ))

const settings: RunSettings = {
  fleet: 'shop',
  environment: 'staging',
  seed: 's',
  leaseMs: 5_000,
  quorum: 1,
  caps: {},
  by: 'ann',
  reason: 'a drill',
}
const fleet = [
  ...instances(10),
  instance('w-0', { service: 'web', targets: { http: ['adapter/delay-calls'] } }),
  instance('p-0', { environment: 'production' }),
]
const planned = (given: Partial<RunRequest>, own: Partial<RunSettings> = {}) =>
  planRun(fleet, { target: 'db', fault: 'delay-calls', ...given }, { ...settings, ...own })

it('plans a run on the service that has the target', () => {
  const { plan, kind } = planned({ options: { delayMs: 5 }, how: { rate: 0.5, leaseMs: 9_000, id: 'x:1' } })
  expect(plan).toMatchObject({
    target: 'db',
    fault: 'adapter/delay-calls',
    options: { delayMs: 5 },
    how: { rate: 0.5 },
    candidates: { journal: 10 },
    selected: { journal: 10 },
    quorum: 10,
    maxDurationMs: 9_000,
    leaseMs: 5_000,
  })
  expect(plan.how).not.toHaveProperty('leaseMs')
  expect(kind).toBe('standing')
  expect(planned({ target: 'workers', fault: 'terminate' }).kind).toBe('instant')
})

it('chooses no instance of another environment', () => {
  expect(planned({}).plan.instances).not.toContain('p-0')
  expect(planned({}, { environment: 'production' }).plan.instances).toEqual(['p-0'])
})

it('rounds a quorum up, in favour of more instances', () => {
  expect(planned({}, { quorum: 0.75 }).plan.quorum).toBe(8)
  expect(planned({}, { quorum: 0.01 }).plan.quorum).toBe(1)
})

it('gives no two runs one name', () => {
  expect(planned({}).plan.runId).not.toBe(planned({}).plan.runId)
})

it('knows a share and a seed of its own', () => {
  const of = (target: string): readonly string[] => planned({ target }).plan.instances
  expect(of('db[share=0.3]')).toHaveLength(3)
  expect(of('db[share=0.3,seed=t]')).not.toEqual(of('db[share=0.3,seed=s]'))
  expect(of('db[share=0.3,seed=s]')).toEqual(of('db[share=0.3]'))
  expect(of('db[zone=eu-1,cap=2]')).toHaveLength(2)
})

it.each<[string, Partial<RunRequest>, Partial<RunSettings>, Error]>([
  ['an unknown target', { target: 'bd' }, {}, refusal('CHAOS_UNKNOWN_TARGET', 'Did you mean "db"')],
  ['an unknown fault', { fault: 'delay-call' }, {}, refusal('CHAOS_UNKNOWN_FAULT', 'Did you mean')],
  ['an invalid rate', { how: { rate: 2 } }, {}, refusal('CHAOS_INVALID_OPTION', '`rate`')],
  ...Object.entries({
    'a function': () => 1,
    'a date': new Date(0),
    'a bigint': 1n,
    'no number': Number.NaN,
    'a gap': [undefined],
    'a map': { deep: [new Map()] },
  }).map(([what, value]): [string, Partial<RunRequest>, Partial<RunSettings>, Error] => [
    `an option that JSON cannot carry: ${what}`,
    { options: { delayMs: 5, value } },
    {},
    refusal('CHAOS_INVALID_OPTION', 'The option `value` of adapter/delay-calls holds what JSON cannot carry'),
  ]),
  ['a fault that lasts days', { how: { leaseMs: 86_400_001 } }, {}, refusal('CHAOS_INVALID_OPTION', '`leaseMs`')],
  ['a cap of the controller', {}, { caps: { maxShare: 0.5 } }, refusal('CHAOS_FLEET_RUN_REFUSED', '`maxShare`')],
  [
    'an instance without the target',
    { target: 'db[zone=eu-1]' },
    {},
    refusal('CHAOS_FLEET_RUN_REFUSED', '1 of 11 selected instances cannot run adapter/delay-calls in db: `w-0`'),
  ],
])('refuses %s', (_what, request, own, error) => {
  expect(() => planned(request, own)).toThrow(error)
})

it('asks for a service where several have the target', () => {
  const both = [...fleet, instance('w-1', { service: 'web' })]
  expect(() => planRun(both, { target: 'db', fault: 'delay-calls' }, settings)).toThrow(
    refusal('CHAOS_FLEET_RUN_REFUSED', 'Several services have the target "db": `journal`, `web`'),
  )
})
