import assert from 'node:assert/strict'
import { delayCalls } from '@chaos/adapter'
import { explore } from '@chaos/test'
import { terminateWorker } from '@chaos/worker'
import { Piscina } from 'piscina'
import { settled, shared, type Subject } from './subject.js'

const TASKS = 3

/** piscina, with the task of its first example. */
export const piscinaSubject: Subject = {
  name: 'piscina',
  promise: 'Each task ends with its own answer or an error, and the pool replaces threads that die and works on.',
  servers: [],
  isSteady: false,
  async explore(how) {
    let pool: Piscina | undefined
    const made = (): Piscina =>
      new Piscina({ filename: new URL('./piscina-task.mjs', import.meta.url).href, minThreads: 1, maxThreads: 2 })
    try {
      return await explore(
        {
          ...shared(how),
          name: 'piscina',
          reset: async () => {
            await pool?.destroy()
            pool = made()
          },
          targets: () => ({ pool: pool ?? made() }),
          faults: { pool: [delayCalls({ methods: 'run', delayMs: 1 }), terminateWorker] },
        },
        async ({ targets: { pool } }) => {
          const answers = await Promise.all(
            Array.from({ length: TASKS }, (_, a) => settled(pool.run({ a, b: 1, forMs: 5 }) as Promise<unknown>)),
          )
          for (const [a, answer] of answers.entries()) if ('value' in answer) assert.equal(answer.value, a + 1)
          // Past the faults of this target, which cover the member of the pool and not the one of its class.
          assert.equal(await Piscina.prototype.run.call(pool, { a: 4, b: 6, forMs: 0 }), 10)
          assert.equal(pool.queueSize, 0)
        },
      )
    } finally {
      await pool?.destroy()
    }
  },
}
