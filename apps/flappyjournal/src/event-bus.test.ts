import { EventEmitter } from 'node:events'
import { withFault } from '@chaos/core'
import { dropEvents, duplicateEvents } from '@chaos/eventbus'
import { describe, expect, it, vi } from 'vitest'
import { ConsciousnessEventBus, eventBus } from './event-bus.js'

describe('ConsciousnessEventBus', () => {
  it('calls a handler once an event, however often it was subscribed', () => {
    const bus = new ConsciousnessEventBus()
    const handler = vi.fn()
    bus.subscribe('a', 'tick', handler)
    bus.subscribe('a', 'tick', handler)
    bus.emit('tick', 1)
    expect(handler).toHaveBeenCalledExactlyOnceWith(1)
    bus.unsubscribe('a', 'tick', handler)
    expect(bus.emit('tick', 2)).toBe(false)
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('measures lag to the end of the last handler, and counts what waits', async () => {
    const bus = new ConsciousnessEventBus()
    const lags: number[] = []
    bus.onLag = (lag) => lags.push(lag)
    const gate: { open: () => void } = { open: () => undefined }
    bus.subscribe('slow', 'tick', () => new Promise((resolve) => (gate.open = resolve)))
    bus.subscribe('quick', 'tick', () => undefined)
    bus.emit('tick')
    expect([bus.backlog, lags]).toEqual([1, []])
    gate.open()
    await vi.waitFor(() => expect(lags).toHaveLength(1))
    expect(bus.backlog).toBe(0)
  })

  it('counts a handler that fails as ended, and reports it', async () => {
    const bus = new ConsciousnessEventBus()
    const errors: unknown[] = []
    bus.onHandlerError = (error) => errors.push(error)
    bus.subscribe('a', 'tick', () => Promise.reject(new Error('handler')))
    bus.emit('tick')
    await vi.waitFor(() => expect(errors).toHaveLength(1))
    expect(bus.backlog).toBe(0)
  })

  it('counts an event that is delivered twice once', async () => {
    const bus = new ConsciousnessEventBus()
    const lags: number[] = []
    bus.onLag = (lag) => lags.push(lag)
    const handler = vi.fn()
    bus.subscribe('a', 'tick', handler)
    await withFault(duplicateEvents(), bus, () => {
      bus.emit('tick')
      return vi.waitFor(() => expect(handler).toHaveBeenCalledTimes(2))
    })
    expect([bus.backlog, lags.length]).toEqual([0, 1])
  })

  it('gives up an event that was dropped, in the end', async () => {
    const time = { now: 0 }
    const bus = new ConsciousnessEventBus(() => time.now)
    bus.subscribe('a', 'tick', () => undefined)
    await withFault(dropEvents(), bus, () => bus.emit('tick'))
    expect(bus.backlog).toBe(1)
    time.now = 60_001
    expect([bus.backlog, bus.lost]).toEqual([0, 1])
  })

  it('does not wait for a subscriber that has left, nor for a listener that never says when it has ended', () => {
    const bus = new ConsciousnessEventBus()
    const never = (): Promise<void> => new Promise(() => undefined)
    bus.on('tick', () => undefined)
    bus.subscribe('a', 'tick', never)
    bus.emit('tick')
    expect(bus.backlog).toBe(1)
    bus.unsubscribe('a', 'tick', never)
    expect([bus.backlog, bus.emit('tick'), bus.backlog]).toEqual([0, true, 0])
  })

  it('gives up an event that nobody has handled after a minute, and counts it as lost', () => {
    const time = { now: 0 }
    const bus = new ConsciousnessEventBus(() => time.now)
    bus.subscribe('a', 'tick', () => new Promise(() => undefined))
    bus.emit('tick')
    time.now = 60_000
    bus.emit('tick')
    expect([bus.backlog, bus.lost]).toEqual([2, 0])
    time.now = 60_001
    expect([bus.backlog, bus.lost]).toEqual([1, 1])
  })

  it('keeps the last 100 events, and knows who subscribes', () => {
    const bus = new ConsciousnessEventBus()
    bus.subscribe('journal', 'tick', () => undefined)
    bus.subscribe('health', 'tick', () => undefined)
    for (let n = 0; n < 150; n += 1) bus.emit(n % 2 === 0 ? 'tick' : 'tock', n)
    expect(bus.getEventHistory()).toHaveLength(100)
    expect(bus.getEventHistory('tock').at(-1)?.payload).toBe(149)
    expect(bus.getSubscribers('tick')).toEqual({ tick: ['journal', 'health'] })
    bus.subscribe('watcher', 'module:status', () => undefined)
    bus.broadcastModuleStatus('memory', 'started', { backend: 'level' })
    expect(bus.getEventHistory('module:status').at(-1)?.payload).toMatchObject({
      module: 'memory',
      status: 'started',
      details: { backend: 'level' },
    })
  })

  it('publishes through super.emit, and is one per process', () => {
    expect(Object.getPrototypeOf(ConsciousnessEventBus.prototype)).toBe(EventEmitter.prototype)
    expect(eventBus()).toBe(eventBus())
  })
})
