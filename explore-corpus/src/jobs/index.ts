import assert from 'node:assert/strict'
import { delayCalls, failAfterCall, refuseCalls } from '@chaos/adapter'
import { killMidTask } from '@chaos/worker'
import { calm } from '../shared/calm.js'
import { corpusApp, runningApp } from '../shared/corpus-app.js'
import { testTime } from '../shared/time.js'
import { Receipts } from './receipts.js'
import { JobQueue, Ledger, Pool, type Job } from './services.js'
import { LEASE_MS, Workers, type JobsBug } from './workers.js'

const JOBS: readonly Job[] = [
  { id: 'a1', account: 'a' },
  { id: 'a2', account: 'a' },
]

const WORKERS = 2

/** A job queue with a pool of connections and a pool of threads. */
export const jobs = corpusApp<JobsBug>({
  name: 'jobs',
  bugs: {
    'connection-leaked': {
      story:
        'After a failure, a connection goes back to the pool once the job is back in the queue. If that fails too, it never does.',
      revealedBy: [
        { target: 'ledger', operation: 'post', call: 1, fault: 'adapter/refuse-calls' },
        { target: 'queue', operation: 'giveBack', call: 1, fault: 'adapter/refuse-calls' },
      ],
    },
    'task-lost': {
      story: 'A job is handed out for ever. If the reply is lost, nobody does it.',
      revealedBy: [{ target: 'queue', operation: 'claim', call: 1, fault: 'adapter/fail-after-call' }],
    },
    'check-then-act': {
      story:
        'A worker looks whether a job is posted, then posts it. Two workers do both at once when the first is slow.',
      revealedBy: [{ target: 'ledger', operation: 'post', call: 1, fault: 'adapter/delay-calls' }],
    },
    'requeued-at-the-end': {
      story: 'A failed job goes to the end of the queue, and a later job of its account overtakes it.',
      revealedBy: [{ target: 'ledger', operation: 'post', call: 1, fault: 'adapter/refuse-calls' }],
    },
    'worker-ends-with-an-error': {
      story: 'A worker that cannot report a job ends with the error, and with it all the work.',
      revealedBy: [{ target: 'queue', operation: 'complete', call: 1, fault: 'adapter/refuse-calls' }],
    },
    'thread-dies-unheard': {
      story: 'A thread that dies takes its task along. Who waits for it waits for ever, with a job and a connection.',
      revealedBy: [{ target: 'threads', operation: 'task', call: 1, fault: 'worker/kill-mid-task' }],
    },
  },
  make(bugs) {
    const receipts = new Receipts(WORKERS)
    // A thread works, and dies, in real time. Meanwhile the time of the app stands still.
    const time = testTime(() => receipts.isBusy)
    const services = { queue: new JobQueue(() => time.now()), pool: new Pool(WORKERS), ledger: new Ledger(), receipts }
    const { queue, pool, ledger } = services
    const lost = [refuseCalls(), failAfterCall()]
    return runningApp({
      targets: { queue, pool, ledger, threads: receipts.threads },
      faults: {
        queue: lost,
        pool: [refuseCalls({ methods: 'acquire' })],
        ledger: [
          refuseCalls(),
          failAfterCall({ methods: 'post' }),
          delayCalls({ methods: 'post', delayMs: LEASE_MS + 50 }),
        ],
        threads: [killMidTask()],
      },
      clock: time.clock,
      async body() {
        const sut = new Workers(services, time, bugs)
        const add = async (): Promise<void> => {
          for (const job of JOBS) await queue.add(job)
        }
        // A client that gets an error adds its jobs again later.
        await time.run(add).catch(() => undefined)
        await time.run(() => sut.drain(WORKERS, LEASE_MS + 10))
        await calm(async () => {
          await time.run(add)
          await time.run(() => sut.drain(WORKERS, 500))
        })
        assert.equal(queue.length, 0, 'jobs that are left')
        assert.deepEqual(
          ledger.receipts,
          JOBS.map(({ id }) => `receipt of ${id}`),
          'postings of the account',
        )
        assert.equal(pool.inUse, 0, 'connections that are in use')
      },
      reset() {
        time.reset()
        for (const service of Object.values(services)) service.reset()
      },
      close: () => receipts.close(),
    })
  },
})
