import { refuseCalls } from '@chaos/adapter'
import { createChaos, target, type ChaosController } from '@chaos/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openRemoteChaos } from './remote-chaos.js'

class Store {
  get(key: string): Promise<string> {
    return Promise.resolve(key)
  }
}

function application(): { readonly store: Store; readonly controller: ChaosController } {
  const store = new Store()
  const app = createChaos({ environment: 'test', targets: { store: target(store, [refuseCalls]) } })
  onTestFinished(() => app.close())
  return { store, controller: app.controller }
}
const rerun = (seed: string): string => `run ${seed}`

describe('chaos in another process', () => {
  it('of several tests at a time is told apart by their keys', async () => {
    const { controller } = application()
    const [one, other] = [openRemoteChaos(controller, 'one', rerun), openRemoteChaos(controller, 'other', rerun)]
    const faults = [
      await one.chaos.inject('store', 'refuse-calls', { methods: 'get' }),
      await other.chaos.inject('store', 'refuse-calls', { methods: 'get' }),
    ]
    expect(new Set(faults.map(({ id }) => id)).size).toBe(2)
    await one.end()
    expect((await controller.injections()).map(({ status }) => status).sort()).toEqual(['active', 'ended'])
    await other.end()
  })

  it('ends what comes into force after the end of the test, and refuses what is injected then', async () => {
    const { store, controller } = application()
    let proceed = (): void => undefined
    const slow = new Promise<void>((resolve) => (proceed = resolve))
    const open = openRemoteChaos(
      { ...controller, inject: async (...args) => slow.then(() => controller.inject(...args)) },
      'a test',
      rerun,
    )
    const late = open.chaos.inject('store', 'refuse-calls', { methods: 'get' })
    const ended = open.end()
    proceed()
    await expect(late).rejects.toMatchObject({ code: 'CHAOS_INJECTION_ENDED' })
    expect(await ended).toEqual([])
    expect(await store.get('a')).toBe('a')
    await expect(open.chaos.inject('store', 'refuse-calls')).rejects.toMatchObject({ code: 'CHAOS_INJECTION_ENDED' })
  })
})
