import { expect, it, vi } from 'vitest'
import { noDatagrams, noDrops } from '../datagrams/account.js'
import { Route } from '../datagrams/route.js'
import { DatagramOutlet, type SendPayload } from './datagram-outlet.js'

/** An outlet, and a route that sends through it to a system that answers as it is told. */
function outlet(system: SendPayload) {
  const drops = noDrops()
  const onRefused = vi.fn()
  const made = new DatagramOutlet(onRefused)
  const session = { ordinal: 1, clientAddress: '127.0.0.1', clientPort: 1 }
  const route = new Route(session, 'upstream', { account: noDatagrams(), drops }, (datagram) =>
    made.send(datagram, system),
  )
  const send = (payload: string): void => route.send(route.enter(Buffer.from(payload)))
  return { outlet: made, route, drops, onRefused, send }
}

const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code })

it('sends a datagram again whose sending reported the refusal of an earlier one', () => {
  const sent: string[] = []
  const { send, route, drops, onRefused } = outlet((payload, done) => {
    sent.push(String(payload))
    done(sent.length === 1 ? failure('ECONNREFUSED') : null)
  })
  send('a')
  expect([sent, onRefused.mock.calls.length]).toEqual([['a', 'a'], 1])
  expect(route.account).toMatchObject({ datagramsOut: 1, datagramsDropped: 0, datagramsHeld: 0 })
  expect(drops.unsent).toBe(0)
})

it.each([
  ['is refused twice', 'ECONNREFUSED', 2],
  ['is too long', 'EMSGSIZE', 1],
  ['has no route', 'ENETUNREACH', 1],
])('drops a datagram that %s', (_what, code, attempts) => {
  const system = vi.fn<SendPayload>((_payload, done) => done(failure(code)))
  const { send, route, drops } = outlet(system)
  send('a')
  expect(system).toHaveBeenCalledTimes(attempts)
  expect(route.account).toMatchObject({ datagramsOut: 0, datagramsDropped: 1, datagramsHeld: 0 })
  expect(drops.unsent).toBe(1)
})

it('counts a datagram as held until the system has taken it, and drops what a full queue has no room for', () => {
  const pending: (() => void)[] = []
  const { send, route, drops } = outlet((_payload, done) => pending.push(() => done(null)))
  for (let n = 0; n < 1_025; n += 1) send('x')
  expect(route.account).toMatchObject({ datagramsOut: 0, datagramsDropped: 1, datagramsHeld: 1_024 })
  for (const done of pending) done()
  expect(route.account).toMatchObject({ datagramsOut: 1_024, datagramsHeld: 0 })
  for (let n = 0; n < 70; n += 1) send('x'.repeat(65_000))
  expect(route.account).toMatchObject({ datagramsHeld: 64, datagramsDropped: 7 })
  expect(drops).toMatchObject({ queueFull: 7 })
})

it('drops what is on its way when it is closed, whatever the system says later', () => {
  const pending: (() => void)[] = []
  const { outlet: closing, send, route, drops } = outlet((_payload, done) => pending.push(() => done(null)))
  send('a')
  closing.close()
  for (const done of pending) done()
  expect(route.account).toMatchObject({ datagramsOut: 0, datagramsDropped: 1, datagramsHeld: 0 })
  expect(drops.closed).toBe(1)
})

it('drops a datagram if the socket is closed already', () => {
  const { send, route, drops } = outlet(() => {
    throw failure('ERR_SOCKET_DGRAM_NOT_RUNNING')
  })
  send('a')
  expect([route.account.datagramsHeld, drops.closed]).toEqual([0, 1])
})
