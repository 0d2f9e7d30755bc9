import { EventEmitter, once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { inject, type Injection } from '@chaos/core'
import { Tinypool } from 'tinypool'
import { expect, it } from 'vitest'
import workerpool from 'workerpool'
import { ECHO, startWorker } from '../../test/support.js'
import { taskFile, workerpoolFile } from '../../test/task-file.js'
import { blockEventLoop } from '../faults/block-event-loop.js'
import { crashWorker } from '../faults/crash-worker.js'
import { exitWorker } from '../faults/exit-worker.js'
import { killReturningWorkers } from '../faults/kill-returning-workers.js'
import { signalProcess } from '../faults/signal-process.js'
import { terminateWorker } from '../faults/terminate-worker.js'
import { observeWorkers } from '../observe/observe-workers.js'

const faults = [
  terminateWorker(),
  exitWorker(),
  blockEventLoop(),
  killReturningWorkers(),
  signalProcess({ signal: 'SIGKILL' }),
]

it.each(faults)('refuses an async function as the target of $name', async (fault) => {
  const target = (() => Promise.reject(new Error('away'))) as never
  await expect(inject<never>(fault, target)).rejects.toMatchObject({
    code: 'CHAOS_TARGET_MISMATCH',
    message: expect.stringContaining('got a promise. Pass a function that is not `async`.') as string,
  })
})

it('refuses an async function as the target of an observation', () => {
  expect(() => observeWorkers((() => Promise.resolve([])) as never)).toThrow('got a promise')
})

it.each(faults)('refuses a bound class as the target of $name', async (fault) => {
  const target = Function.prototype.bind.call(Worker, undefined) as never
  await expect(inject<never>(fault, target)).rejects.toMatchObject({
    code: 'CHAOS_TARGET_MISMATCH',
    message: expect.stringContaining('got a class') as string,
  })
})

it('finds a thread in the object that a pool keeps of it', async () => {
  const worker = await startWorker()
  const { evidence } = await inject(terminateWorker(), () => [{ worker } as never])
  expect(evidence).toMatchObject([{ exitCode: 1 }])
})

it('refuses objects that hide their worker, and says what to return instead', async () => {
  const worker = await startWorker()
  class Employee {
    readonly #worker = worker
    name = this.#worker.threadId
  }
  await expect(inject(exitWorker(), () => [new Employee() as never])).rejects.toMatchObject({
    code: 'CHAOS_TARGET_MISMATCH',
    message: expect.stringContaining('got an object of another kind (Employee)') as string,
  })
})

it('blocks a busy thread of a pool, and refuses one that sleeps', async () => {
  const pool = new Tinypool({ filename: taskFile, minThreads: 1, maxThreads: 1 })
  try {
    await pool.run({ id: 1 })
    await expect(inject(blockEventLoop(), pool)).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
      message: expect.stringContaining('sleeps in `Atomics.wait`') as string,
    })
    void pool.run({ id: 2, forMs: 60_000 }).catch(() => undefined)
    await using blocked: Injection = await inject(blockEventLoop({ periodMs: 10 }), pool, { limit: 3 })
    expect(await blocked.done).toMatchObject({ affected: 3, outcome: 'limit-spent' })
  } finally {
    await pool.destroy()
  }
})

it('blocks the threads of a workerpool', async () => {
  const pool = workerpool.pool(workerpoolFile, { maxWorkers: 1, workerType: 'thread' })
  try {
    expect(await pool.exec('task', [{ id: 1 }])).toBe(1)
    const target = (): never => Reflect.get(pool, 'workers') as never
    await using blocked: Injection = await inject(blockEventLoop({ periodMs: 10 }), target, { limit: 3 })
    expect(await blocked.done).toMatchObject({ affected: 3, outcome: 'limit-spent' })
    expect(await pool.exec('task', [{ id: 2 }])).toBe(2)
  } finally {
    await pool.terminate(true)
  }
})

