import { expect, it, onTestFinished, vi } from 'vitest'
import { manualClock } from '@chaos/core/testing'
import { ask, mounted, nextEntry, rawConnection, testChaos, TOKEN } from '../../test/support.js'
import { connect } from '../client/connect.js'

async function scene() {
  const clock = manualClock(1_000_000)
  const { bus, chaos, controller } = testChaos({ clock })
  const { url, port } = await mounted(controller)
  const send = (injections: unknown, more: object = {}) =>
    ask(`${url}/batches`, { method: 'POST', body: { injections, ...more } })
  const outcomes = async () => (await chaos.injections()).map(({ id, outcome }) => [id, outcome])
  return { clock, bus, chaos, url, port, send, outcomes }
}
const drop = { target: 'bus', fault: 'drop-events' }
const slow = { target: 'bus', fault: 'arm-slowly' }

it('injects all, in order, with an instant one as the last', async () => {
  const { send, outcomes } = await scene()
  const answer = await send([
    { ...drop, id: 'one', leaseMs: 1_000 },
    { ...drop, id: 'two', options: { echo: true }, rate: 0.5 },
    { target: 'bus', fault: 'ring', options: { times: 2 }, id: 'three' },
  ])
  expect([answer.status, answer.json()]).toMatchObject([
    201,
    {
      injections: [
        { id: 'one', status: 'active', leaseMs: 1_000 },
        { id: 'two', options: { echo: true } },
        { id: 'three', outcome: 'completed' },
      ],
    },
  ])
  expect(await outcomes()).toEqual([
    ['three', 'completed'],
    ['one', undefined],
    ['two', undefined],
  ])
})

it.each<[string, readonly object[], string, string]>([
  ['an unknown target', [drop, { ...drop, target: 'buss' }], 'CHAOS_UNKNOWN_TARGET', '/injections/1/target'],
  ['an unknown fault', [{ ...drop, fault: 'x' }], 'CHAOS_UNKNOWN_FAULT', '/injections/0/fault'],
  ['a rate that is none', [drop, drop, { ...drop, rate: 2 }], 'CHAOS_INVALID_OPTION', '/injections/2/rate'],
  [
    'an option of the fault',
    [drop, { ...drop, options: { ecko: 1 } }],
    'CHAOS_INVALID_OPTION',
    '/injections/1/options/ecko',
  ],
  ['a connection within', [{ ...drop, connection: 'x' }], 'CHAOS_INVALID_OPTION', '/injections/0/connection'],
  ['a lease beyond the longest', [drop, { ...drop, leaseMs: 1e6 }], 'CHAOS_INVALID_OPTION', '/injections/1/leaseMs'],
  [
    'the same id twice',
    [
      { ...drop, id: 'a' },
      { ...drop, id: 'a' },
    ],
    'CHAOS_INVALID_OPTION',
    '/injections/1/id',
  ],
  [
    'an instant fault that is not the last',
    [{ target: 'bus', fault: 'ring', options: { times: 1 } }, drop],
    'CHAOS_INVALID_OPTION',
    '/injections/0/fault',
  ],
])('injects nothing for %s, and names it', async (_what, injections, code, field) => {
  const { send, chaos } = await scene()
  const answer = await send(injections)
  expect(answer.json()).toMatchObject({
    error: { code },
    field,
    detail: expect.stringContaining('Nothing was injected') as string,
  })
  expect(await chaos.injections()).toEqual([])
})

it('takes at most 100 injections', async () => {
  const { send, chaos } = await scene()
  expect((await send(Array.from({ length: 101 }, () => drop))).json()).toMatchObject({ field: '/injections' })
  expect((await send(Array.from({ length: 100 }, () => drop))).status).toBe(201)
  await chaos.controller.stopAll()
})

it('rolls back what it has injected when one fails, and names that one', async () => {
  const { send, outcomes } = await scene()
  const answer = await send([
    { ...drop, id: 'one' },
    { ...drop, id: 'two' },
    { target: 'bus', fault: 'fail', id: 'bad' },
  ])
  expect([answer.status, answer.json()]).toMatchObject([
    500,
    {
      error: { code: 'CHAOS_INTERNAL_ERROR' },
      field: '/injections/2',
      detail: expect.stringMatching(/^Injection 2 of the batch .*not today.* were rolled back\.$/) as string,
    },
  ])
  expect(await outcomes()).toEqual([
    ['bad', 'failed'],
    ['two', 'stopped'],
    ['one', 'stopped'],
  ])
})

it('injects nothing more once everything was stopped', async () => {
  const { send, bus, chaos, outcomes } = await scene()
  const answering = send([
    { ...drop, id: 'one' },
    { ...slow, id: 'two' },
    { ...drop, id: 'three' },
  ])
  await nextEntry(chaos.controller, (entry) => entry.type === 'armed' && entry.injection.id === 'two')
  await chaos.controller.stop('one')
  bus.emit('armed')
  expect((await answering).json()).toMatchObject({ error: { code: 'CHAOS_INJECTION_ENDED' }, field: '/injections/1' })
  expect(await outcomes()).toEqual([
    ['one', 'stopped'],
    ['two', 'stopped'],
  ])
})

it('leaves nothing of a client that leaves meanwhile', async () => {
  const { chaos, port, outcomes } = await scene()
  const body = JSON.stringify({
    injections: [
      { ...drop, id: 'one' },
      { ...slow, id: 'two' },
      { ...drop, id: 'three' },
    ],
  })
  const { socket } = await rawConnection(port)
  const arming = nextEntry(chaos.controller, (entry) => entry.type === 'armed' && entry.injection.id === 'two')
  socket.write(
    `POST /chaos/batches HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  await arming
  socket.destroy()
  await vi.waitFor(async () =>
    expect(await outcomes()).toEqual([
      ['two', 'stopped'],
      ['one', 'stopped'],
    ]),
  )
})

it('is held by the connection of a client', async () => {
  const { url, outcomes } = await scene()
  const client = await connect({ url, token: TOKEN })
  onTestFinished(() => client.close())
  const made = await client.injectAll(
    [
      { ...drop, id: 'one' },
      { ...drop, id: 'two' },
    ],
    { hold: 'connection' },
  )
  expect(made.map(({ id, status }) => [id, status])).toEqual([
    ['one', 'active'],
    ['two', 'active'],
  ])
  await client.close()
  await vi.waitFor(async () =>
    expect((await outcomes()).sort()).toEqual([
      ['one', 'stopped'],
      ['two', 'stopped'],
    ]),
  )
})

it('tells a client which injection is wrong', async () => {
  const { url } = await scene()
  const client = await connect({ url, token: TOKEN })
  onTestFinished(() => client.close())
  await expect(client.injectAll([drop, { ...drop, rate: 7 }])).rejects.toMatchObject({
    code: 'CHAOS_INVALID_OPTION',
    details: { field: '/injections/1/rate', expected: 'a number from 0 to 1' },
  })
})
