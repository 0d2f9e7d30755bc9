import { expect, it } from 'vitest'
import { manualClock } from '@chaos/core/testing'
import { ask, mounted, testChaos, TOKEN } from '../../test/support.js'
import { connect } from '../client/connect.js'

async function scene() {
  const clock = manualClock(1_000_000)
  const { chaos, controller } = testChaos({ clock, maxLeaseMs: 60_000 })
  const { url } = await mounted(controller)
  const client = await connect({ url, token: TOKEN })
  return { clock, chaos, client, url }
}

it('renews a lease, and tells the listeners before the answer', async () => {
  const { clock, chaos, client } = await scene()
  const types: string[] = []
  client.follow(({ type }) => types.push(type))
  const { id } = await client.inject('bus', 'drop-events', {}, { leaseMs: 1_000, id: 'a/b' })
  await clock.advance(500)
  const state = await client.renew(id, 30_000)
  expect(types).toEqual(['armed', 'renewed'])
  expect(state).toMatchObject({ id: 'a/b', status: 'active', leaseEndsAt: clock.now() + 30_000, leaseMs: 30_500 })
  await clock.advance(29_999)
  expect(await chaos.injections()).toMatchObject([{ status: 'active' }])
  await client.renew(id, 1)
  await clock.advance(1)
  expect(await chaos.injections()).toMatchObject([{ outcome: 'lease-expired' }])
  await client.close()
})

it.each([
  ['nothing', 1_000, 404, 'CHAOS_UNKNOWN_INJECTION', undefined],
  ['ended', 1_000, 409, 'CHAOS_INJECTION_ENDED', undefined],
  ['live', 0, 400, 'CHAOS_INVALID_OPTION', '/leaseMs'],
  ['live', 60_001, 400, 'CHAOS_INVALID_OPTION', '/leaseMs'],
  ['live', 'long', 400, 'CHAOS_INVALID_OPTION', '/leaseMs'],
])('refuses to renew the injection "%s" for %s ms', async (id, leaseMs, status, code, field) => {
  const { chaos, client, url } = await scene()
  await (await chaos.inject('bus', 'drop-events', {}, { id: 'ended' })).rollback()
  await chaos.inject('bus', 'drop-events', {}, { id: 'live' })
  const answer = await ask(`${url}/injections/${id}/renewals`, { method: 'POST', body: { leaseMs } })
  expect(answer.status).toBe(status)
  const problem = answer.json() as { readonly field?: string }
  expect(problem).toMatchObject({ error: { code } })
  expect(problem.field).toBe(field)
  await client.close()
})
