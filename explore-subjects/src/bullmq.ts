import assert from 'node:assert/strict'
import { failAfterCall, refuseCalls } from '@chaos/adapter'
import { bindIoredis } from '@chaos/adapter/ioredis'
import { failListeners, loseAcks } from '@chaos/eventbus'
import { bindBullmq } from '@chaos/eventbus/bullmq'
import { ownRedis } from '@chaos/test-servers'
import { explore } from '@chaos/test'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { setTimeout as pause } from 'node:timers/promises'
import { settled, shared, type Subject } from './subject.js'

const POLL_MS = 10

/** BullMQ, with a job that may be tried again, and short times until a job counts as stalled. */
export const bullmqSubject: Subject = {
  name: 'BullMQ',
  promise: 'A job whose `add` is confirmed completes, or fails after its attempts, and is not processed twice.',
  servers: ['redis-server'],
  isSteady: false,
  async explore(how) {
    const server = await ownRedis()
    const connect = (): Redis => new Redis({ host: '127.0.0.1', port: server.port, maxRetriesPerRequest: null })
    const connections = [connect(), connect(), connect()] as const
    const [ofQueue, ofWorker, ofControl] = connections
    const control = new Queue('jobs', { connection: ofControl })
    let scene: { readonly queue: Queue; readonly worker: Worker } | undefined
    let processed = 0
    const close = async (): Promise<void> => {
      await scene?.worker.close(true)
      await scene?.queue.close()
    }
    const open = () => {
      const queue = new Queue('jobs', { connection: ofQueue })
      const worker = new Worker(
        'jobs',
        async () => {
          processed += 1
          return Promise.resolve('done')
        },
        { connection: ofWorker, lockDuration: 500, stalledInterval: 200, maxStalledCount: 2, autorun: false },
      )
      worker.on('error', () => undefined)
      queue.on('error', () => undefined)
      return { queue, worker }
    }
    try {
      return await explore(
        {
          ...shared(how),
          name: 'BullMQ',
          reset: async () => {
            await close()
            await ofControl.flushall()
            processed = 0
            scene = open()
            await scene.worker.waitUntilReady()
          },
          targets: () => {
            const { queue, worker } = scene ?? (scene = open())
            return {
              queueCommands: bindIoredis(ofQueue),
              processor: bindBullmq({ worker }),
              acks: bindBullmq({ worker }),
              scene: { queue, worker },
            }
          },
          faults: {
            queueCommands: [refuseCalls({ error: 'redis/readonly' }), failAfterCall],
            processor: [failListeners],
            acks: [loseAcks],
          },
        },
        async ({ targets, signal }) => {
          const { queue, worker } = targets.scene
          void worker.run()
          const added = await settled(queue.add('greet', {}, { jobId: 'a', attempts: 3 }))
          if ('error' in added) return
          while (!signal.aborted && !(await control.getJob('a').then((job) => job?.finishedOn))) await pause(POLL_MS)
          const state = await control.getJobState('a')
          assert.ok(state === 'completed' || state === 'failed', `the job is ${state}`)
          assert.ok(processed <= 1, `processed ${processed} times`)
          if (state === 'completed') assert.equal(processed, 1, 'completed, and not processed')
        },
      )
    } finally {
      await close()
      await control.close()
      for (const connection of connections) connection.disconnect()
      await server.stop()
    }
  },
}
