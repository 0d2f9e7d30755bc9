import { EventEmitter } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { inject } from '@chaos/core'
import { it } from 'vitest'
import { terminateWorker } from './terminate-worker.js'

declare const worker: Worker

it('takes a worker, several, and a live set, and nothing else', () => {
  void inject(terminateWorker(), worker)
  void inject(terminateWorker({ select: 'all' }), [worker, worker])
  void inject(terminateWorker({ select: 'share', share: 0.5 }), () => new Set([worker]))
  // @ts-expect-error -- an event bus is no worker
  void inject(terminateWorker(), new EventEmitter())
  // @ts-expect-error -- no such selection
  terminateWorker({ select: 'any' })
  // @ts-expect-error -- no such option
  terminateWorker({ which: 'one' })
})
