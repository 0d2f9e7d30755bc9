// Every fault of the package: how it is armed for a cell, and what must be seen of it. What a cell says is what was seen.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import workerThreads from 'node:worker_threads'
import * as faults from '@chaos/worker'
import { until } from './until.mjs'

/** An instant fault that ends the target. `errors`: what its holder hears. */
const deadly = (make, cell, { exitCode, endedBy, error }) => ({
  make,
  async land(scene, arm) {
    const { evidence } = await arm()
    assert.equal(evidence.length, 1)
    if (exitCode !== undefined) assert.equal(evidence[0].exitCode, exitCode)
    if (endedBy !== undefined) assert.equal(evidence[0].endedBy, endedBy)
    if (error !== undefined) assert.match(evidence[0].error, error)
    return cell
  },
})

/** A standing fault that shows by something about the target, and shows no more when it is over. */
const standing = (make, cell, isSeen) => ({
  make,
  async land(scene, arm) {
    const injection = await arm()
    await until(cell, async () => injection.affected > 0 && (await isSeen(scene, injection)))
    await injection.rollback()
    assert.notEqual(injection.landedAt, undefined)
    return cell
  },
})

async function isBlocked({ current }) {
  const worker = current()
  const before = worker.performance.eventLoopUtilization()
  await new Promise((resolve) => setTimeout(resolve, 30))
  return worker.performance.eventLoopUtilization(before).utilization > 0.95
}

/** Linux's word for what a process is doing: `T` is stopped. */
const stateOf = (pid) => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]

const startWorker = () => new workerThreads.Worker('setInterval(() => undefined, 1000)', { eval: true })

export const FAULTS = {
  terminateWorker: deadly(() => faults.terminateWorker(), 'exit 1', { exitCode: 1 }),
  exitWorker: deadly(() => faults.exitWorker({ exitCode: 7 }), 'exit 7', { exitCode: 7 }),
  crashWorker: deadly(() => faults.crashWorker(), 'error, exit 1', { exitCode: 1, error: /Injected crash/ }),
  exhaustHeap: deadly(() => faults.exhaustHeap(), 'out of memory, exit 1', { exitCode: 1, error: /memory limit/ }),
  killReturningWorkers: {
    make: () => faults.killReturningWorkers({ lookEveryMs: 5 }),
    how: { limit: 1 },
    async land({ current }, arm) {
      const one = current()
      const exited = once(one, 'exit')
      const injection = await arm()
      assert.equal((await injection.done).outcome, 'limit-spent')
      await exited
      assert.equal(injection.evidence.length, 1)
      return 'killed'
    },
  },
  killMidTask: {
    make: () => faults.killMidTask(),
    how: { limit: 1 },
    async land({ current }, arm) {
      const one = current()
      const exited = once(one, 'exit')
      const injection = await arm()
      one.postMessage('a task')
      await exited
      assert.equal((await injection.done).outcome, 'limit-spent')
      return 'killed'
    },
  },
  blockEventLoop: standing(() => faults.blockEventLoop({ periodMs: 20 }), 'loop blocked', isBlocked),
  blockMainThread: standing(
    () => faults.blockMainThread({ blockMs: 50, everyMs: 10 }),
    'loop blocked',
    async () => {
      const before = performance.now()
      await new Promise((resolve) => setTimeout(resolve, 11))
      return performance.now() - before > 50
    },
  ),
  refuseStart: {
    make: () => faults.refuseStart(),
    async land(scene, arm) {
      const injection = await arm()
      assert.throws(startWorker, { code: 'ERR_WORKER_INIT_FAILED' })
      await injection.rollback()
      const worker = startWorker()
      await once(worker, 'online')
      await worker.terminate()
      return 'ERR_WORKER_INIT_FAILED'
    },
  },
  delayStart: {
    make: () => faults.delayStart(),
    async land(scene, arm) {
      const injection = await arm({ limit: 1 })
      let isUp = false
      const held = startWorker().once('online', () => (isUp = true))
      const free = startWorker()
      await once(free, 'online')
      assert.deepEqual([isUp, injection.held], [false, 1])
      await injection.rollback()
      await until('the held worker to start', () => isUp)
      await Promise.all([held.terminate(), free.terminate()])
      return 'not up'
    },
  },
  signalProcess: deadly(() => faults.signalProcess(), 'SIGKILL', { endedBy: 'SIGKILL' }),
  freezeProcess: standing(
    () => faults.freezeProcess({ periodMs: 10 }),
    'stopped',
    ({ current }) => stateOf(current().pid) === 'T',
  ),
  stressCpu: standing(
    () => faults.stressCpu({ periodMs: 20 }),
    'CPU time',
    (scene, { account }) => account.cpuMs > 50,
  ),
  stressMemory: standing(
    () => faults.stressMemory({ sizeMb: 32, periodMs: 50, keepFreeMb: 64 }),
    'RSS',
    (scene, { evidence, account }) => evidence.length > 0 && account.rssMb > 32,
  ),
}
