import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { get } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { inject } from '@chaos/core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { delayEvents } from '../faults/delay-events.js'
import { dropEvents } from '../faults/drop-events.js'

let port: number
const living = (): Worker[] => Object.values(cluster.workers ?? {}) as Worker[]
/** Asks the cluster once; answers with the pid of the worker that took it. */
const ask = (): Promise<number> =>
  new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', agent: false }, (response) => response.on('data', (pid) => resolve(Number(pid)))).on(
      'error',
      reject,
    )
  })

beforeAll(async () => {
  // A port of its own: that of a server which is gone again.
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  port = (probe.address() as AddressInfo).port
  await new Promise((resolve) => probe.close(resolve))
  const exec = fileURLToPath(new URL('../../test/cluster-worker.mjs', import.meta.url))
  cluster.setupPrimary({ exec, args: [String(port)], execArgv: [], silent: true })
  cluster.schedulingPolicy = cluster.SCHED_RR
  await once(cluster.fork(), 'message')
})
afterAll(() => living().forEach((worker) => worker.process.kill('SIGKILL')))

it('breaks the messages of cluster workers, in both directions, but not those by which Node.js runs the cluster', async () => {
  const [worker] = living() as [Worker]
  const heard: unknown[] = []
  worker.on('message', (message) => heard.push(message))
  const drop = await inject(dropEvents({ seam: 'publish' }), () => living())
  worker.send('lost')
  expect(drop.affected).toBe(1)
  // Connections are handed to the workers by messages of Node.js itself.
  expect(await ask()).toBeGreaterThan(0)
  await drop.rollback()
  const delay = await inject(delayEvents({ delayMs: 600_000 }), worker)
  worker.send('late')
  await vi.waitFor(() => expect(delay.held).toBe(1))
  expect(heard).toEqual([])
  await delay.rollback()
  expect(heard).toEqual(['late'])
})

it('has no open end when all workers are gone', async () => {
  const gone = living()
  gone.forEach((worker) => worker.process.kill('SIGKILL'))
  // A process may be gone before its channel is: what it said last is still read.
  await vi.waitFor(() => expect(gone.map((worker) => worker.isConnected())).not.toContain(true))
  await expect(inject(dropEvents(), gone)).rejects.toMatchObject({ code: 'CHAOS_NO_LIVE_WORKER' })
})
