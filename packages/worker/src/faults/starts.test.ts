import { once } from 'node:events'
import workerThreads, { Worker } from 'node:worker_threads'
import { inject, injectedBy } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { delayStart } from './delay-start.js'
import { refuseStart } from './refuse-start.js'

/** The class itself, as code has it that took it before any fault came: the binding of a named import follows the module. */
const CapturedWorker = Worker

const started: Worker[] = []
afterEach(async () => {
  await Promise.all(started.splice(0).map((worker) => worker.terminate()))
})

/** Makes a worker through the module, as an application does. */
function start(): Worker {
  const worker = new Worker(
    "require('node:worker_threads').parentPort.postMessage('up'); setInterval(() => undefined, 1000)",
    { eval: true },
  )
  started.push(worker)
  return worker
}

describe('refuseStart', () => {
  it.each([
    ['ERR_WORKER_INIT_FAILED', { code: 'ERR_WORKER_INIT_FAILED', message: 'Worker initialization failure: EAGAIN' }],
    ['ERR_WORKER_PATH', { code: 'ERR_WORKER_PATH', name: 'TypeError' }],
    ['ERR_WORKER_INVALID_EXEC_ARGV', { code: 'ERR_WORKER_INVALID_EXEC_ARGV' }],
    ['DataCloneError', { name: 'DataCloneError', code: 25 }],
  ] as const)('throws a real %s where the worker is made, and not afterwards', async (failure, expected) => {
    const refuse = await inject(refuseStart({ failure }), workerThreads)
    let thrown: unknown
    try {
      start()
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject(expected)
    expect(injectedBy(thrown)).toBe('worker/refuse-start')
    await refuse.rollback()
    expect(await once(start(), 'message')).toEqual(['up'])
  })

  it('emits error, then exit, for a missing file', async () => {
    await using _refuse = await inject(refuseStart({ failure: 'MODULE_NOT_FOUND' }), workerThreads)
    const worker = start()
    const exited = new Promise((resolve) => worker.once('exit', resolve))
    const [error] = (await once(worker, 'error')) as [Error]
    expect(error).toMatchObject({ code: 'MODULE_NOT_FOUND' })
    expect(await exited).toBe(1)
  })

  it('reaches named imports and subclasses, and leaves existing workers as they are', async () => {
    const Original = Worker
    const refuse = await inject(refuseStart(), workerThreads, { skip: 1 })
    expect(Worker).not.toBe(Original)
    class Special extends workerThreads.Worker {}
    const special = new Special('setInterval(() => undefined, 1000)', { eval: true })
    started.push(special)
    expect([special instanceof Special, special instanceof Worker, special instanceof Original]).toEqual([
      true,
      true,
      true,
    ])
    expect(() => new Special('', { eval: true })).toThrow('EAGAIN')
    await refuse.rollback()
    expect(Worker).toBe(Original)
    const later = new Special('setInterval(() => undefined, 1000)', { eval: true })
    started.push(later)
    expect(later instanceof Original).toBe(true)
  })
})

describe('delayStart', () => {
  it('strands no worker that is created while it ends', async () => {
    const code = "require('node:worker_threads').parentPort.postMessage('up')"
    const make = (Constructor: typeof Worker): Promise<unknown[]> => {
      const worker = new Constructor(code, { eval: true })
      started.push(worker)
      return once(worker, 'message')
    }
    for (let round = 0; round < 5; round += 1) {
      const delay = await inject(delayStart({ delayMs: 1 }), workerThreads)
      const during = [make(workerThreads.Worker), make(CapturedWorker)]
      const ending = delay.rollback()
      const after = [make(workerThreads.Worker), make(CapturedWorker)]
      await ending
      expect(await Promise.all([...during, ...after])).toEqual(Array.from({ length: 4 }, () => ['up']))
    }
    expect(process.listenerCount('worker')).toBe(0)
    expect(started.map((worker) => worker.listenerCount('exit'))).not.toContain(1)
  })

  it('leaves no listener behind when one begins while another ends', async () => {
    const first = await inject(delayStart({ delayMs: 1 }), workerThreads)
    const ending = first.rollback()
    const second = await inject(delayStart({ delayMs: 1 }), workerThreads)
    await ending
    await second.rollback()
    expect(process.listenerCount('worker')).toBe(0)
  })

  it('keeps a worker from running any code until the delay is over', async () => {
    const clock = manualClock()
    const injection = await inject(delayStart({ delayMs: 100 }), workerThreads, { clock, limit: 1, leaseMs: 600_000 })
    const events: string[] = []
    const slow = start()
      .on('online', () => events.push('online'))
      .on('message', () => events.push('message'))
    // One that starts behind it, and is not held, is up first.
    expect(await once(start(), 'message')).toEqual(['up'])
    expect([events, slow.threadId > 0, injection.held]).toEqual([[], true, 1])
    await clock.advance(99)
    expect(injection.held).toBe(1)
    const up = once(slow, 'message')
    await clock.advance(1)
    await up
    expect(events).toEqual(['online', 'message'])
    await injection.done
  })

  it('keeps workers from starting while it is in force, then delivers posted messages', async () => {
    const injection = await inject(delayStart(), workerThreads)
    const worker = new Worker(
      "const { parentPort: port } = require('node:worker_threads'); port.on('message', (message) => port.postMessage(message))",
      { eval: true },
    )
    started.push(worker)
    worker.postMessage('early')
    expect(injection.held).toBe(1)
    const heard = once(worker, 'message')
    await injection.rollback()
    expect(await heard).toEqual(['early'])
  })
})
