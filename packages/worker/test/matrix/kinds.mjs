// What can be hurt: each kind of target makes a fresh one that runs, with what is needed to see what becomes of it.
import { fork } from 'node:child_process'
import cluster from 'node:cluster'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import workerThreads, { MessageChannel, Worker } from 'node:worker_threads'
import { trackWorkers } from '@chaos/worker'
import { Piscina } from 'piscina'
import { Tinypool } from 'tinypool'

const workerpool = createRequire(import.meta.url)('workerpool')
const file = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const resourceLimits = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 }
const ECHO =
  "const { parentPort: port } = require('node:worker_threads'); port.on('message', (message) => port.postMessage(message)); port.postMessage('up')"

cluster.setupPrimary({ exec: file('cluster-worker.mjs'), args: ['0'], execArgv: [], silent: true })
cluster.schedulingPolicy = cluster.SCHED_RR

/** A thread or process that answers each message with the same. */
async function echoing(end) {
  const heard = []
  const errors = []
  end.on('error', (error) => errors.push(error))
  await once(end, 'message')
  end.on('message', (message) => heard.push(message))
  return { heard, errors, send: (message) => (end.postMessage ? end.postMessage(message) : end.send(message)) }
}

const startWorker = () => new Worker(ECHO, { eval: true, resourceLimits })

async function aWorker() {
  const worker = startWorker()
  return {
    target: worker,
    current: () => worker,
    touched: [worker],
    ...(await echoing(worker)),
    dispose: () => worker.terminate(),
  }
}

const ON_THREADS = [
  'terminate-worker',
  'exit-worker',
  'crash-worker',
  'exhaust-heap',
  'kill-mid-task',
  'kill-returning-workers',
  'block-event-loop',
].map((name) => `worker/${name}`)

/** Of threads; of processes for the faults that mean these. */
async function aLiveSet(fault) {
  const one = await (['worker/signal-process', 'worker/freeze-process'].includes(fault) ? aChild() : aWorker())
  return { ...one, target: one.current }
}

/** A pool of one thread, of which a task is asked before and after. */
async function aPool(pool, run, workers, dispose, target = pool) {
  pool.on?.('error', () => undefined)
  await run({ id: 0 })
  const [worker] = workers()
  return { target, current: () => worker, touched: [worker, pool], answers: () => run({ id: 1 }), dispose }
}

const aPiscina = () => {
  const pool = new Piscina({
    filename: file('task.mjs'),
    minThreads: 1,
    maxThreads: 1,
    atomics: 'disabled',
    resourceLimits,
  })
  return aPool(
    pool,
    (task) => pool.run(task),
    () => pool.threads,
    () => pool.destroy(),
  )
}

const aTinypool = () => {
  const pool = new Tinypool({
    filename: file('task.mjs'),
    minThreads: 1,
    maxThreads: 1,
    useAtomics: false,
    resourceLimits,
    terminateTimeout: 1_000,
  })
  const workers = () => pool.threads.map(({ thread }) => thread)
  // A dead thread keeps its slot, and destroying the pool waits for it.
  return aPool(
    pool,
    (task) => pool.run(task),
    workers,
    () => Promise.all(workers().map((worker) => worker.terminate())),
  )
}

/** Its threads are reached by those that this thread makes; the pool itself is no target. */
const aWorkerpool = (fault) => {
  const threads = trackWorkers()
  const pool = workerpool.pool(file('workerpool-task.mjs'), {
    maxWorkers: 1,
    workerType: 'thread',
    workerThreadOpts: { resourceLimits },
  })
  const dispose = async () => {
    await Promise.all(threads().map((worker) => worker.terminate()))
    threads.close()
  }
  return aPool(pool, (task) => pool.exec('task', [task]), threads, dispose, ON_THREADS.includes(fault) ? threads : pool)
}

async function aPort() {
  const { port1: near, port2: far } = new MessageChannel()
  const heard = []
  far.on('message', (message) => heard.push(message))
  return {
    target: near,
    touched: [near],
    heard,
    errors: [],
    send: (message) => near.postMessage(message),
    dispose: () => near.close(),
  }
}

async function aChild() {
  const child = fork(file('child.mjs'), { execArgv: [] })
  const { heard, errors, send } = await echoing(child)
  return { target: child, current: () => child, touched: [child], heard, errors, send, dispose: () => gone(child) }
}

async function aClusterWorker() {
  const worker = cluster.fork()
  const { heard, errors, send } = await echoing(worker)
  const { process: child } = worker
  return {
    target: worker,
    current: () => child,
    touched: [worker, child],
    heard,
    errors,
    send,
    dispose: () => gone(child),
  }
}

async function gone(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

const asIs = (target) => async () => ({ target, touched: [target], dispose: () => undefined })

export const KINDS = {
  'a Worker': aWorker,
  'a live set': aLiveSet,
  piscina: aPiscina,
  tinypool: aTinypool,
  workerpool: aWorkerpool,
  'a MessagePort': aPort,
  'a child process': aChild,
  'a cluster worker': aClusterWorker,
  'node:worker_threads': asIs(workerThreads),
  process: asIs(process),
}
