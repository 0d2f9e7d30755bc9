import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { explore } from '@chaos/test'
import { killMidTask, trackWorkers, type TrackedWorkers } from '@chaos/worker'
import workerpool from 'workerpool'
import { settled, shared, type Subject } from './subject.js'

const TASKS = 3
const THREADS = 2
/** The task that is left without an answer has no end of its own. */
const DEADLINE_MS = 3_000
const file = fileURLToPath(new URL('workerpool-task.mjs', import.meta.url))

/** A pool, with its threads. */
interface Scene {
  readonly threads: TrackedWorkers
  readonly add: (...args: number[]) => Promise<unknown>
  readonly close: () => Promise<void>
}

async function open(): Promise<Scene> {
  const threads = trackWorkers()
  const pool = workerpool.pool(file, { workerType: 'thread', minWorkers: THREADS, maxWorkers: THREADS })
  const add = async (...args: number[]): Promise<unknown> => pool.exec('add', args)
  // Each thread is up once it has done a task.
  await Promise.all(Array.from({ length: THREADS }, () => add(0, 0, 5)))
  return {
    threads,
    add,
    async close() {
      threads.close()
      await pool.terminate(true)
    },
  }
}

/** workerpool, which does not expose its threads, with a task in a file of its own. */
export const workerpoolSubject: Subject = {
  name: 'workerpool',
  promise: 'Each task ends with its own answer or an error.',
  servers: [],
  isSteady: false,
  async explore(how) {
    let scene: Scene | undefined
    try {
      return await explore(
        {
          ...shared(how),
          deadlineMs: DEADLINE_MS,
          name: 'workerpool',
          reset: async () => {
            await scene?.close()
            scene = await open()
          },
          targets: async () => {
            const pool = (scene ??= await open())
            return { threads: pool.threads, pool }
          },
          faults: { threads: [killMidTask(), killMidTask({ when: 'answer' })] },
        },
        async ({ targets: { pool } }) => {
          const answers = await Promise.all(Array.from({ length: TASKS }, (_, a) => settled(pool.add(a, 1, 5))))
          for (const [a, answer] of answers.entries()) if ('value' in answer) assert.equal(answer.value, a + 1)
        },
      )
    } finally {
      await scene?.close()
    }
  },
}
