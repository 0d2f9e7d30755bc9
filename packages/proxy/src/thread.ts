// What the worker thread of a proxy runs: `createProxy({ worker: true })` starts it.
import { workerData } from 'node:worker_threads'
import { tcpFaults } from './faults.js'
import { createProxy } from './index.js'
import { serve } from './listen/thread/serve.js'
import type { ThreadData } from './listen/thread/thread-proxy.js'

serve(workerData as ThreadData, createProxy, tcpFaults)
