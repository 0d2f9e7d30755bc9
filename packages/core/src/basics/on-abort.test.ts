import { EventEmitter, getEventListeners } from 'node:events'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { drop } from '../../test/faults.js'
import { defineFault } from '../fault/define-fault.js'
import { inject } from '../injection/inject.js'
import { onAbort } from './on-abort.js'

import { manualClock } from '../testing/manual-clock.js'

/** The warnings of this process, from now on. They come in a turn of their own. */
function warnings(): () => Promise<string[]> {
  const names: string[] = []
  const onWarning = ({ name }: Error): void => void names.push(name)
  process.on('warning', onWarning)
  onTestFinished(() => void process.off('warning', onWarning))
  return async () => {
    await new Promise((resolve) => setImmediate(resolve))
    return names
  }
}

const hold = defineFault({
  name: 'test/hold-calls',
  kind: 'standing',
  summary: '',
  options: {},
  target: { expects: '', accepts: () => true },
  inject: (store: { get: (signal: AbortSignal) => unknown }, _options, context) => {
    context.patch(
      store,
      'get',
      () => (signal: AbortSignal) =>
        new Promise((resolve, reject) => {
          context.hold({ afterMs: 60_000, run: () => resolve('late'), abandon: reject, signal })
        }),
    )
  },
})

describe('waiting for a signal', () => {
  it('adds one listener to it, for thirty held calls and fifteen injections alike, and leaves none', async () => {
    const warned = warnings()
    const clock = manualClock()
    const { signal } = new AbortController()
    const store = { get: (_signal: AbortSignal): unknown => 'now' }
    const holding = await inject(hold(), store, { clock, signal })
    const calls = Array.from({ length: 30 }, () => store.get(signal))
    const others = await Promise.all(
      Array.from({ length: 15 }, () => inject(drop(), new EventEmitter(), { clock, signal })),
    )
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    await holding.rollback()
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 30 }, () => 'late'))
    for (const other of others) await other.rollback()
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    expect(await warned()).toEqual([])
  })

  it('abandons and ends all of them in order of arrival when it aborts', async () => {
    const clock = manualClock()
    const caller = new AbortController()
    const store = { get: (_signal: AbortSignal): unknown => 'now' }
    const holding = await inject(hold(), store, { clock })
    const calls = Array.from({ length: 12 }, () => store.get(caller.signal) as Promise<unknown>)
    const other = await inject(drop(), new EventEmitter(), { clock, signal: caller.signal })
    const ended = Promise.allSettled(calls)
    caller.abort('enough')
    expect((await ended).every((one) => one.status === 'rejected' && one.reason === 'enough')).toBe(true)
    expect((await other.done).outcome).toBe('aborted')
    expect(holding.held).toBe(0)
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0)
    await holding.rollback()
  })

  it('runs each callback once, skips those that stopped waiting, and runs the rest if one throws', async () => {
    const caught = vi.fn()
    process.once('uncaughtException', caught)
    onTestFinished(() => void process.off('uncaughtException', caught))
    const caller = new AbortController()
    const ran: number[] = []
    onAbort(caller.signal, () => {
      ran.push(1)
      stop()
      throw new Error('first')
    })
    const stop = onAbort(caller.signal, () => ran.push(2))
    onAbort(caller.signal, () => ran.push(3))
    caller.abort()
    stop()
    await new Promise((resolve) => setImmediate(resolve))
    expect(ran).toEqual([1, 3])
    expect(caught).toHaveBeenCalledExactlyOnceWith(new Error('first'), 'uncaughtException')
  })

  it('lets a fault add as many listeners to its signal as it has targets', async () => {
    const warned = warnings()
    const listening = defineFault({
      name: 'test/listen-often',
      kind: 'standing',
      summary: '',
      options: {},
      target: { expects: '', accepts: () => true },
      inject: (_target: object, _options, { signal }) => {
        for (let one = 0; one < 30; one += 1) signal.addEventListener('abort', () => undefined)
      },
    })
    await (await inject(listening(), {})).rollback()
    expect(await warned()).toEqual([])
  })
})

it('stops waiting for a signal that cannot remove a listener', () => {
  const signal = { aborted: false, addEventListener: () => undefined } as unknown as AbortSignal
  const stop = onAbort(signal, () => undefined)
  expect(stop).not.toThrow()
})
