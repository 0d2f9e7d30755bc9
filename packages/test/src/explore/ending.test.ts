import assert from 'node:assert/strict'
import { delayCalls, failAfterCall, refuseCalls } from '@chaos/adapter'
import { currentScope } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { expect, it } from 'vitest'
import type { Progress } from '../search/search.js'
import { explore } from './explore.js'

class Service {
  readonly done: string[] = []
  async first(): Promise<void> {
    await Promise.resolve(this.done.push('first'))
  }
  async second(): Promise<void> {
    await Promise.resolve(this.done.push('second'))
  }
}
const bothCalls = async (service: Service): Promise<void> => {
  await service.first().catch(() => undefined)
  await service.second().catch(() => undefined)
}

it('leaves nothing behind, and throws what it found', async () => {
  const service = new Service()
  const before = [Object.keys(service), Object.getPrototypeOf(service), service.first]
  const error: unknown = await explore({ targets: { service }, faults: { service: [refuseCalls] } }, async () => {
    service.done.length = 0
    await bothCalls(service)
    assert.ok(service.done.length > 0, 'nothing was done')
  }).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({
    code: 'CHAOS_INVARIANT_BROKEN',
    message: expect.stringContaining('nothing was done') as unknown,
    exploration: { complete: true, findings: [{ hits: [{}, {}], reason: 'nothing was done' }] },
  })
  expect([Object.keys(service), Object.getPrototypeOf(service), service.first]).toEqual(before)
  expect(currentScope()).toBeUndefined()
})

it('begins no run after its budget is spent, and says what remains', async () => {
  const clock = manualClock()
  const service = new Service()
  const seen: Progress[] = []
  const { line, complete, result } = await explore(
    {
      targets: { service },
      faults: { service: [refuseCalls, failAfterCall] },
      budgetMs: 3_000,
      searchClock: clock,
      onProgress: (progress) => seen.push(progress),
    },
    async () => {
      await bothCalls(service)
      await clock.advance(1_000)
    },
  )
  expect(complete).toBe(false)
  expect(line).toMatch(/^2 points × 2 kinds, depth 2: 3 of 8 sets run; .*not complete: 5 sets remain, the time was up$/)
  expect(result.left).toBe(5)
  expect(seen.map(({ size, waiting }) => [size, waiting])).toEqual([
    [1, 4],
    [1, 3],
    [1, 2],
  ])
})

it('ends when it is given up, keeps what it found, and says what remains', async () => {
  const service = new Service()
  const own = new AbortController()
  let runs = 0
  const { line, findings } = await explore(
    { targets: { service }, faults: { service: [refuseCalls] }, onFinding: 'return', signal: own.signal },
    async () => {
      runs += 1
      const isDone = await service.first().then(
        () => true,
        () => false,
      )
      await service.second().catch(() => undefined)
      // The runs: two of the survey, the first set, a run without a fault, and one that shrinks.
      if (runs === 5) own.abort()
      await new Promise((resolve) => setImmediate(resolve))
      assert.ok(isDone, 'not done')
    },
  )
  expect(runs).toBe(5)
  expect(findings.map(({ reason }) => reason)).toEqual(['not done'])
  expect(line).toMatch(/not complete: 2 sets remain, it was given up$/)
})

it('ends with the finding after which the test breaks without a fault', async () => {
  const service = new Service()
  let isLocked = false
  const { line, findings, complete } = await explore(
    { targets: { service }, faults: { service: [refuseCalls] }, onFinding: 'return' },
    async () => {
      assert.ok(!isLocked, 'locked')
      isLocked = true
      await service.first()
      isLocked = false
    },
  )
  expect(complete).toBe(false)
  expect(findings).toHaveLength(1)
  expect(line).toContain('a finding spoiled the runs after it')
})

it('is not complete if a run without a fault reaches a new point after the search', async () => {
  const service = new Service()
  let runs = 0
  const { complete, line, report } = await explore(
    { targets: { service }, faults: { service: [refuseCalls] } },
    async () => {
      runs += 1
      await service.first().catch(() => undefined)
      // The runs: two of the survey, one set, and one without a fault.
      if (runs === 4) await service.second()
    },
  )
  expect(runs).toBe(4)
  expect(complete).toBe(false)
  expect(line).toContain('1 point not the same after the search')
  expect(report()).toContain('without a fault after the search:\n   explore: service.second #1')
})

