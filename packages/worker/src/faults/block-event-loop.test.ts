import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { Session } from 'node:inspector'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Worker } from 'node:worker_threads'
import { inject, type Injection } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { ECHO, makeWorker, seenBlocked, startWorker } from '../../test/support.js'
import { blockEventLoop } from './block-event-loop.js'

const answers = async (worker: Worker): Promise<void> => {
  worker.postMessage('there?')
  expect(await once(worker, 'message')).toEqual(['there?'])
}

describe('blockEventLoop', () => {
  it('blocks a worker fully while this thread runs on, and releases it at once', async () => {
    // Periods by the manual clock: on a loaded machine one in real time may be told too late, and then the worker comes free.
    const clock = manualClock()
    const worker = await startWorker(ECHO)
    const injection = await inject(blockEventLoop({ periodMs: 60_000 }), worker, { clock, leaseMs: 600_000 })
    await clock.advance(60_000)
    await vi.waitFor(() => expect(injection.affected).toBe(1))
    await seenBlocked(worker)
    let isAnswered = false
    worker.once('message', () => (isAnswered = true))
    worker.postMessage('waits')
    const { affected } = injection
    await clock.advance(180_000)
    expect(injection.affected).toBeGreaterThan(affected + 2)
    await seenBlocked(worker)
    expect(isAnswered).toBe(false)
    await injection.rollback()
    await vi.waitFor(() => expect(isAnswered).toBe(true))
    await answers(worker)
  })

  it('blocks for a share of the time: the worker still answers, late', async () => {
    const worker = await startWorker(ECHO)
    const injection = await inject(blockEventLoop({ periodMs: 40, duty: 0.5 }), worker)
    await vi.waitFor(() => expect(injection.affected).toBeGreaterThan(5))
    await answers(worker)
    expect(worker.performance.eventLoopUtilization().active).toBeGreaterThan(40)
    await injection.rollback()
  })

  it('blocks replacements too, and only chosen workers', async () => {
    let current = await startWorker(ECHO)
    const live = await inject(blockEventLoop({ periodMs: 10 }), () => current)
    await seenBlocked(current)
    await current.terminate()
    current = makeWorker(ECHO)
    await seenBlocked(current)
    await live.rollback()

    const [chosen, other] = [await startWorker(ECHO, { name: 'chosen' }), await startWorker(ECHO, { name: 'other' })]
    await using _named: Injection = await inject(blockEventLoop({ periodMs: 10, name: 'chosen' }), [chosen, other])
    await seenBlocked(chosen)
    await answers(other)
  })

  it('lasts until the end of the period that spends its limit', async () => {
    const clock = manualClock()
    const worker = await startWorker(ECHO)
    const injection = await inject(blockEventLoop({ periodMs: 60_000, duty: 1 }), worker, {
      clock,
      limit: 1,
      leaseMs: 600_000,
    })
    await clock.advance(60_000)
    await vi.waitFor(() => expect([injection.affected, injection.status]).toEqual([1, 'active']))
    await seenBlocked(worker)
    await clock.advance(60_000)
    expect((await injection.done).outcome).toBe('limit-spent')
    await answers(worker)
  })

  it('runs again by itself if the block is not renewed', async () => {
    const clock = manualClock()
    const worker = await startWorker(ECHO)
    const injection = await inject(blockEventLoop({ periodMs: 300 }), worker, { clock })
    await clock.advance(300)
    // The clock stands still from here on, as that of a holder that hangs does.
    const answered = once(worker, 'message')
    worker.postMessage('there?')
    await seenBlocked(worker)
    expect(await answered).toEqual(['there?'])
    expect(injection.status).toBe('active')
    await injection.rollback()
  })

  it('overlaps with another one, and ends when both have ended', async () => {
    const worker = await startWorker(ECHO)
    const [first, second] = [
      await inject(blockEventLoop({ periodMs: 10 }), worker),
      await inject(blockEventLoop({ periodMs: 10 }), worker),
    ]
    await seenBlocked(worker)
    await first.rollback()
    await seenBlocked(worker)
    await second.rollback()
    await answers(worker)
  })

  /** A worker that answers with how many channels are open in it. */
  const COUNTS_CHANNELS = `
    const { parentPort: port, workerData } = require('node:worker_threads')
    const open = new Set()
    globalThis.BroadcastChannel = class extends BroadcastChannel {
      constructor(name) { super(name); open.add(this) }
      close() { open.delete(this); super.close() }
    }
    port.on('message', () => port.postMessage(open.size))`
  const openIn = async (worker: Worker): Promise<unknown> => {
    worker.postMessage('how many?')
    return ((await once(worker, 'message')) as [unknown])[0]
  }

  it('closes the channel that it opened in a worker', async () => {
    const worker = await startWorker(COUNTS_CHANNELS)
    const injection = await inject(blockEventLoop({ periodMs: 20, duty: 0.1 }), worker)
    await vi.waitFor(async () => expect(await openIn(worker)).toBe(1))
    await injection.rollback()
    await vi.waitFor(async () => expect(await openIn(worker)).toBe(0))
  })

  it('restores a worker that did not yield before the end', async () => {
    const clock = manualClock()
    const workerData = new Int32Array(new SharedArrayBuffer(4))
    const worker = await startWorker(
      `${COUNTS_CHANNELS}; setImmediate(() => { while (Atomics.load(workerData, 0) === 0); })`,
      {
        workerData,
      },
    )
    const injection = await inject(blockEventLoop({ periodMs: 60_000 }), worker, { clock, leaseMs: 600_000 })
    await clock.advance(60_000)
    const over = injection.rollback()
    Atomics.store(workerData, 0, 1)
    expect((await over).failures).toEqual([])
    await vi.waitFor(async () => expect(await openIn(worker)).toBe(0))
  })

  it('uses the inspector at the start only, however many periods there are', async () => {
    const post = vi.spyOn(Session.prototype, 'post')
    const sent = (): number =>
      post.mock.calls.filter(([method]) => (method as string) === 'NodeWorker.sendMessageToWorker').length
    const clock = manualClock()
    const worker = await startWorker(ECHO)
    const injection = await inject(blockEventLoop({ periodMs: 60_000 }), worker, { clock, leaseMs: 60_000_000 })
    await clock.advance(60_000)
    await vi.waitFor(() => expect(injection.affected).toBe(1))
    const before = sent()
    await clock.advance(6_000_000)
    expect(injection).toMatchObject({ affected: 101, account: { unread: 0 } })
    await seenBlocked(worker)
    await injection.rollback()
    expect(before).toBeGreaterThan(0)
    expect(sent()).toBe(before)
  })

  /** A worker that sleeps on each message until it is woken, and says when it is about to. */
  async function startSleeper(): Promise<{ sleep(): Promise<void>; wake(): void; readonly worker: Worker }> {
    const shared = new Int32Array(new SharedArrayBuffer(4))
    const worker = await startWorker(
      `const { parentPort: port, workerData } = require('node:worker_threads')
      port.on('message', () => { port.postMessage('sleeps'); Atomics.wait(workerData, 0, 0); Atomics.store(workerData, 0, 0) })`,
      { workerData: shared },
    )
    return {
      worker,
      async sleep() {
        worker.postMessage('sleep')
        await once(worker, 'message')
      },
      wake() {
        Atomics.store(shared, 0, 1)
        Atomics.notify(shared, 0)
      },
    }
  }

  it('counts no period of a worker that sleeps, and blocks it once it wakes', async () => {
    const clock = manualClock()
    const { worker, sleep, wake } = await startSleeper()
    const injection = await inject(blockEventLoop({ periodMs: 60_000 }), worker, { clock, leaseMs: 600_000 })
    await sleep()
    await clock.advance(300_000)
    expect(injection).toMatchObject({ seen: 0, affected: 0, landedAt: undefined, account: { unread: 4 } })
    wake()
    await vi.waitFor(() => expect(injection).toMatchObject({ seen: 1, affected: 1 }))
    await seenBlocked(worker)
    await injection.rollback()
  })

  it('refuses workers that all sleep, and hits the one that does not', async () => {
    const { worker, sleep, wake } = await startSleeper()
    await sleep()
    await expect(inject(blockEventLoop(), [worker])).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
      message: expect.stringContaining(`Worker thread ${worker.threadId} sleeps in \`Atomics.wait\``) as string,
    })
    const awake = await startWorker(ECHO)
    const clock = manualClock()
    const injection = await inject(blockEventLoop({ periodMs: 60_000 }), [worker, awake], { clock, leaseMs: 600_000 })
    await clock.advance(60_000)
    await vi.waitFor(() => expect(injection).toMatchObject({ seen: 1, affected: 1 }))
    await seenBlocked(awake)
    await injection.rollback()
    wake()
  })

  it('decides each period once, and leaves the worker alone in those that are not chosen', async () => {
    const clock = manualClock()
    const worker = await startWorker(ECHO)
    const injection = await inject(blockEventLoop({ periodMs: 60_000 }), worker, { clock, rate: 0, leaseMs: 600_000 })
    for (let period = 1; period <= 5; period += 1) {
      await clock.advance(60_000)
      await vi.waitFor(() => expect(injection.seen).toBe(period))
      await answers(worker)
    }
    expect(injection).toMatchObject({ affected: 0, passed: 5, account: { unread: 0 } })
    await injection.rollback()
  })

  it('does not outlive a worker that is terminated meanwhile', async () => {
    const worker = await startWorker(ECHO)
    const injection = await inject(blockEventLoop({ periodMs: 10 }), worker)
    await seenBlocked(worker)
    await worker.terminate()
    expect((await injection.rollback()).failures).toEqual([])
  })

  it('does not crash the process when its workers are terminated, as it did on Node.js 18 and 20', async () => {
    const script = fileURLToPath(new URL('../../test/terminated-while-blocked.mjs', import.meta.url))
    expect(await promisify(execFile)(process.execPath, [script])).toMatchObject({ stdout: 'alive\n', stderr: '' })
  })

  it('refuses options that contradict each other, and a target without a worker', async () => {
    expect(() => blockEventLoop({ select: 'busiest' })).toThrow('does not accept `select: busiest`')
    expect(() => blockEventLoop({ duty: 1.5 })).toThrow(
      'Expected `duty` of worker/block-event-loop to be a number from 0 to 1, got `1.5`.',
    )
    await expect(inject(blockEventLoop(), () => [])).rejects.toMatchObject({ code: 'CHAOS_NO_LIVE_WORKER' })
  })
})
