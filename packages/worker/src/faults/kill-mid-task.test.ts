import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { inject, withScope } from '@chaos/core'
import { Tinypool } from 'tinypool'
import { expect, it, vi } from 'vitest'
import workerpool from 'workerpool'
import { ECHO, isAlive, startWorker } from '../../test/support.js'
import { taskFile, workerpoolFile } from '../../test/task-file.js'
import { trackWorkers } from '../targets/track-workers.js'
import { killMidTask } from './kill-mid-task.js'

/** A thread that says what it does, on a channel that no fault reaches, and answers. */
const TELLING = `const { parentPort: port, BroadcastChannel } = require('node:worker_threads')
port.on('message', (task) => {
  const done = new BroadcastChannel('kill-mid-task')
  done.postMessage(task)
  done.close()
  port.postMessage('done ' + task)
})`

/** What threads have done. */
function effects(): { readonly done: readonly unknown[]; readonly close: () => void } {
  const channel = new BroadcastChannel('kill-mid-task')
  const done: unknown[] = []
  channel.onmessage = ({ data }: MessageEvent) => void done.push(data)
  return { done, close: () => channel.close() }
}

it.each([
  ['start', []],
  ['answer', ['b']],
] as const)('kills a thread at the %s of the task that is chosen', async (when, expected) => {
  const { done, close } = effects()
  const worker = await startWorker(TELLING)
  const { threadId } = worker
  const heard = vi.fn()
  worker.on('message', heard)
  await using kill = await inject(killMidTask({ when }), worker, { skip: 1, limit: 1 })
  worker.postMessage('a')
  await vi.waitFor(() => expect(heard).toHaveBeenCalledWith('done a'))
  const exited = once(worker, 'exit')
  worker.postMessage('b')
  expect(await exited).toEqual([1])
  await vi.waitFor(() => expect(done).toEqual(['a', ...expected]))
  close()
  expect(heard).toHaveBeenCalledTimes(1)
  expect(kill).toMatchObject({ seen: 2, affected: 1, evidence: [{ threadId, when }] })
})

it('takes the answer of the task that is chosen, though others are open', async () => {
  const worker = await startWorker(ECHO)
  const heard: unknown[] = []
  worker.on('message', (message) => heard.push(message))
  await using kill = await inject(killMidTask({ when: 'answer' }), worker, { skip: 1 })
  const exited = once(worker, 'exit')
  for (const task of ['a', 'b', 'c']) worker.postMessage(task)
  await exited
  expect(heard[0]).toBe('a')
  expect(heard).not.toContain('b')
  expect(kill.affected).toBe(2)
})

it.each(['the thread dies by itself', 'the injection ends'])(
  'holds a task until it is answered, or %s',
  async (end) => {
    const worker = await startWorker(
      "const { parentPort: port } = require('node:worker_threads'); port.on('message', (task) => task === 'go' ? port.postMessage('gone') : undefined)",
    )
    const heard = vi.fn()
    worker.on('message', heard)
    await using kill = await inject(killMidTask({ when: 'answer' }), worker, { limit: 1 })
    worker.postMessage('slow')
    expect([kill.held, kill.status]).toEqual([1, 'active'])
    if (end === 'the injection ends') {
      await kill.rollback()
      worker.postMessage('go')
      await vi.waitFor(() => expect(heard).toHaveBeenCalledWith('gone'))
    } else {
      await worker.terminate()
      expect(await kill.done).toMatchObject({ outcome: 'limit-spent' })
    }
    expect(kill).toMatchObject({ held: 0, evidence: [] })
  },
)

it('sees the tasks of threads that start later, each by its scope', async () => {
  const threads = trackWorkers()
  const seen = vi.fn()
  await using kill = await inject(killMidTask(), threads, {
    rate: 0,
    onSeen({ operation, scope, args, call }) {
      seen(operation, scope?.path, args[0], call)
    },
  })
  const [first, second] = [await startWorker(ECHO), await startWorker(ECHO)]
  threads.close()
  await withScope('job 1', () => {
    first.postMessage(1)
    return Promise.resolve()
  })
  second.postMessage(2)
  const other = await startWorker(ECHO)
  other.postMessage(3)
  expect(seen.mock.calls).toEqual([
    ['task', 'job 1', 1, 1],
    ['task', undefined, 2, 1],
  ])
  expect([first, second, other].every(isAlive)).toBe(true)
  expect(kill).toMatchObject({ seen: 2, affected: 0 })
})

it('kills the thread of a workerpool with its task, and the pool goes on with another', async () => {
  const threads = trackWorkers()
  const pool = workerpool.pool(workerpoolFile, { maxWorkers: 1, workerType: 'thread' })
  try {
    await using kill = await inject(killMidTask(), threads, { limit: 1 })
    await expect(pool.exec('task', [{ id: 1 }])).rejects.toThrow('Workerpool Worker terminated Unexpectedly')
    expect(await pool.exec('task', [{ id: 2 }])).toBe(2)
    expect(kill.affected).toBe(1)
  } finally {
    await pool.terminate(true)
    threads.close()
  }
})

it('throws for a task that cannot be cloned, as in health', async () => {
  const worker = await startWorker(ECHO)
  await using _kill = await inject(killMidTask(), worker)
  expect(() => worker.postMessage(() => undefined)).toThrow(
    expect.objectContaining({ name: 'DataCloneError' }) as Error,
  )
})

it('refuses a pool that hands its tasks over by ports of its own, and a function that gives no threads', async () => {
  const pool = new Tinypool({ filename: taskFile, minThreads: 1, maxThreads: 1 })
  try {
    await expect(inject<never>(killMidTask(), pool as never)).rejects.toMatchObject({ code: 'CHAOS_TARGET_MISMATCH' })
  } finally {
    await pool.destroy()
  }
  await expect(inject(killMidTask(), () => [{ name: 'no thread' } as never])).rejects.toMatchObject({
    code: 'CHAOS_TARGET_MISMATCH',
    message: expect.stringContaining('got an object of another kind (Object)') as string,
  })
})

it('leaves the class of all threads as it was', async () => {
  const worker: Worker = await startWorker(ECHO)
  const shape = (): unknown => [
    Object.getOwnPropertyDescriptors(Object.getPrototypeOf(worker)),
    Object.getPrototypeOf(Object.getPrototypeOf(worker)),
    Reflect.ownKeys(worker),
  ]
  const before = shape()
  const kill = await inject(killMidTask(), worker, { rate: 0 })
  worker.postMessage(1)
  await once(worker, 'message')
  expect(shape()).not.toEqual(before)
  await kill.rollback()
  expect(shape()).toEqual(before)
})
