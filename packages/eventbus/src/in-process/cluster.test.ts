import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { get } from 'node:http'
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
  const exec = fileURLToPath(new URL('../../test/cluster-worker.mjs', import.meta.url))
  cluster.setupPrimary({ exec, args: ['0'], execArgv: [], silent: true })
  cluster.schedulingPolicy = cluster.SCHED_RR
  const worker = cluster.fork()
  const [, [address]] = await Promise.all([
    once(worker, 'message'),
    once(worker, 'listening') as Promise<[{ readonly port: number }]>,
  ])
  ;({ port } = address)
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