it('does not hold if the test breaks without a fault after the search', async () => {
  const service = new Service()
  let isSpoiled = false
  const error: unknown = await explore({ targets: { service }, faults: { service: [refuseCalls] } }, async () => {
    assert.ok(!isSpoiled, 'spoiled')
    await service.first().catch(() => (isSpoiled = true))
  }).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({
    code: 'CHAOS_NOT_EXPLORED',
    message: expect.stringContaining('After the search the test breaks without a fault: spoiled') as unknown,
    exploration: { complete: false, findings: [] },
  })
})

it('tells what it found though a run could not be made later', async () => {
  const service = new Service()
  let resets = 0
  const options = {
    ...{ targets: { service }, faults: { service: [refuseCalls] }, onFinding: 'return' as const },
    reset: () => {
      resets += 1
      if (resets > 6) throw new Error('no reset')
    },
  }
  const { findings, complete, line, report } = await explore(options, async () => {
    await service.first()
    await service.second().catch(() => undefined)
  })
  expect(findings).toHaveLength(1)
  expect(complete).toBe(false)
  expect(line).toContain('not complete: 1 set remains, a run could not be made')
  expect(report()).toContain('The search ended, since a run could not be made: no reset')
})

it.each([
  ['breaks without a fault', () => assert.fail('no'), 'The test "explore" breaks without a fault: no'],
  ['makes no call', () => undefined, 'The test "explore" makes no call that a fault of `faults` could hit.'],
])('refuses a test that %s', async (_, test, message) => {
  await expect(
    explore({ targets: { service: new Service() }, faults: { service: [refuseCalls] } }, test),
  ).rejects.toMatchObject({ code: 'CHAOS_NOT_EXPLORED', message: expect.stringContaining(message) as unknown })
})

it('refuses a test that breaks when it is run again', async () => {
  const service = new Service()
  await expect(
    explore({ targets: { service }, faults: { service: [refuseCalls] } }, async () => {
      await service.first()
      assert.equal(service.done.length, 1)
    }),
  ).rejects.toMatchObject({
    code: 'CHAOS_NOT_EXPLORED',
    message: expect.stringContaining('holds once, and breaks when it is run again') as unknown,
  })
})

it.each([
  ['an unknown target', { servcie: [refuseCalls] }, 'Unknown target "servcie". Did you mean "service"?'],
  ['something else than faults', { service: [42] }, 'Expected `faults.service` of explore to be faults'],
  [
    'a factory that needs options',
    { service: [delayCalls] },
    'Call the factory with its options: Expected `delayMs` of adapter/delay-calls to be',
  ],
])('refuses %s', async (_, faults, message) => {
  await expect(
    explore({ targets: { service: new Service() }, faults: faults as never }, () => undefined),
  ).rejects.toMatchObject({ code: 'CHAOS_INVALID_OPTION', message: expect.stringContaining(message) as unknown })
})

it('refuses a target that a fault does not accept', async () => {
  const service = { name: 'no method' }
  await expect(
    explore({ targets: { service }, faults: { service: [refuseCalls as never] } }, () => undefined),
  ).rejects.toMatchObject({ code: 'CHAOS_TARGET_MISMATCH' })
})

it('refuses an unknown option, and a depth beyond 4', async () => {
  const given = { targets: {}, faults: {} }
  await expect(explore({ ...given, deph: 2 } as never, () => undefined)).rejects.toThrow('Did you mean "depth"?')
  await expect(explore({ ...given, target: {} } as never, () => undefined)).rejects.toThrow('Did you mean "targets"?')
  await expect(explore({ ...given, depth: 5 }, () => undefined)).rejects.toThrow('a whole number from 1 to 4')
})

it('explores one test after the other, and none within another', async () => {
  const services = [new Service(), new Service()]
  let running = 0
  const all = await Promise.all(
    services.map((service) =>
      explore({ targets: { service }, faults: { service: [refuseCalls] } }, async () => {
        running += 1
        assert.equal(running, 1)
        await bothCalls(service)
        running -= 1
      }),
    ),
  )
  expect(all.map(({ complete }) => complete)).toEqual([true, true])
  const service = new Service()
  const options = { targets: { service }, faults: { service: [refuseCalls] } }
  await expect(explore(options, () => explore(options, () => undefined))).rejects.toMatchObject({
    message: expect.stringContaining('A test that is being explored cannot explore.') as unknown,
  })
})
