import { expect, it } from 'vitest'
import { instances, plan } from '../../test/fixtures.js'
import { makeKey } from '../plan/key-files.js'
import { previewRun, type PreviewScene } from './preview.js'

const scene: PreviewScene = {
  records: instances(4),
  running: [],
  settings: {
    fleet: 'shop',
    environment: 'staging',
    seed: 'a',
    leaseMs: 5_000,
    quorum: 1,
    caps: {},
    by: 'ann',
    reason: 'a drill',
  },
  key: makeKey('ops'),
  policy: undefined,
  nowMs: 0,
}
const request = { target: 'db[service=journal]', fault: 'delay-calls' }

it('finds nothing that refuses a plan which could run', () => {
  const { planned, refusals } = previewRun(request, scene)
  expect(refusals).toEqual([])
  expect(planned?.plan).toMatchObject({ fault: 'adapter/delay-calls', candidates: { journal: 4 }, caps: {} })
  expect(planned?.selection.instances).toHaveLength(4)
})

it('lists every refusal, and shows the instances nevertheless', () => {
  const { planned, refusals } = previewRun(request, {
    ...scene,
    settings: { ...scene.settings, caps: { maxInstances: 3 } },
    policy: { version: 1, rules: [] },
    running: [plan({ instances: ['i-2'], candidates: { journal: 4 } })],
    key: { keyId: 'ops', privateKey: 'no key' },
  })
  expect(planned?.plan.instances).toHaveLength(4)
  expect(planned?.plan.caps).toEqual({ maxInstances: 3 })
  expect(refusals).toEqual([
    expect.stringContaining('maxInstances'),
    expect.stringContaining('The policy has no rules'),
    expect.stringContaining('The key "ops" cannot be read'),
    'Another run concerns `journal`, `i-2`. Wait until it has ended, or stop it.',
  ])
})

it.each([
  [{ ...request, target: 'dbb' }, 'Unknown target'],
  [{ ...request, fault: 'nothing' }, 'Unknown fault'],
  [{ ...request, target: 'db[service=none]' }, 'No instance matches'],
  [{ ...request, target: 'db[' }, 'cannot be read'],
  [{ ...request, how: { leaseMs: 1e12 } }, 'leaseMs'],
])('has no plan for %j, and one refusal', (asked, why) => {
  const { planned, refusals } = previewRun(asked, scene)
  expect(planned).toBeUndefined()
  expect(refusals).toEqual([expect.stringContaining(why)])
})
