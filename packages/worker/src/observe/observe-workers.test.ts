import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { inject, type ChaosError } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { expect, it, vi } from 'vitest'
import { makeWorker, startWorker } from '../../test/support.js'
import { childFile } from '../../test/task-file.js'
import { signalProcess } from '../faults/signal-process.js'
import { terminateWorker } from '../faults/terminate-worker.js'
import { observeWorkers } from './observe-workers.js'

const SPEAKS =
  "require('node:worker_threads').parentPort.postMessage('starting'); setInterval(() => require('node:worker_threads').parentPort.postMessage('working'), 5)"

/** A supervisor that watches its first worker only: a common mistake. */
function superviseOnce(start: () => Worker, again: boolean): () => Worker {
  let current = start()
  const watch = (worker: Worker): void => {
    worker.once('exit', () => {
      current = start()
      if (again) watch(current)
    })
  }
  watch(current)
  return () => current
}

it('records when a worker died, was replaced, and sent a good message', async () => {
  const target = superviseOnce(() => makeWorker(SPEAKS), true)
  const seen = observeWorkers(target, { isGood: (message) => message === 'working', lookEveryMs: 1 })
  expect([seen.deaths, seen.healed]).toEqual([0, true])
  for (let death = 1; death <= 2; death += 1) {
    await inject(terminateWorker(), target)
    await vi.waitFor(() => expect([seen.deaths, seen.restarts, seen.healed]).toEqual([death, death, true]))
  }
  for (const { diedAt, replacedAt = 0, goodAt = 0 } of seen.recoveries)
    expect([replacedAt >= diedAt, goodAt >= replacedAt]).toEqual([true, true])
  seen.close()
  expect(target().listenerCount('message')).toBe(0)
})

it('catches an unsupervised replacement: its death stays unanswered', async () => {
  const target = superviseOnce(() => makeWorker(SPEAKS), false)
  const seen = observeWorkers(target, { lookEveryMs: 1 })
  await inject(terminateWorker(), target)
  await vi.waitFor(() => expect(seen.healed && seen.restarts === 1).toBe(true))
  await inject(terminateWorker(), target)
  await vi.waitFor(() => expect(seen.deaths).toBe(2))
  expect([seen.restarts, seen.healed]).toEqual([1, false])
  seen.close()
})

it('receives the only message of a replacement that sends it as early as possible', async () => {
  const clock = manualClock()
  let current = await startWorker()
  const seen = observeWorkers(() => current, { clock })
  await clock.advance(1)
  await current.terminate()
  current = await startWorker()
  await clock.advance(8)
  current.emit('message', 'ready')
  await clock.advance(10)
  expect([seen.deaths, seen.restarts, seen.healed]).toEqual([1, 1, true])
  seen.close()
})

it('does not count a replacement that dies before a good message: the next good message ends both outages', async () => {
  const clock = manualClock()
  let current = await startWorker()
  const seen = observeWorkers(() => current, { clock, lookEveryMs: 10, isGood: (message) => message === 'good' })
  for (const speaks of [false, true]) {
    await current.terminate()
    current = await startWorker(
      speaks ? "setInterval(() => require('node:worker_threads').parentPort.postMessage('good'), 5)" : undefined,
    )
    await clock.advance(10)
  }
  await vi.waitFor(() => expect(seen.healed).toBe(true))
  expect(seen.recoveries.map(({ goodAt }) => goodAt)).toEqual([20, 20])
  seen.close()
  expect(clock.pending).toBe(0)
})

it('counts how many restarts come close together', async () => {
  const clock = manualClock()
  let current = await startWorker()
  const seen = observeWorkers(() => current, { clock, intensityMs: 100 })
  for (const pauseMs of [10, 10, 200, 10]) {
    await current.terminate()
    current = await startWorker()
    await clock.advance(pauseMs)
  }
  expect([seen.restarts, seen.unanswered, seen.intensity]).toEqual([4, 0, 3])
  seen.close()
})

it('provides its readings as probes', async () => {
  let current: Worker | undefined = await startWorker()
  const clock = manualClock()
  const seen = observeWorkers(() => current, { clock })
  const [healed, deaths] = [seen.probe('healed'), seen.probe('deaths')]
  expect([healed(), deaths()]).toEqual([true, 0])
  await current.terminate()
  current = undefined
  await clock.advance(10)
  expect([healed(), deaths(), seen.unanswered]).toEqual([false, 1, 1])
  seen.close()
})

it('observes processes as well as threads', async () => {
  let current = fork(childFile)
  await once(current, 'message')
  const seen = observeWorkers(() => current, { isGood: (message) => message === 'up' })
  await inject(signalProcess(), () => current)
  current = fork(childFile)
  await vi.waitFor(() => expect([seen.deaths, seen.restarts, seen.healed]).toEqual([1, 1, true]))
  seen.close()
  current.kill('SIGKILL')
})

it.each<[string, () => unknown, Pick<ChaosError, 'code'>, string]>([
  [
    'no target',
    () => observeWorkers({} as Worker),
    { code: 'CHAOS_TARGET_MISMATCH' },
    'Expected the target of observeWorkers to be one or several Workers, ',
  ],
  [
    'a negative span',
    () => observeWorkers([], { lookEveryMs: -1 }),
    { code: 'CHAOS_INVALID_OPTION' },
    'Expected `lookEveryMs` of observeWorkers to be a whole number of at least 1, got `-1`.',
  ],
  [
    'no function',
    () => observeWorkers([], { isGood: true as never }),
    { code: 'CHAOS_INVALID_OPTION' },
    'Expected `isGood` of observeWorkers to be a function, got `true`.',
  ],
  [
    'a misspelt option',
    () => observeWorkers([], { lookEvry: 5 } as object),
    { code: 'CHAOS_INVALID_OPTION' },
    'Unknown option "lookEvry" of observeWorkers',
  ],
])('refuses %s', (_what, watch, error, words) => {
  expect(watch).toThrow(
    expect.objectContaining({ ...error, message: expect.stringContaining(words) as string }) as Error,
  )
})

it.each([
  [
    'throws',
    () => {
      throw new Error('a mistake in `isGood`')
    },
  ],
  ['returns a promise', () => Promise.reject(new Error('a mistake in `isGood`'))],
])(
  'takes a message on which `isGood` %s for no good one, and throws nothing where it is heard',
  async (_what, isGood) => {
    const target = superviseOnce(() => makeWorker(SPEAKS), true)
    const seen = observeWorkers(target, { lookEveryMs: 1, isGood: isGood as never })
    await inject(terminateWorker(), target)
    await vi.waitFor(() => expect(seen.restarts).toBe(1))
    await new Promise((resolve) => target().once('message', resolve))
    expect(seen.healed).toBe(false)
    seen.close()
  },
)
