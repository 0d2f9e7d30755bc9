// A thread behind the requests. It has a store of its own, and a fault for each scope.
import { parentPort, workerData } from 'node:worker_threads'
import { inject } from '@chaos/core'
import { carryScopes } from '@chaos/eventbus'
import { markReads, store } from './store.mjs'

const own = store()
for (const { mark, scope } of workerData.faults)
  await inject(markReads({ mark }), own, { scope, leaseMs: workerData.leaseMs })
const { paired } = await carryScopes(parentPort)
parentPort.on('message', async (id) => parentPort.postMessage([id, await own.read()]))
await paired
parentPort.postMessage('ready')
