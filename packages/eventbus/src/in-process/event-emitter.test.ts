import { EventEmitter, once } from 'node:events'
import { PassThrough, type Readable } from 'node:stream'
import { inject, type Fault, type Injection } from '@chaos/core'
import Emittery from 'emittery'
import EventEmitter3 from 'eventemitter3'
import mitt from 'mitt'
import { describe, expect, it, onTestFinished } from 'vitest'
import { faultTable, type Content } from '../../test/fault-table.js'
import { delayEvents } from '../faults/delay-events.js'
import { dropEvents } from '../faults/drop-events.js'
import { duplicateEvents } from '../faults/duplicate-events.js'
import { bindEmitter } from './event-emitter.js'
import type { BusTarget } from './bus-target.js'

faultTable('EventEmitter', () => {
  const bus = new EventEmitter()
  const got: Content[] = []
  bus.on('orders', (content: Content) => got.push(content))
  return {
    target: bus,
    name: 'orders',
    publish: (content) => bus.emit('orders', content),
    got,
    touched: [bus, EventEmitter.prototype],
  }
})

faultTable('eventemitter3', () => {
  const bus = new EventEmitter3()
  const got: Content[] = []
  bus.on('orders', (content: Content) => got.push(content))
  return {
    target: bus,
    name: 'orders',
    publish: (content) => bus.emit('orders', content),
    got,
    touched: [bus, EventEmitter3.prototype],
  }
})

faultTable('mitt', () => {
  const bus = mitt<{ orders: Content }>()
  const got: Content[] = []
  bus.on('orders', (content) => void got.push(content))
  return { target: bus, name: 'orders', publish: (content) => bus.emit('orders', content), got, touched: [bus] }
})

faultTable('emittery', () => {
  const bus = new Emittery<{ orders: Content }>()
  const got: Content[] = []
  bus.on('orders', (content) => void got.push(content))
  return {
    target: bus,
    name: 'orders',
    publish: (content) => bus.emit('orders', content),
    got,
    touched: [bus, Emittery.prototype],
  }
})

describe('an emitter with a fault in force', () => {
  async function broken(fault: Fault<BusTarget>, bus: BusTarget): Promise<Injection> {
    const injection = await inject(fault, bus)
    onTestFinished(async () => {
      await injection.rollback()
    })
    return injection
  }

  it('goes on as a stream, unless its events are asked for', async () => {
    const read = (stream: Readable): unknown[] => {
      const got: unknown[] = []
      stream.on('data', (chunk) => got.push(chunk)).on('custom', (value) => got.push(value))
      return got
    }
    const spared = new PassThrough({ objectMode: true })
    const fromSpared = read(spared)
    const injection = await broken(dropEvents(), spared)
    spared.emit('custom', 'lost')
    spared.end('kept')
    await once(spared, 'close')
    expect([fromSpared, injection.affected]).toEqual([['kept'], 1])

    const asked = new PassThrough({ objectMode: true })
    const fromAsked = read(asked)
    const all = await inject(dropEvents(), bindEmitter(asked, { streamEvents: true }), { only: 'data' })
    asked.end('lost')
    await once(asked, 'close')
    await all.rollback()
    expect([fromAsked, all.affected]).toEqual([[], 1])
  })

  it('keeps once and the context of eventemitter3 when its listeners are broken one by one', async () => {
    const bus = new EventEmitter3()
    const got: unknown[] = []
    const context = { name: 'context' }
    bus
      .on(
        'tick',
        function spared(this: unknown, n: number) {
          got.push([this, n])
        },
        context,
      )
      .once('tick', function lost() {
        got.push('lost')
      })
      .once('tick', function single() {
        got.push('once')
      })
    await broken(dropEvents({ subscriber: 'lost' }), bus)
    expect([bus.emit('tick', 1), bus.emit('tick', 2)]).toEqual([true, true])
    expect(got).toEqual([[context, 1], 'once', [context, 2]])
  })

  it('gives the wildcard listeners of mitt the name as well', async () => {
    const bus = mitt<Record<string, unknown>>()
    const got: unknown[] = []
    bus.on('tick', function lost(value) {
      got.push(value)
    })
    bus.on('*', (name, value) => got.push([name, value]))
    await broken(dropEvents({ subscriber: 'lost' }), bus)
    bus.emit('tick', 1)
    expect(got).toEqual([['tick', 1]])
  })

  it('settles what emittery promises when the event has gone on', async () => {
    const bus = new Emittery<{ tick: number }>()
    const got: number[] = []
    bus.on('tick', (n) => void got.push(n))
    const injection = await broken(delayEvents({ delayMs: 60_000 }), bus)
    let isSettled = false
    const emitted = bus.emit('tick', 1).then(() => (isSettled = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect([got, isSettled]).toEqual([[], false])
    await injection.rollback()
    await emitted
    expect(got).toEqual([1])
  })

  it('captures the rejections of async listeners as in health, also when they are called one by one', async () => {
    const bus = new EventEmitter({ captureRejections: true })
    const caught: unknown[] = []
    bus.on('error', (error) => caught.push(error))
    bus.on('tick', function failing() {
      return Promise.reject(new Error('async'))
    } as () => void)
    bus.on('tick', function lost() {
      caught.push('lost')
    })
    await broken(dropEvents({ subscriber: 'lost' }), bus)
    bus.emit('tick')
    await new Promise((resolve) => setImmediate(resolve))
    expect(caught).toEqual([new Error('async')])
  })

  it('takes a listener that was removed meanwhile off the list, as emit does', async () => {
    const bus = new EventEmitter()
    const got: string[] = []
    const second = (): void => void got.push('second')
    bus
      .on('tick', () => {
        got.push('first')
        bus.off('tick', second)
      })
      .on('tick', second)
    await broken(dropEvents({ subscriber: 'nobody' }), bus)
    bus.emit('tick')
    bus.emit('tick')
    // The event that is under way still reaches who was there when it came.
    expect(got).toEqual(['first', 'second', 'first'])
  })

  it('throws no error that was heard: neither one that is held while its listener leaves, nor a copy behind a listener of once', async () => {
    const bus = new EventEmitter()
    const got: unknown[] = []
    const listen = (error: unknown): void => void got.push(error)
    bus.on('error', listen)
    const delay = await broken(delayEvents({ delayMs: 60_000 }), bus)
    bus.emit('error', 1)
    bus.off('error', listen)
    await delay.rollback()
    await broken(duplicateEvents(), bus)
    bus.once('error', listen).emit('error', 2)
    expect([got, delay.account]).toMatchObject([[2], { sent: 1, dropped: 1 }])
  })
})

it('refuses a client of a database, and says what breaks it', async () => {
  const pool = Object.assign(new EventEmitter(), { query: () => undefined, connect: () => undefined })
  await expect(inject(dropEvents(), pool)).rejects.toThrow('Use call faults of `@chaos/adapter`')
})
