import { createChaos, mintScope, target } from '@chaos/core'
import { defineFault, runInScope, scopeOfMember, systemClock } from '@chaos/core/authoring'
import { expect, it, onTestFinished } from 'vitest'
import { instances } from './fixtures.js'
import { applyPlan } from '../src/agent/apply-plan.js'
import { previewLines } from '../src/bin/views/preview.js'
import { planRun } from '../src/controller/plan-run.js'
import { previewRun } from '../src/controller/preview.js'
import { makeKey } from '../src/plan/key-files.js'
import { isForRequests, mintCommand } from '../src/plan/run-scope.js'

const settings = {
  fleet: 'shop',
  environment: 'staging',
  seed: 'a',
  leaseMs: 5_000,
  quorum: 1,
  caps: {},
  by: 'ann',
  reason: 'a drill',
}
const asked = { target: 'db[service=journal]', fault: 'delay-calls', how: { scope: 'request', leaseMs: 600_000 } }

/** Stands for the fault of the fixtures. */
const delayCalls = defineFault({
  name: 'adapter/delay-calls',
  kind: 'standing',
  summary: 'Has reads answer late.',
  target: { expects: 'a store', accepts: () => true },
  options: {},
  inject(store: { read: () => string }, _options, { patch, operation }) {
    const reads = operation('read')
    patch(store, 'read', (below) => () => (reads.shouldInject([]) ? 'late' : (below.call.call(store) as string)))
  },
})

it('has a run affect only the requests whose header names it, in an instance that knows nothing of it but the plan', async () => {
  const { plan } = planRun(instances(4), asked, settings)
  expect(plan.how.scope).toBe(plan.runId)
  expect(isForRequests(plan)).toBe(true)
  const store = { read: () => 'at once' }
  const chaos = createChaos({ environment: 'test', targets: { db: target(store, [delayCalls]) } })
  onTestFinished(() => chaos.close())
  const applied = applyPlan(chaos.controller, systemClock, plan, systemClock.now() + 60_000)
  await applied.inForce
  const read = (header: string): string => {
    const scope = scopeOfMember(header)
    return scope === undefined ? store.read() : runInScope(scope, () => store.read())
  }
  const { header } = mintScope({ id: plan.runId })
  expect([read(header), read(mintScope({ id: 'another-run' }).header), read(`${header}A`)]).toEqual([
    'late',
    'at once',
    'at once',
  ])
  // The header alone does nothing once the run has ended.
  await applied.revert()
  expect(read(header)).toBe('at once')
})

it('shows for whom a run is, and tells how to mint its header', () => {
  const { planned, refusals } = previewRun(asked, {
    records: instances(4),
    running: [],
    settings,
    key: makeKey('ops'),
    policy: undefined,
    nowMs: 0,
  })
  const lines = previewLines({
    fleet: 'shop',
    environment: 'staging',
    title: undefined,
    window: { isPermitted: true, remainingMs: 1, reason: '', by: '' } as never,
    keyId: 'ops',
    steps: [{ target: 'db', fault: 'delay-calls', planned, refusals }],
    refusals: [],
  })
  expect(lines).toContain('  within each instance: {"scope":"request"}')
  const runId = 'r'.repeat(27)
  expect(mintCommand({ runId, maxDurationMs: 600_000 })).toBe(`chaos scope --id=${runId} --for 600s`)
  expect(isForRequests({ runId, how: { scope: 'another' } })).toBe(false)
})
