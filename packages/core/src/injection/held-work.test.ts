import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { HeldWorkQueue } from './held-work.js'
import { manualClock } from '../testing/manual-clock.js'

function held(): {
  clock: ReturnType<typeof manualClock>
  queue: HeldWorkQueue
  ran: string[]
  onEmpty: ReturnType<typeof vi.fn>
  push: (name: string) => () => void
} {
  const clock = manualClock()
  const onEmpty = vi.fn()
  const ran: string[] = []
  return { clock, queue: new HeldWorkQueue(clock, onEmpty), ran, onEmpty, push: (name) => () => void ran.push(name) }
}

/** Collects what ends as an uncaught exception instead of letting it end the test run. */
function uncaught(): unknown[] {
  const errors: unknown[] = []
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => errors.push(error))
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException')
    for (const listener of listeners) process.on('uncaughtException', listener)
  })
  return errors
}

describe('HeldWorkQueue', () => {
  it('runs work when its time is up, not before', async () => {
    const { clock, queue, ran, push, onEmpty } = held()
    queue.hold({ afterMs: 100, run: push('a') })
    await clock.advance(99)
    expect(ran).toEqual([])
    await clock.advance(1)
    expect(ran).toEqual(['a'])
    expect(onEmpty).toHaveBeenCalledTimes(1)
    expect(clock.pending).toBe(0)
  })

  it('keeps work of one key in order, whatever the delays, and lets other keys pass', async () => {
    const { clock, queue, ran, push } = held()
    queue.hold({ afterMs: 100, order: 'tick', run: push('slow') })
    queue.hold({ afterMs: 10, order: 'tick', run: push('fast') })
    queue.queue({ order: 'tick', run: push('queued') })
    queue.hold({ afterMs: 10, order: 'tock', run: push('other') })
    await clock.advance(50)
    expect(ran).toEqual(['other'])
    await clock.advance(50)
    expect(ran).toEqual(['other', 'slow', 'fast', 'queued'])
    expect(queue.isHolding('tick')).toBe(false)
  })

  it('lets work without a key overtake', async () => {
    const { clock, queue, ran, push } = held()
    queue.hold({ afterMs: 100, run: push('slow') })
    queue.hold({ afterMs: 10, run: push('fast') })
    await clock.advance(100)
    expect(ran).toEqual(['fast', 'slow'])
  })

  it('releases everything at once, oldest first, then work that joins meanwhile', () => {
    const { clock, queue, ran, push } = held()
    queue.hold({
      afterMs: 1_000,
      order: 'tick',
      run: () => {
        ran.push('first')
        expect(queue.isHolding('tick')).toBe(true)
        queue.queue({ order: 'tick', run: push('joined') })
      },
    })
    queue.hold({ afterMs: Infinity, run: push('endless') })
    queue.hold({ afterMs: 1_000, order: 'tick', run: push('second') })
    queue.release()
    expect(ran).toEqual(['first', 'endless', 'second', 'joined'])
    expect(queue.size).toBe(0)
    expect(clock.pending).toBe(0)
    expect(queue.isHolding('tick')).toBe(false)
  })

  it('adds work that arrives while a line drains to its tail', async () => {
    const { clock, queue, ran, push } = held()
    queue.hold({
      afterMs: 10,
      order: 'tick',
      run: () => {
        ran.push('first')
        queue.queue({ order: 'tick', run: push('joined') })
      },
    })
    queue.hold({ afterMs: 10, order: 'tick', run: push('second') })
    await clock.advance(10)
    expect(ran).toEqual(['first', 'second', 'joined'])
  })

  it('runs the rest and reports the error if one run throws', async () => {
    const errors = uncaught()
    const { clock, queue, ran, push } = held()
    const error = new Error('listener')
    queue.hold({
      afterMs: 10,
      order: 'tick',
      run: () => {
        throw error
      },
    })
    queue.hold({ afterMs: 10, order: 'tick', run: push('next') })
    await clock.advance(10)
    expect(ran).toEqual(['next'])
    expect(errors).toEqual([error])
  })

  it('abandons work when its own signal aborts, and runs the work that waited behind it', async () => {
    const { clock, queue, ran, push } = held()
    const caller = new AbortController()
    const abandon = vi.fn()
    queue.hold({ afterMs: Infinity, order: 'get', run: push('hung'), abandon, signal: caller.signal })
    queue.queue({ order: 'get', run: push('behind') })
    caller.abort('enough')
    expect(abandon).toHaveBeenCalledExactlyOnceWith('enough')
    expect(ran).toEqual(['behind'])
    expect(queue.size).toBe(0)
    await clock.advance(1)
    queue.hold({ afterMs: 10, run: push('late'), abandon, signal: caller.signal })
    expect(abandon).toHaveBeenCalledTimes(2)
    expect(queue.size).toBe(0)
  })

  it('runs work that comes after the release at once', () => {
    const { clock, queue, ran, push } = held()
    queue.release()
    queue.hold({ afterMs: Infinity, run: push('endless') })
    queue.hold({ afterMs: 1_000, order: 'tick', run: push('late') })
    queue.queue({ order: 'tick', run: push('queued') })
    expect(ran).toEqual(['endless', 'late', 'queued'])
    expect([queue.size, clock.pending]).toEqual([0, 0])
  })

  it('runs the work behind abandoned work even if abandoning throws', async () => {
    const errors = uncaught()
    const { queue, ran, push } = held()
    const caller = new AbortController()
    const error = new Error('abandon')
    queue.hold({
      afterMs: Infinity,
      order: 'get',
      run: push('hung'),
      abandon: () => {
        throw error
      },
      signal: caller.signal,
    })
    queue.queue({ order: 'get', run: push('behind') })
    caller.abort()
    expect(ran).toEqual(['behind'])
    await vi.waitFor(() => expect(errors).toEqual([error]))
  })

  it('does not abandon work that has run', async () => {
    const { clock, queue, push } = held()
    const caller = new AbortController()
    const abandon = vi.fn()
    queue.hold({ afterMs: 10, run: push('done'), abandon, signal: caller.signal })
    await clock.advance(10)
    caller.abort()
    expect(abandon).not.toHaveBeenCalled()
  })

  it('runs work in the async context of its caller', async () => {
    const { clock, queue } = held()
    const request = new AsyncLocalStorage<string>()
    onTestFinished(() => request.disable())
    const contexts: (string | undefined)[] = []
    for (const id of ['a', 'b'])
      request.run(id, () => queue.hold({ afterMs: 10, order: 'tick', run: () => contexts.push(request.getStore()) }))
    await clock.advance(10)
    expect(contexts).toEqual(['a', 'b'])
  })

  it('lets the holder run work early, once, and then runs the work behind it', async () => {
    const { clock, queue, ran, push, onEmpty } = held()
    const first = queue.hold({ afterMs: 100, order: 'tick', run: push('a') })
    const second = queue.hold({ afterMs: 100, order: 'tick', run: push('b') })
    queue.queue({ order: 'tick', run: push('c') })
    second.run()
    second.run()
    expect(ran).toEqual(['b'])
    first.run()
    expect(ran).toEqual(['b', 'a', 'c'])
    expect(onEmpty).toHaveBeenCalledTimes(1)
    await clock.advance(100)
    expect([ran.length, clock.pending, queue.isHolding('tick')]).toEqual([3, 0, false])
  })

  it('lets the holder drop work, and then runs the work behind it', async () => {
    const { clock, queue, ran, push } = held()
    const first = queue.hold({ afterMs: 100, order: 'tick', run: push('a') })
    const free = queue.hold({ afterMs: 100, run: push('b') })
    queue.queue({ order: 'tick', run: push('c') })
    first.drop()
    free.drop()
    expect([ran, queue.size, clock.pending]).toEqual([['c'], 0, 0])
    first.run()
    await clock.advance(100)
    expect(ran).toEqual(['c'])
  })

  it('lets running work run other work of its key, in any order', async () => {
    const { clock, queue, ran, push } = held()
    const later: ReturnType<typeof queue.hold>[] = []
    queue.hold({
      afterMs: 100,
      order: 'tick',
      run: () => {
        for (const one of [...later].reverse()) one.run()
        ran.push('a')
      },
    })
    later.push(
      queue.hold({ afterMs: 500, order: 'tick', run: push('b') }),
      queue.hold({ afterMs: 500, order: 'tick', run: push('c') }),
    )
    await clock.advance(100)
    expect([ran, queue.size, clock.pending]).toEqual([['c', 'b', 'a'], 0, 0])
  })

  describe('loses work', () => {
    const closed = { isGone: () => true }

    it.each<[string, (queue: HeldWorkQueue, clock: ReturnType<typeof manualClock>) => unknown]>([
      ['when its time comes', (_queue, clock) => clock.advance(10)],
      ['when the fault is taken back', (queue) => queue.release()],
    ])('whose channel was closed meanwhile, %s', async (_when, end) => {
      const clock = manualClock()
      const onLost = vi.fn()
      const queue = new HeldWorkQueue(clock, vi.fn(), onLost)
      const ran: string[] = []
      let isGone = false
      const on = { isGone: () => isGone }
      queue.hold({ afterMs: 10, on, order: 'tick', run: () => ran.push('a'), lose: () => ran.push('a is lost') })
      queue.queue({ on, order: 'tick', run: () => ran.push('b') })
      queue.hold({ afterMs: 10, run: () => ran.push('c') })
      isGone = true
      await end(queue, clock)
      expect(ran.sort()).toEqual(['a is lost', 'c'])
      expect(onLost.mock.calls).toEqual([[], []])
      expect([queue.size, queue.isHolding('tick'), clock.pending]).toEqual([0, false, 0])
    })

    it('that comes after the release, if its channel is closed', () => {
      const onLost = vi.fn()
      const queue = new HeldWorkQueue(manualClock(), vi.fn(), onLost)
      queue.release()
      const [run, lose] = [vi.fn(), vi.fn()]
      queue.hold({ afterMs: 10, on: closed, run, lose })
      expect([run, lose, onLost].map(({ mock }) => mock.calls.length)).toEqual([0, 1, 1])
    })

    it('that fails, and passes the error to the holder: a library that throws does not end the process', async () => {
      const errors = uncaught()
      const onLost = vi.fn()
      const clock = manualClock()
      const queue = new HeldWorkQueue(clock, vi.fn(), onLost)
      const [failure, fail, behind] = [new Error('Channel closed'), vi.fn(), vi.fn()]
      const run = (): never => {
        throw failure
      }
      queue.hold({ afterMs: 10, order: 'tick', run, fail })
      queue.queue({ order: 'tick', run: behind })
      await clock.advance(10)
      await new Promise((resolve) => setImmediate(resolve))
      expect([fail.mock.calls, onLost.mock.calls, behind.mock.calls]).toEqual([[[failure]], [[failure]], [[]]])
      expect(errors).toEqual([])
    })
  })
})

it('loses work whose resource throws when asked whether it is gone', async () => {
  const errors = uncaught()
  const lost = vi.fn()
  const clock = manualClock()
  const queue = new HeldWorkQueue(clock, () => undefined, lost)
  const run = vi.fn()
  const isGone = (): boolean => {
    throw new TypeError('of what a client no longer has')
  }
  queue.hold({ afterMs: 10, run, on: { isGone } })
  await clock.advance(10)
  await new Promise(setImmediate)
  expect([run.mock.calls.length, lost.mock.calls.length, errors]).toEqual([0, 1, []])
})
