import { Job, Queue, Worker, type QueueOptions, type WorkerOptions } from 'bullmq'
import { inject, withFault } from '@chaos/core'
import { hasPrograms, ownRedis, type OwnServer } from '@chaos/test-servers'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { uniqueName } from '../../../test/broker-bus.js'
import { faultTable, type Content } from '../../../test/fault-table.js'
import { corruptEvents } from '../../faults/corrupt-events.js'
import { delayEvents } from '../../faults/delay-events.js'
import { dropEvents } from '../../faults/drop-events.js'
import { duplicateEvents } from '../../faults/duplicate-events.js'
import { failListeners } from '../../faults/fail-listeners.js'
import { lagConsumer } from '../../faults/lag-consumer.js'
import { loseAcks } from '../../faults/lose-acks.js'
import { nackEvents } from '../../faults/nack-events.js'
import { redeliverEvents } from '../../faults/redeliver-events.js'
import { observeDelivery } from '../../oracle/observe-delivery.js'
import { bindBullmq } from './index.js'

/** A telemetry that keeps each span with its state. */
function telemetryInto(spans: [name: string, state: string][]): Pick<QueueOptions, 'telemetry'> {
  const ignored = (): void => undefined
  return {
    telemetry: {
      tracer: {
        startSpan(name) {
          const kept: (typeof spans)[number] = [name, 'open']
          spans.push(kept)
          return {
            setSpanOnContext: (context: unknown) => context,
            setAttribute: ignored,
            setAttributes: ignored,
            addEvent: ignored,
            recordException: () => void (kept[1] = 'failed'),
            end: () => void (kept[1] = kept[1] === 'open' ? 'ended' : kept[1]),
          }
        },
      },
      contextManager: {
        with: (_context: unknown, work) => work() as ReturnType<typeof work>,
        active: () => undefined,
        getMetadata: () => '',
        fromMetadata: () => undefined,
      },
    },
  }
}

