import diagnostics from 'node:diagnostics_channel'
import { EventEmitter, EventEmitterAsyncResource, on, once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { inject, type Fault, type Injection, type InjectOptions } from '@chaos/core'
import { manualClock, type ManualClock } from '@chaos/core/testing'
import Emittery from 'emittery'
import EventEmitter2 from 'eventemitter2'
import EventEmitter3 from 'eventemitter3'
import mitt from 'mitt'
import { Subject } from 'rxjs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { faultTable, type Content } from '../../test/fault-table.js'
import { delayEvents } from '../faults/delay-events.js'
import { dropEvents } from '../faults/drop-events.js'
import { failListeners } from '../faults/fail-listeners.js'
import { stallListeners } from '../faults/stall-listeners.js'
import type { BusTarget } from './bus-target.js'

async function broken(
  fault: Fault<BusTarget>,
  bus: BusTarget & object,
  how: InjectOptions = {},
): Promise<{ clock: ManualClock; injection: Injection }> {
  const clock = manualClock()
  const injection = await inject(fault, bus, { clock, ...how })
  onTestFinished(async () => {
    await injection.rollback()
  })
  return { clock, injection }
}
/** What the emitters of different libraries have in common. */
interface Emitting {
  on(name: unknown, listener: (...args: unknown[]) => unknown): unknown
  off(name: unknown, listener: (...args: unknown[]) => unknown): unknown
  emit(name: unknown, ...args: unknown[]): unknown
}
const emitting = (bus: object): Emitting => bus as Emitting

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

faultTable('eventemitter2', () => {
  const bus = new EventEmitter2({ wildcard: true })
  const got: Content[] = []
  bus.on('orders.*', (content: Content) => got.push(content))
  // The first event gives the emitter a field of its own: the name of the event under way.
  bus.on('first', () => undefined)
  bus.emit('first')
  return {
    target: bus,
    name: 'orders.new',
    publish: (content) => bus.emit('orders.new', content),
    got,
    touched: [bus, EventEmitter2.prototype],
  }
})

it('takes an emitter with `listenersAny` and no `emitAsync`, as a socket of socket.io, for a plain one', async () => {
  const emitter = new EventEmitter()
  const socket = {
    on: emitter.on.bind(emitter),
    emit: emitter.emit.bind(emitter),
    listeners: emitter.listeners.bind(emitter),
    listenersAny: () => [],
  }
  const got: unknown[] = []
  socket.on('tick', (n) => got.push(n))
  const { injection } = await broken(dropEvents(), socket)
  socket.emit('tick', 1)
  expect([got, injection.affected]).toEqual([[], 1])
})

it.each<[string, object]>([
  ['a diagnostics channel', diagnostics.channel('chaos')],
  ['a tracing channel', diagnostics.tracingChannel('chaos')],
  ['hooks', { hook: () => undefined, callHook: () => undefined }],
  ['a bus that has a subject', { publish: () => undefined, subject$: new Subject() }],
])('refuses %s', async (_what, target) => {
  await expect(broken(dropEvents(), target as BusTarget & object)).rejects.toMatchObject({
    code: 'CHAOS_TARGET_MISMATCH',
  })
})

it('reaches an emitter of an async resource, and those who read an emitter by `on` and `once`', async () => {
  const emitter = new EventEmitterAsyncResource({ name: 'chaos' })
  const got: unknown[] = []
  const next = on(emitter, 'tick')
  void once(emitter, 'tick').then(([n]: unknown[]) => got.push(['once', n]))
  void next.next().then(({ value }) => got.push(['on', ...(value as unknown[])]))
  const { injection } = await broken(dropEvents(), emitter, { limit: 1 })
  emitter.emit('tick', 1)
  emitter.emit('tick', 2)
  await turn()
  expect([got, injection.affected]).toEqual([
    [
      ['on', 2],
      ['once', 2],
    ],
    1,
  ])
  await next.return?.()
})

describe('eventemitter2 with wildcards', () => {
  it('has its listeners broken one by one, with those of patterns and of all events', async () => {
    const bus = new EventEmitter2({ wildcard: true })
    const got: unknown[] = []
    bus.on('orders.*', function lost() {
      got.push('lost')
    })
    bus.once('orders.new', function single(this: { readonly event: string }, n: number) {
      got.push(['single', n, this.event])
    } as never)
    bus.onAny((name, n) => got.push([name, n]))
    const { injection } = await broken(dropEvents({ subscriber: 'lost' }), bus)
    bus.emit('orders.new', 1)
    bus.emit('orders.new', 2)
    expect(got).toEqual([
      ['orders.new', 1],
      ['single', 1, 'orders.new'],
      ['orders.new', 2],
    ])
    expect(injection.account).toMatchObject({ sent: 2, dropped: 2 })
  })

  it.each([
    ['failListeners', failListeners()],
    ['stallListeners', stallListeners({ stallMs: 1 })],
  ])('is hit by %s', async (_name, fault) => {
    const bus = new EventEmitter2({ wildcard: true })
    bus.on('orders.*', () => undefined)
    const { injection } = await broken(fault, bus)
    try {
      bus.emit('orders.new', 1)
    } catch {
      // The listener that fails.
    }
    expect(injection.affected).toBe(1)
  })

  it('settles what emitAsync promises when the event has gone on', async () => {
    const bus = new EventEmitter2()
    const next = (n: number): unknown => Promise.resolve(n + 1)
    bus.on('tick', next)
    const { clock, injection } = await broken(delayEvents({ delayMs: 100 }), bus)
    const emitted = bus.emitAsync('tick', 1)
    await clock.advance(100)
    expect([await emitted, injection.account]).toMatchObject([[2], { sent: 1, delivered: 1 }])
  })
})

describe('an event whose name is a number', () => {
  it.each([
    ['EventEmitter', emitting(new EventEmitter())],
    ['eventemitter3', emitting(new EventEmitter3())],
    ['mitt', emitting(mitt())],
  ])('is covered by its text and by a glob, and held in order: %s', async (_name, bus) => {
    const got: unknown[] = []
    bus.on(404, (n) => got.push(n))
    for (const only of ['404', '404*']) {
      const { clock, injection } = await broken(delayEvents({ delayMs: 100 }), bus, { only, limit: 1 })
      bus.emit(404, 1)
      bus.emit(404, 2)
      bus.emit(405, 3)
      expect([got, injection.seen, injection.queued]).toEqual([[], 2, 1])
      await clock.advance(100)
      expect(got.splice(0)).toEqual([1, 2])
      await injection.rollback()
    }
  })

  it('passes if it has no text', async () => {
    const bus = mitt<Record<string, unknown>>()
    const name = Object.create(null) as string
    const got: unknown[] = []
    bus.on(name, (n) => got.push(n))
    await broken(dropEvents(), bus)
    bus.emit(name, 1)
    expect(got).toEqual([1])
  })
})

/** A way to listen and to stop. */
type Listening = (listener: (value: unknown) => void) => () => void

describe('a listener that stops listening while its event is held', () => {
  const emitter = new EventEmitter()
  const third = new EventEmitter3()
  const second = new EventEmitter2()
  const tiny = mitt<Record<string, unknown>>()
  const ofPromises = new Emittery<Record<string, unknown>>()
  const target = new EventTarget()
  const subject = new Subject<unknown>()
  const { port1, port2 } = new MessageChannel()
  const dataOf = (listener: (value: unknown) => void) => (event: unknown) =>
    listener((event as { data?: unknown }).data)
  const onOff =
    (bus: object): Listening =>
    (listener) => {
      emitting(bus).on('tick', listener)
      return () => void emitting(bus).off('tick', listener)
    }
  const cases: readonly [string, BusTarget & object, (value: unknown) => unknown, Listening][] = [
    ['EventEmitter', emitter, (value) => emitter.emit('tick', value), onOff(emitter)],
    ['eventemitter3', third, (value) => third.emit('tick', value), onOff(third)],
    ['eventemitter2', second, (value) => second.emit('tick', value), onOff(second)],
    ['mitt', tiny, (value) => tiny.emit('tick', value), onOff(tiny)],
    ['emittery', ofPromises, (value) => ofPromises.emit('tick', value), onOff(ofPromises)],
    [
      'EventTarget, removeEventListener',
      target,
      () => target.dispatchEvent(Object.assign(new Event('tick'), { data: 1 })),
      (listener) => {
        const heard = dataOf(listener)
        target.addEventListener('tick', heard)
        return () => target.removeEventListener('tick', heard)
      },
    ],
    [
      'EventTarget, signal',
      target,
      () => target.dispatchEvent(Object.assign(new Event('tick'), { data: 1 })),
      (listener) => {
        const leaving = new AbortController()
        target.addEventListener('tick', dataOf(listener), { signal: leaving.signal })
        return () => leaving.abort()
      },
    ],
    [
      'RxJS',
      subject,
      (value) => subject.next(value),
      (listener) => {
        const subscription = subject.subscribe(listener)
        return () => subscription.unsubscribe()
      },
    ],
    [
      'MessagePort',
      port2,
      (value) => port1.postMessage(value),
      (listener) => {
        port2.on('message', listener)
        return () => void port2.off('message', listener)
      },
    ],
  ]
  it.each(cases)('does not get it, and one that came meanwhile does: %s', async (_name, bus, publish, listen) => {
    const { clock, injection } = await broken(delayEvents({ delayMs: 100 }), bus)
    const got: string[] = []
    const leave = listen(() => got.push('left'))
    const stay = listen(() => got.push('stayed'))
    void publish(1)
    for (let tries = 0; injection.affected === 0 && tries < 1_000; tries += 1) await turn()
    leave()
    const leaveNew = listen(() => got.push('new'))
    await clock.advance(100)
    await turn()
    expect([got, injection.account]).toMatchObject([['stayed', 'new'], { sent: 1, delivered: 1 }])
    stay()
    leaveNew()
    port1.unref()
    port2.unref()
  })

  it.each([
    ['EventEmitter', emitting(new EventEmitter())],
    ['eventemitter3', emitting(new EventEmitter3())],
    ['eventemitter2', emitting(new EventEmitter2())],
  ])('does not get it if the fault is that of one subscriber: %s', async (_name, bus) => {
    const got: unknown[] = []
    const slow = (n: unknown): unknown => got.push(n)
    bus.on('tick', slow)
    const { clock, injection } = await broken(delayEvents({ delayMs: 100, subscriber: 'slow' }), bus)
    bus.emit('tick', 1)
    bus.off('tick', slow)
    await clock.advance(100)
    expect([got, injection.account]).toMatchObject([[], { sent: 1, dropped: 1, held: 0, lost: 1 }])
  })
})

it('keeps the caller of an async emit waiting', async () => {
  class Bus extends (EventEmitter as new () => Omit<EventEmitter, 'emit'>) {
    readonly handlers: ((n: number) => unknown)[] = []
    async emit(_name: string, n: number): Promise<number> {
      await Promise.all(this.handlers.map((handler) => handler(n)))
      return this.handlers.length
    }
  }
  const bus = new Bus()
  const got: number[] = []
  bus.handlers.push((n) => got.push(n))
  const { clock } = await broken(delayEvents({ delayMs: 100 }), bus)
  const emitted = bus.emit('tick', 1)
  await clock.advance(99)
  expect(got).toEqual([])
  await clock.advance(1)
  expect([await emitted, got]).toEqual([1, [1]])
})

it.each<[string, () => (EventTarget | EventEmitter) & { readyState: number }, (bus: never) => unknown]>([
  [
    'EventTarget',
    () => Object.assign(new EventTarget(), { readyState: 1 }),
    (bus: EventTarget) => bus.dispatchEvent(new Event('message')),
  ],
  [
    'EventEmitter',
    () => Object.assign(new EventEmitter(), { readyState: 1 }),
    (bus: EventEmitter) => bus.emit('message', 1),
  ],
])('loses a held message of a web socket that is closed meanwhile: %s', async (_name, make, publish) => {
  const socket = make()
  const got: unknown[] = []
  const heard = (message: unknown): void => void got.push(message)
  if (socket instanceof EventEmitter) socket.on('message', heard)
  else socket.addEventListener('message', heard)
  const { clock, injection } = await broken(delayEvents({ delayMs: 100 }), socket)
  publish(socket as never)
  socket.readyState = 3
  await clock.advance(100)
  expect([got, injection.account]).toMatchObject([[], { sent: 1, dropped: 1, held: 0, lost: 1 }])
})
