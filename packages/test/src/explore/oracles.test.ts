import assert from 'node:assert/strict'
import { AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { refuseCalls } from '@chaos/adapter'
import { inject } from '@chaos/core'
import { defineFault } from '@chaos/core/authoring'
import { manualClock } from '@chaos/core/testing'
import { delayEvents, dropEvents } from '@chaos/eventbus'
import { expect, it, vi } from 'vitest'
import { explore } from './explore.js'

class Service {
  calls = 0
  async call(): Promise<void> {
    await Promise.resolve()
    this.calls += 1
  }
}

it('takes a test that does not end for one that breaks', async () => {
  const clock = manualClock()
  const bus = new EventEmitter()
  const { findings } = await explore(
    { targets: { bus }, faults: { bus: [dropEvents] }, onFinding: 'return', searchClock: clock },
    async () => {
      const placed = new Promise((resolve) => bus.once('placed', resolve))
      if (bus.emit('placed')) await Promise.race([placed, clock.advance(6_000).then(() => placed)])
      bus.removeAllListeners()
    },
  )
  expect(findings.map(({ reason, code }) => [reason, code])).toEqual([
    [
      'The test hangs: it did not end within 5000 ms.',
      "await inject(dropEvents(), bus, { scope: 'explore', only: 'placed', limit: 1 })",
    ],
  ])
})

it('takes an error that nobody handles for a test that breaks, and keeps it from the runner', async () => {
  const before = process.listeners('unhandledRejection')
  const service = new Service()
  const { findings } = await explore(
    { targets: { service }, faults: { service: [refuseCalls] }, onFinding: 'return' },
    () => {
      void service.call()
    },
  )
  expect(findings.map(({ reason }) => reason)).toEqual([expect.stringMatching(/^An error was not handled: /)])
  expect(process.listeners('unhandledRejection')).toEqual(before)
})

/** An instant fault that takes time. */
const slowly = (strike: () => Promise<unknown>) =>
  defineFault({
    name: 'test/strike-slowly',
    kind: 'instant',
    summary: 'Takes time.',
    target: { expects: 'a service', accepts: (value) => value instanceof Service },
    async inject(_target: Service, _options, context) {
      await strike()
      context.landed({})
    },
  })

it('tells the work of a test that its run has ended', async () => {
  const service = new Service()
  const signals: AbortSignal[] = []
  await explore({ targets: { service }, faults: { service: [refuseCalls] } }, async ({ signal }) => {
    expect([signal.aborted, signals.every(({ aborted }) => aborted)]).toEqual([false, true])
    signals.push(signal)
    await service.call().catch(() => undefined)
  })
  expect(signals.map(({ aborted }) => aborted)).toEqual(signals.map(() => true))
  expect(signals.length).toBeGreaterThan(2)
})

it('waits for an instant fault that is not done when the test ends', async () => {
  const service = new Service()
  const strike = slowly(async () => {
    for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve))
  })
  const { findings, result } = await explore(
    { targets: { service }, faults: { service: [refuseCalls, strike] }, depth: 1, onFinding: 'return' },
    () => service.call().catch(() => undefined),
  )
  expect([findings, result.notReached]).toEqual([[], []])
  expect(result.fates.map(({ hit, fate }) => [hit.kind, fate])).toEqual([
    ['adapter/refuse-calls', 'survived'],
    ['test/strike-slowly', 'survived'],
  ])
})

it('takes an instant fault that is never done for a test that hangs', async () => {
  const clock = manualClock()
  const service = new Service()
  const begun = vi.fn()
  const strike = slowly(() => {
    begun()
    return new Promise(() => undefined)
  })
  const exploring = explore(
    { targets: { service }, faults: { service: [refuseCalls, strike] }, onFinding: 'return', searchClock: clock },
    () => service.call().catch(() => undefined),
  )
  await vi.waitFor(() => expect(begun).toHaveBeenCalledOnce())
  await clock.advance(6_000)
  const { result } = await exploring
  expect(result.notRepeated.map(({ reason }) => reason)).toEqual(['The test hangs: it did not end within 5000 ms.'])
})

it('tells of an error that nobody handles after its run has ended, and does not blame a later run', async () => {
  const service = new Service()
  const fails: (() => void)[] = []
  const error: unknown = await explore({ targets: { service }, faults: { service: [refuseCalls] } }, async () => {
    // What runs before have left behind fails in this one.
    for (const fail of fails.splice(0)) fail()
    await service.call().catch(() => {
      fails.push(AsyncResource.bind(() => void Promise.reject(new Error('too late'))))
    })
  }).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({
    code: 'CHAOS_NOT_EXPLORED',
    message: expect.stringContaining('explore: service.call #1: adapter/refuse-calls: too late') as unknown,
    exploration: { complete: false, findings: [], result: { late: [{ reason: 'too late' }], spoiledBy: undefined } },
  })
})

it('does not explore a test without a fault of which an error comes late', async () => {
  const service = new Service()
  let fail = (): void => undefined
  const explored = explore({ targets: { service }, faults: { service: [refuseCalls] } }, async () => {
    fail()
    fail = AsyncResource.bind(() => void Promise.reject(new Error('too late')))
    await service.call()
  })
  await expect(explored).rejects.toMatchObject({
    code: 'CHAOS_NOT_EXPLORED',
    message: expect.stringContaining('After it had ended, an error was not handled: too late') as unknown,
  })
})

it('takes work that is still held back at the end for a test that breaks, unless the test lets it go', async () => {
  const bus = new EventEmitter()
  const stock: string[] = []
  bus.on('placed', (order: string) => stock.push(order))
  const faults = { bus: [delayEvents({ delayMs: 60_000 })] }
  const options = { targets: { bus }, faults, reset: () => void stock.splice(0), onFinding: 'return' } as const
  const { findings } = await explore(options, () => void bus.emit('placed', '7'))
  expect(findings.map(({ reason }) => reason)).toEqual([
    'The test ended while eventbus/delay-events held work back. Call `await settle()` before asserting.',
  ])
  const settled = await explore(options, async ({ settle }) => {
    bus.emit('placed', '7')
    await settle()
    assert.deepEqual(stock, ['7'])
  })
  expect(settled.findings).toEqual([])
  expect(settled.complete).toBe(true)
})

it('takes injections that a test leaves in force for a test that breaks', async () => {
  const service = new Service()
  const own = new Service()
  const left: { rollback(): Promise<unknown> }[] = []
  const { findings } = await explore(
    { targets: { service }, faults: { service: [refuseCalls] }, onFinding: 'return' },
    async () => {
      const isRefused = await service.call().then(
        () => false,
        () => true,
      )
      if (isRefused) left.push(await inject(refuseCalls(), own, { id: `left-${left.length}` }))
    },
  )
  for (const injection of left) await injection.rollback()
  expect(findings.map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/^The test left injections in force: left-\d\.$/),
  ])
})