it.each([
  exitWorker({ exitCode: 7, when: 'message' }),
  crashWorker({ when: 'message' }),
  terminateWorker({ when: 'message' }),
])('does not pass off the exit of a worker that has nothing left to do as that of $name', async (fault) => {
  const code =
    "import { parentPort as port } from 'node:worker_threads'; port.once('message', () => port.close()); await new Promise(() => undefined)"
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { stderr: true })
  const injecting = inject(fault, worker)
  worker.postMessage('that was all')
  await expect(injecting).rejects.toMatchObject({
    code: 'CHAOS_NO_LIVE_WORKER',
    message: expect.stringContaining('ended by itself (exit code 13) before the fault struck it') as string,
  })
})

it('does not pass off an exit that came before its turn in the worker as its own', async () => {
  // Ends as soon as the code of the fault waits for a turn of the loop.
  const worker = await startWorker(
    "const waiting = Symbol.for('@chaos/worker.waiting'); while (globalThis[waiting] === undefined); process.exit(3)",
  )
  await expect(inject(exitWorker({ exitCode: 3 }), worker)).rejects.toMatchObject({ code: 'CHAOS_NO_LIVE_WORKER' })
})

it('strikes the others when one of several has ended by itself', async () => {
  const [ends, stays] = [
    await startWorker("require('node:worker_threads').parentPort.once('message', () => process.exit(3))"),
    await startWorker(ECHO),
  ]
  const { threadId } = stays.on('message', () => undefined)
  const injecting = inject(exitWorker({ exitCode: 7, when: 'message', select: 'all' }), [ends, stays])
  ends.postMessage('end')
  await once(ends, 'exit')
  stays.postMessage('answer')
  expect((await injecting).evidence).toMatchObject([{ threadId, exitCode: 7 }])
})

it('finds the processes of a workerpool, and refuses faults on threads for them', async () => {
  const pool = workerpool.pool(workerpoolFile, { maxWorkers: 1, workerType: 'process' })
  const target = (): never => Reflect.get(pool, 'workers') as never
  try {
    expect(await pool.exec('task', [{ id: 1 }])).toBe(1)
    await expect(inject(exitWorker(), target)).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
      message:
        'Expected the target to have threads, got processes. Use a fault on processes: signalProcess or freezeProcess.',
    })
    const { evidence } = await inject(signalProcess({ signal: 'SIGKILL' }), target)
    expect(evidence).toMatchObject([{ endedBy: 'SIGKILL' }])
  } finally {
    await pool.terminate(true)
  }
})

it('refuses faults on processes for threads', async () => {
  const worker = await startWorker()
  await expect(inject(signalProcess({ signal: 'SIGKILL' }), () => [worker as never])).rejects.toMatchObject({
    code: 'CHAOS_TARGET_MISMATCH',
    message: expect.stringContaining('Expected the target to have processes, got threads.') as string,
  })
})

it('strikes a busy thread of tinypool, refuses one that sleeps, and leaves no listener on it', async () => {
  const pool = new Tinypool({ filename: taskFile, minThreads: 1, maxThreads: 1 })
  const target = (): never => pool.threads as never
  try {
    await pool.run({ id: 1 })
    const { thread } = pool.threads[0] as unknown as { readonly thread: Worker }
    const before = thread.listenerCount('exit')
    await expect(inject(exitWorker(), target)).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
      message: expect.stringContaining('sleeps in `Atomics.wait`') as string,
    })
    expect(thread.listenerCount('exit')).toBe(before)
    expect(await pool.run({ id: 2 })).toBe(2)
    const lost = expect(pool.run({ id: 3, forMs: 60_000 })).rejects.toThrow('Injected crash')
    const { evidence } = await inject(crashWorker(), target)
    expect(evidence).toMatchObject([{ exitCode: 1, error: 'Injected crash' }])
    await lost
  } finally {
    await pool.destroy()
  }
})

it('hears of an exit although a listener before it throws', async () => {
  const one = Object.assign(new EventEmitter(), {
    pid: 1,
    exitCode: null,
    signalCode: null,
    kill(): boolean {
      expect(() => one.emit('exit', null, 'SIGKILL')).toThrow('as tinypool does')
      return true
    },
  })
  one.on('exit', () => {
    throw new Error('as tinypool does')
  })
  const { evidence } = await inject(signalProcess({ signal: 'SIGKILL' }), one)
  expect(evidence).toMatchObject([{ endedBy: 'SIGKILL' }])
})
