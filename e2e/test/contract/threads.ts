import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import workerThreads, { Worker } from 'node:worker_threads'
import type { Injection } from '@chaos/core'
import { kind, times, type Kind } from './kind.js'

const IDLE = "require('node:worker_threads').parentPort.postMessage('up'); setInterval(() => undefined, 1000)"

async function startWorker(): Promise<Worker> {
  // Small enough that a fault exhausts its heap quickly. What ends it is told as `error`, which needs a listener.
  const worker = new Worker(IDLE, {
    eval: true,
    resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 },
  }).on('error', () => undefined)
  await once(worker, 'message')
  return worker
}

async function startChild(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' })
  await once(child, 'spawn')
  return child
}

/** The worker that is the current one of a supervisor. */
let current: Worker
const made: Worker[] = []

/** Replacements live until they were looked at, so they are not awaited. */
function nextWorker(): Worker {
  current = new Worker(IDLE, { eval: true })
  made.push(current)
  return current
}

async function stopWorkers(): Promise<void> {
  await Promise.all(made.splice(0).map((worker) => worker.terminate()))
}

const seenBy = (injections: readonly Injection[]): number => injections.reduce((sum, { seen }) => sum + seen, 0)

export const threads: readonly Kind[] = [
  kind<Worker>(
    'worker',
    'a worker',
    { target: startWorker, exercise: () => undefined, dispose: (worker) => worker.terminate().then(() => undefined) },
    { faults: ['worker/crash-worker', 'worker/exhaust-heap', 'worker/exit-worker', 'worker/terminate-worker'] },
  ),
  kind<Worker>(
    'worker',
    'the event loop of a worker',
    {
      target: startWorker,
      // A period counts when the worker has read it, in real time.
      async exercise(_worker, count, clock, _meet, inForce) {
        for (let period = 0; period < count; period += 1) {
          const before = seenBy(inForce())
          do {
            await clock.advance(20)
            for (let wait = 0; wait < 100 && inForce().length > 0 && seenBy(inForce()) === before; wait += 1)
              await pause(1)
          } while (inForce().length > 0 && seenBy(inForce()) === before)
        }
      },
      dispose: (worker) => worker.terminate().then(() => undefined),
    },
    { faults: ['worker/block-event-loop'] },
  ),
  kind<() => Worker>(
    'worker',
    'a worker that is replaced',
    {
      target() {
        nextWorker()
        return () => current
      },
      async exercise(_current, count, clock) {
        for (let index = 0; index < count; index += 1) {
          const before = current
          nextWorker()
          await clock.advance(20)
          void before.terminate()
        }
      },
      dispose: stopWorkers,
    },
    { faults: ['worker/kill-returning-workers'] },
  ),
  kind<() => Worker>(
    'worker',
    'a worker that gets tasks',
    {
      target() {
        nextWorker()
        return () => current
      },
      async exercise(_current, count) {
        for (let index = 0; index < count; index += 1) {
          nextWorker().postMessage(index)
          await turn()
        }
      },
      dispose: stopWorkers,
    },
    { faults: ['worker/kill-mid-task'] },
  ),
  kind<typeof workerThreads>('worker', 'node:worker_threads', {
    target: () => workerThreads,
    // What counts is that each was made: its thread is ended before it costs what a start costs.
    exercise: (module, count) => times(count, () => void new module.Worker('', { eval: true }).terminate()),
  }),
  kind<ChildProcess>(
    'worker',
    'a child process',
    { target: startChild, exercise: () => undefined, dispose: (child) => void child.kill('SIGKILL') },
    { faults: ['worker/signal-process'] },
  ),
  kind<ChildProcess>(
    'worker',
    'a child process that runs',
    {
      target: startChild,
      exercise: (_child, count, clock) => clock.advance(count * 20),
      dispose: (child) => void child.kill('SIGKILL'),
    },
    { faults: process.platform === 'linux' ? ['worker/freeze-process'] : [] },
  ),
  kind<NodeJS.Process>(
    'worker',
    'this process',
    { target: () => process, exercise: (_process, count, clock) => clock.advance(count * 20) },
    { faults: ['worker/block-main-thread', 'worker/stress-cpu', 'worker/stress-memory'] },
  ),
]
