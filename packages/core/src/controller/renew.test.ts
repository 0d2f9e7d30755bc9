import { EventEmitter } from 'node:events'
import { expect, it, onTestFinished } from 'vitest'
import { append, delay, drop } from '../../test/faults.js'
import { manualClock } from '../testing/manual-clock.js'
import { createChaos, target } from './create-chaos.js'

function scene() {
  const clock = manualClock(1_000_000)
  const chaos = createChaos({
    environment: 'test',
    clock,
    maxLeaseMs: 5_000,
    targets: { bus: target(new EventEmitter(), [delay, drop]), list: target([] as string[], [append]) },
  })
  onTestFinished(() => chaos.close())
  return { clock, chaos }
}

it('keeps a fault in force beyond the longest lease of the controller, one renewal at a time', async () => {
  const { clock, chaos } = scene()
  const injection = await chaos.inject('bus', 'drop-events', {}, { leaseMs: 5_000 })
  for (let i = 0; i < 3; i += 1) {
    await clock.advance(4_999)
    expect(await chaos.renew(injection.id, 5_000)).toMatchObject({ status: 'active', leaseEndsAt: clock.now() + 5_000 })
  }
  expect(injection.leaseMs).toBe(3 * 4_999 + 5_000)
  await clock.advance(4_999)
  expect(injection.status).toBe('active')
  await clock.advance(1)
  expect(injection.outcome).toBe('lease-expired')
})

it('shortens a lease', async () => {
  const { clock, chaos } = scene()
  const injection = await chaos.inject('bus', 'drop-events', {}, { leaseMs: 5_000 })
  await chaos.renew(injection.id, 10)
  await clock.advance(10)
  expect(injection.outcome).toBe('lease-expired')
  expect(clock.pending).toBe(0)
})

it('writes an entry into the journal with the new lease', async () => {
  const { clock, chaos } = scene()
  const { id } = await chaos.inject('bus', 'drop-events')
  await clock.advance(100)
  await chaos.renew(id, 2_000)
  expect(chaos.journal.entries.at(-1)).toMatchObject({
    type: 'renewed',
    at: clock.now(),
    injection: { id, status: 'active', leaseMs: 2_100, leaseEndsAt: clock.now() + 2_000 },
  })
})

it('revives nothing that has ended, and knows no other ids', async () => {
  const { clock, chaos } = scene()
  const stopped = await chaos.inject('bus', 'drop-events')
  await stopped.rollback()
  const done = await chaos.inject('list', 'append-item', { item: 'x' })
  const expired = await chaos.inject('bus', 'drop-events', {}, { leaseMs: 100 })
  await clock.advance(100)
  for (const { id } of [stopped, done, expired])
    await expect(chaos.renew(id, 1_000)).rejects.toMatchObject({
      code: 'CHAOS_INJECTION_ENDED',
      message: expect.stringContaining('cannot be renewed') as string,
    })
  await expect(chaos.renew('another', 1_000)).rejects.toMatchObject({ code: 'CHAOS_UNKNOWN_INJECTION' })
})

it('renews no lease that is over, although its timer is late', async () => {
  let now = 0
  // No timer of this clock ever fires, as in a process whose loop is blocked.
  const clock = { now: () => now, after: () => () => undefined }
  const chaos = createChaos({ environment: 'test', clock, targets: { bus: target(new EventEmitter(), [drop]) } })
  onTestFinished(() => chaos.close())
  const { id } = await chaos.inject('bus', 'drop-events', {}, { leaseMs: 1_000 })
  now = 1_000
  await expect(chaos.renew(id, 1_000)).rejects.toMatchObject({ code: 'CHAOS_INJECTION_ENDED' })
})

it.each([0, -1, Number.NaN, 2 ** 31, 5_001])(
  'refuses a lease of %s ms, and keeps the one that it has',
  async (leaseMs) => {
    const { chaos } = scene()
    const { id, leaseEndsAt } = await chaos.inject('bus', 'drop-events')
    await expect(chaos.renew(id, leaseMs)).rejects.toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
      details: { of: 'renew', field: '/leaseMs' },
    })
    expect((await chaos.injections())[0]?.leaseEndsAt).toBe(leaseEndsAt)
  },
)