describe.runIf(hasPrograms('redis-server'))(
  'BullMQ (skipped without `redis-server`: Debian package redis-server)',
  () => {
    let server: OwnServer
    beforeAll(async () => {
      server = await ownRedis()
    })
    afterAll(() => server.stop())

    /** A queue, and a worker that runs. */
    function queueOf(options: Partial<WorkerOptions> = {}, ofQueue: Partial<QueueOptions> = {}) {
      const connection = { host: '127.0.0.1', port: server.port, maxRetriesPerRequest: null }
      const name = uniqueName('-')
      const queue = new Queue(name, { connection, defaultJobOptions: { attempts: 1_000_000 }, ...ofQueue })
      const got: Job[] = []
      const completed: unknown[] = []
      const worker = new Worker(name, (job) => Promise.resolve(got.push(job)), { connection, ...options })
      worker.on('completed', ({ id }) => completed.push(id))
      return {
        queue,
        worker,
        got,
        completed,
        data: () => got.map((job) => job.data as unknown),
        bus: bindBullmq({ queue, worker }),
        /** Jobs that the server has yet to see completed. */
        left: async (): Promise<number> => {
          const { active = 0, waiting = 0, delayed = 0, failed = 0 } = await queue.getJobCounts()
          return active + waiting + delayed + failed
        },
        close: async () => {
          await worker.close()
          await queue.close()
        },
      }
    }
    /** The same, for a test. */
    const scene: typeof queueOf = (...options) => {
      const made = queueOf(...options)
      onTestFinished(made.close)
      return made
    }

    faultTable('BullMQ', async (title) => {
      // A worker that processes several jobs at once keeps no order in health, and one that processes one at a time has nothing to change places with.
      const { queue, worker, got, bus, close } = queueOf({ concurrency: title === 'reorder' ? 10 : 1 })
      // It has begun to look for stalled jobs, and has run dry once.
      await vi.waitFor(() => expect(Reflect.get(worker, 'stalledCheckStopper')).toBeTypeOf('function'))
      return {
        target: bus,
        name: 'order',
        publish: (content) => queue.add('order', content),
        get got() {
          return got.map((job) => job.data as Content)
        },
        touched: [queue, worker, Queue.prototype, Worker.prototype, Job.prototype],
        redelivers: true,
        asksAnew: () => Promise.resolve(),
        dispose: close,
      }
    })

    it('keeps completing jobs after every kind of fault', async () => {
      const { queue, bus, data, left } = scene()
      for (const fault of [
        dropEvents(),
        failListeners(),
        duplicateEvents(),
        loseAcks({ redeliverAfterMs: 5 }),
        nackEvents({ times: 2 }),
        redeliverEvents(),
        lagConsumer({ processingMs: 1 }),
      ]) {
        await withFault(fault, bus, async (injection) => {
          for (const n of [1, 2, 3]) await queue.add('order', { n })
          await vi.waitFor(() => expect(injection.affected).toBeGreaterThanOrEqual(2))
        })
      }
      await queue.add('order', 'last')
      await vi.waitFor(() => expect(data()).toContain('last'))
      await vi.waitFor(async () => expect(await left()).toBe(0))
    })

    it('lets a job whose completion was lost stall, and be processed again', async () => {
      const { queue, bus, got, left } = scene({ lockDuration: 300, stalledInterval: 100 })
      const injection = await inject(loseAcks(), bus, { limit: 1 })
      await queue.add('order', 1)
      await vi.waitFor(() => expect(got).toHaveLength(2))
      expect(got.map(({ stalledCounter, attemptsStarted }) => [stalledCounter, attemptsStarted])).toEqual([
        [0, 1],
        [1, 2],
      ])
      await vi.waitFor(async () => expect(await left()).toBe(0))
      await injection.rollback()
      expect(got).toHaveLength(2)
    })

    it('gives a job back when the fault ends, which its worker has taken for completed', async () => {
      const { queue, bus, got, completed, left } = scene()
      const injection = await inject(loseAcks(), bus)
      await queue.add('order', 1)
      await vi.waitFor(() => expect(completed).toHaveLength(1))
      expect(await queue.getActiveCount()).toBe(1)
      await injection.rollback()
      await vi.waitFor(() => expect(got).toHaveLength(2))
      await vi.waitFor(async () => expect(await left()).toBe(0))
    })

    it('knows a job again that it has given back, and lets it go after so many times', async () => {
      const { queue, bus, got, left } = scene()
      await withFault(nackEvents({ times: 2 }), bus, async (injection) => {
        await queue.add('order', { n: 1 })
        await vi.waitFor(() => expect(got).toHaveLength(3))
        await vi.waitFor(async () => expect(await left()).toBe(0))
        expect(injection.affected).toBe(2)
      })
    })

    it('tells jobs that are added at once apart, and gives their publisher jobs', async () => {
      const { queue, bus, data } = scene()
      await withFault(dropEvents({ seam: 'publish', where: { n: 1 } }), bus, { only: 'order' }, async (injection) => {
        const jobs = await queue.addBulk([
          { name: 'order', data: { n: 1 } },
          { name: 'order', data: { n: 2 } },
          { name: 'news', data: { n: 1 } },
        ])
        expect(jobs.map((job) => [job instanceof Job, job.name, job.data as unknown])).toEqual([
          [true, 'order', { n: 1 }],
          [true, 'order', { n: 2 }],
          [true, 'news', { n: 1 }],
        ])
        expect(injection.account).toMatchObject({ sent: 1, dropped: 1 })
        await queue.addBulk([{ name: 'news', data: { n: 3 } }])
      })
      await vi.waitFor(() => expect(data()).toHaveLength(3))
      expect(data()).toEqual(expect.arrayContaining([{ n: 2 }, { n: 1 }, { n: 3 }]))
    })

    it('changes what a processor reads and leaves the job, keeps the backlog on the server, and spares other workers', async () => {
      const { queue, bus, data, got } = scene({ name: 'billing' })
      await withFault(corruptEvents({ damage: 'set', at: 'n', value: 9 }), bus, async () => {
        await queue.add('order', { n: 1 })
        await vi.waitFor(() => expect(data()).toEqual([{ n: 9 }]))
      })
      expect(((await queue.getJob(got[0]?.id ?? '')) as Job | undefined)?.data).toEqual({ n: 1 })
      await withFault(delayEvents({ delayMs: 60_000, subscriber: 'shipping' }), bus, async () => {
        await queue.add('order', { n: 2 })
        await vi.waitFor(() => expect(data()).toHaveLength(2))
      })
      await withFault(lagConsumer({ processingMs: 60_000, subscriber: 'billing' }), bus, async (injection) => {
        for (const n of [3, 4, 5]) await queue.add('order', { n })
        await vi.waitFor(() => expect(injection.account).toMatchObject({ held: 1 }))
        expect(await queue.getWaitingCount()).toBe(2)
      })
      await vi.waitFor(() => expect(data().slice(2)).toEqual([{ n: 3 }, { n: 4 }, { n: 5 }]))
    })

    it('is observed: completions that are lost keep at-least-once, and break at-most-once', async () => {
      const { queue, bus, got, completed } = scene()
      const observer = await observeDelivery(bus, { idAt: 'id' })
      await withFault(loseAcks(), bus, { skip: 1 }, async () => {
        for (const id of [1, 2]) await queue.add('order', { id })
        await vi.waitFor(() => expect(completed).toHaveLength(2))
      })
      await vi.waitFor(() => expect(got).toHaveLength(3))
      expect(observer.violation('at-least-once')).toBeUndefined()
      expect(observer.violation('at-most-once')).toMatchObject({ name: 'order', id: 2, subscriber: queue.name })
      await observer.stop()
    })

    it('loses an `add` that is held when the queue closes, and tells its caller', async () => {
      const { queue, bus, data } = scene()
      await queue.waitUntilReady()
      const injection = await inject(delayEvents({ delayMs: 60_000, seam: 'publish' }), bus)
      const adding = queue.add('order', { n: 1 }).then(
        () => 'added',
        (error: unknown) => String(error),
      )
      await vi.waitFor(() => expect(injection.account).toMatchObject({ sent: 1, held: 1 }))
      await queue.close()
      await injection.rollback()
      expect(injection.account).toMatchObject({ sent: 1, held: 0, delivered: 0, dropped: 1 })
      expect(await adding).toContain('Connection is closed')
      expect(data()).toEqual([])
    })

    it('has its telemetry above the fault: the span of `add` lasts as long as the job is held', async () => {
      const spans: [name: string, state: string][] = []
      const { queue, bus, data } = scene({}, telemetryInto(spans))
      const held = await inject(delayEvents({ delayMs: 60_000, seam: 'publish' }), bus)
      const adding = queue.add('order', { n: 1 })
      await vi.waitFor(() => expect(held.account).toMatchObject({ held: 1 }))
      const add = spans.find(([name]) => name.startsWith('add '))
      expect(add?.[1]).toBe('open')
      await held.rollback()
      await adding
      expect(add?.[1]).toBe('ended')
      await vi.waitFor(() => expect(data()).toEqual([{ n: 1 }]))
    })
  },
)
