import { fork } from 'node:child_process'
import cluster from 'node:cluster'
import { EventEmitter } from 'node:events'
import { BroadcastChannel, MessageChannel, parentPort, Worker } from 'node:worker_threads'
import { inject } from '@chaos/core'
import { it } from 'vitest'
import { dropEvents, failCloning } from '../index.js'

const worker = new Worker('', { eval: true })
const child = fork('child.mjs')
const { port1: port } = new MessageChannel()

it('takes threads, ports and processes, and functions that return them', () => {
  void inject(dropEvents(), worker)
  void inject(dropEvents(), child)
  void inject(dropEvents(), process)
  void inject(dropEvents(), parentPort ?? port)
  void inject(dropEvents(), new BroadcastChannel('news'))
  void inject(
    dropEvents(),
    Object.values(cluster.workers ?? {}).filter((one) => one !== undefined),
  )
  void inject(dropEvents(), () => [worker, port])
  void inject(failCloning(), () => child)
  // @ts-expect-error -- an emitter clones nothing
  void inject(failCloning(), new EventEmitter())
  // @ts-expect-error -- a function that returns no end
  void inject(dropEvents(), () => 1)
  // @ts-expect-error -- no such seam
  failCloning({ seam: 'ack' })
})
