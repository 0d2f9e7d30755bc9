import { createRequire } from 'node:module'
import { createChaos, injectedBy, target, type ChaosController, type InjectionState } from '@chaos/core'
import { refuseCalls } from '@chaos/adapter'
import { delayEvents } from '@chaos/eventbus'
import { terminateWorker } from '@chaos/worker'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ConsciousnessEventBus } from '../../src/event-bus.js'
import { MemoryAdapter } from '../../src/storage/memory-adapter.js'
import { superviseLoop } from '../../src/supervisor.js'

interface Options {
  readonly controller?: ChaosController
  readonly leaseMs?: number
}
type Break = (controller: ChaosController, options?: Options) => Promise<InjectionState>

const { chaosHarness, kill, delay, injectError } = createRequire(import.meta.url)('./osComponentChaos.cjs') as {
  readonly chaosHarness: (target: string, options?: Options) => Promise<InjectionState>
  readonly kill: Break
  readonly delay: Break
  readonly injectError: Break
}

/** The parts that chaosHarness breaks, real ones, with a controller of this process. */
async function parts() {
  const bus = new ConsciousnessEventBus()
  const storage = new MemoryAdapter()
  const supervisor = superviseLoop({ firstPauseMs: 1 })
  onTestFinished(() => supervisor.stop())
  await vi.waitFor(() => expect(supervisor.isUp).toBe(true))
  const chaos = createChaos({
    environment: 'test',
    targets: {
      worker: target(supervisor.workers, [terminateWorker]),
      eventbus: target(bus, [delayEvents]),
      adapter: target(storage, [refuseCalls]),
    },
  })
  onTestFinished(() => chaos.close())
  return { bus, storage, supervisor, chaos }
}

describe('chaosHarness', () => {
  it('kills the worker by the controller of its own process; the supervisor brings it back', async () => {
    const { supervisor } = await parts()
    const [before] = supervisor.workers()
    const state = await chaosHarness('worker')
    expect(state).toMatchObject({
      fault: 'worker/terminate-worker',
      status: 'ended',
      outcome: 'completed',
      affected: 1,
    })
    await vi.waitFor(() => expect(supervisor.isUp).toBe(true))
    expect(supervisor.workers()[0]).not.toBe(before)
    expect(supervisor.restarts).toBe(1)
  })

  it('delays the bus by a second, and the bus is bare again when the fault is stopped', async () => {
    const { bus, chaos } = await parts()
    const heard: unknown[] = []
    bus.subscribe('test', 'system_tick', (payload) => void heard.push(payload))
    const { id, options, leaseMs } = await chaosHarness('eventbus')
    expect([options['delayMs'], leaseMs]).toEqual([1_000, 12_000])
    bus.emit('system_tick', 1)
    expect(heard).toEqual([])
    await chaos.stop(id)
    expect(heard).toEqual([1])
  })

  it('makes the adapter fail fast, for as long as it is told', async () => {
    const { storage, chaos } = await parts()
    await storage.set('key', 1)
    const { leaseMs } = await chaosHarness('adapter', { leaseMs: 5_000 })
    expect(leaseMs).toBe(5_000)
    const refused = await storage.get('key').catch((error: unknown) => error)
    expect(injectedBy(refused)).toBe('adapter/refuse-calls')
    await chaos.stopAll()
    await expect(storage.get('key')).resolves.toBe(1)
  })

  it('takes a controller that it is handed, as its helpers do', async () => {
    const { chaos } = await parts()
    for (const { id } of [
      await chaosHarness('adapter', { controller: chaos.controller }),
      await injectError(chaos.controller),
      await delay(chaos.controller),
      await kill(chaos.controller),
    ]) {
      expect((await chaos.injections()).map((injection) => injection.id)).toContain(id)
    }
  })

  it.each([
    ['wroker', 'Did you mean "worker"?'],
    ['toString', 'got `toString`'],
    ['', 'got ``'],
  ])('refuses %j and lists the targets', async (name, words) => {
    const refused = chaosHarness(name)
    await expect(refused).rejects.toMatchObject({
      code: 'CHAOS_UNKNOWN_TARGET',
      message: expect.stringContaining('worker, eventbus, adapter') as string,
    })
    await expect(refused).rejects.toThrow(words)
  })
})
