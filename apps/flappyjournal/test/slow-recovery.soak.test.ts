import { connect, type AppEvent } from '@chaos/control'
import { registeredControllers } from '@chaos/core/authoring'
import { expect, it, onTestFinished, vi } from 'vitest'
import { parseExposition } from '@chaos/mini-prometheus'
import { wireChaos } from '../src/chaos.js'
import { start } from './start.js'

it('SlowRecovery fires while a fault is long over and the journal has not recovered, which the gauge counts', async () => {
  vi.stubEnv('CHAOS', 'on')
  vi.stubEnv('CHAOS_TOKEN', 'a-token-of-more-than-sixteen-characters')
  // Nobody brings the worker back: it never recovers.
  const app = await start({ environment: 'development', supervisorRestarts: false }, wireChaos)
  const [controller] = registeredControllers()
  const client = await connect({ url: `${app.url}/chaos`, token: 'a-token-of-more-than-sixteen-characters' })
  onTestFinished(() => client.close())
  const notices: AppEvent[] = []
  client.onAppEvent((event) => notices.push(event))
  await vi.waitFor(() => expect(app.workers()).toHaveLength(1))
  const { endedAt = 0 } = (await controller?.inject('worker', 'worker/terminate-worker')) ?? {}
  const firing = await vi.waitFor(
    async () => {
      const { alerts } = (await (await fetch(`${app.url}/alerts`)).json()) as {
        alerts: { name: string; state: string; value: number; labels: Record<string, string> }[]
      }
      const found = alerts.find(({ name, state }) => name === 'SlowRecovery' && state === 'firing')
      if (found === undefined) throw new Error('Expected SlowRecovery to fire.')
      return found
    },
    { interval: 250 },
  )
  expect(firing).toMatchObject({ labels: { fault: 'worker/terminate-worker', severity: 'warning' } })
  expect(firing.value).toBeGreaterThanOrEqual(20)
  expect(Date.now() - endedAt).toBeGreaterThanOrEqual(20_000)
  const gauge = parseExposition(await app.registry.metrics()).find(
    ({ name, labels }) => name === 'resonance_mttr_seconds' && labels['fault'] === 'worker/terminate-worker',
  )
  expect(gauge?.value).toBeGreaterThanOrEqual(firing.value)
  // Whoever follows the control endpoint is told of alerts and of the recovery, beside the fault.
  await vi.waitFor(() =>
    expect(notices).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          topic: 'recovery',
          data: { kind: 'worker/terminate-worker', target: 'worker', state: 'recovering' },
        }),
        expect.objectContaining({
          topic: 'alert',
          data: expect.objectContaining({ alert: 'SlowRecovery', state: 'firing' }) as unknown,
        }),
      ]),
    ),
  )

  // A new fault lands: of the old one there is nothing to say any more, and its alert must not block what is judged next.
  await controller?.inject('eventbus', 'eventbus/delay-events', { delayMs: 1 })
  await vi.waitFor(async () => {
    const { alerts, resolved } = (await (await fetch(`${app.url}/alerts`)).json()) as Record<
      'alerts' | 'resolved',
      { name: string }[]
    >
    expect([
      alerts.map(({ name }) => name).includes('SlowRecovery'),
      resolved.map(({ name }) => name).includes('SlowRecovery'),
    ]).toEqual([false, true])
  })
})
