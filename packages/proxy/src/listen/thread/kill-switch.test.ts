import { inject, journal } from '@chaos/core'
import { expect, it, onTestFinished, vi } from 'vitest'
import { startScene } from '../../../test/tcp.js'
import { tcpFaults } from '../../faults.js'
import { dropData } from '../../index.js'
import { ENGINE } from '../../toxics/engine.js'
import { processTime } from './process-time.js'
import { RemoteEngine } from './remote-engine.js'
import { Reports } from './reports.js'
import { ServedProxy } from './served-proxy.js'
import type { ThreadChannel } from './thread-channel.js'
import type { InjectOrder } from './thread-proxy.js'

it('a fault that ends here is stopped there at once, before the other thread reads a message', async () => {
  const orders: InjectOrder[] = []
  const requests: string[] = []
  const channel = {
    over: undefined,
    request: (name: string, order: InjectOrder) => {
      requests.push(name)
      if (name === 'inject') orders.push(order)
      return Promise.resolve()
    },
  } as unknown as ThreadChannel
  const injection = await inject(dropData(), { [ENGINE]: new RemoteEngine(() => channel) })
  const { stop } = orders[0] as InjectOrder
  expect([Atomics.load(stop, 0), requests]).toEqual([0, ['inject']])
  const ended = injection.rollback()
  expect([Atomics.load(stop, 0), requests]).toEqual([1, ['inject', 'release']])
  await ended
})

it('a fault that is stopped there neither affects nor counts connections', async () => {
  const { proxy, connect } = await startScene()
  const told: unknown[] = []
  const reports = new Reports(({ counts: { seen, affected } }) => told.push([seen, affected]))
  const served = new ServedProxy(proxy, tcpFaults, reports)
  const stop = new Int32Array(new SharedArrayBuffer(4))
  const how = { id: 'stopped', seed: 'a', leaseMs: 60_000 }
  const fault = { fault: 'proxy/delay-data', options: { delayMs: 100_000 } }
  await served.inject({ ...fault, how, leaseEndsAt: processTime() + 60_000, stop })
  onTestFinished(() => served.release('stopped'))
  const met = await connect()
  await vi.waitFor(() => expect(proxy.connections()[0]?.status).toBe('open'))
  Atomics.store(stop, 0, 1)
  met.socket.write('x')
  await met.receives(1)
  const late = await connect()
  late.socket.write('y')
  await late.receives(1)
  reports.flush()
  expect(told.at(-1)).toEqual([1, 0])
  expect(journal.entries.filter((entry) => entry.type === 'hit' && entry.id === 'stopped')).toEqual([])
})

it('an unknown fault is refused there', async () => {
  const { proxy } = await startScene()
  const served = new ServedProxy(proxy, tcpFaults, new Reports(() => undefined))
  const how = { id: 'unknown', seed: 'a', leaseMs: 60_000 }
  const order = { options: {}, how, leaseEndsAt: processTime() + 60_000, stop: new Int32Array(1) }
  await expect(served.inject({ ...order, fault: 'proxy/delay-dat' })).rejects.toMatchObject({
    code: 'CHAOS_UNKNOWN_FAULT',
    message: expect.stringContaining('Did you mean "proxy/delay-data"?') as string,
  })
})
