import { EventEmitter } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { inject, type Fault } from '@chaos/core'
import mitt from 'mitt'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { broken } from '../../test/emitter-contract.js'
import { brokenBroker } from '../../test/memory-broker.js'
import type { BusTarget } from '../in-process/bus-target.js'
import { bindBus } from '../seams/bus.js'
import { corruptEvents } from './corrupt-events.js'
import { dropEvents } from './drop-events.js'
import { failListeners } from './fail-listeners.js'
import { nackEvents } from './nack-events.js'
import { poisonEvents } from './poison-events.js'
import { stallListeners } from './stall-listeners.js'
import { methodSeam } from '../seams/method-seam.js'
import { observeDelivery } from '../oracle/observe-delivery.js'

const trap = (): { readonly id: number } => ({
  get id(): number {
    throw new Error('a getter of the application')
  },
})
const revoked = (): unknown => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

describe('what throws when it is read, never in emit', () => {
  const faults: readonly [string, () => Fault<BusTarget>][] = [
    [
      'a predicate `where`',
      () => dropEvents({ where: (payload) => (payload as { readonly missing: { readonly at: boolean } }).missing.at }),
    ],
    ['fields of `where`', () => dropEvents({ where: { id: 1 } })],
    ['`keyAt`', () => poisonEvents({ keyAt: 'id' })],
    ['`at`', () => corruptEvents({ damage: 'remove', at: 'id' })],
  ]
  it.each(faults)('%s', async (_name, fault) => {
    for (const payload of [trap(), revoked()]) {
      const { bus, got, injection } = await broken(fault())
      expect(bus.emit('tick', payload)).toBe(true)
      expect(got).toHaveLength(1)
      expect(injection.affected).toBe(0)
      expect(injection.account).toMatchObject({ sent: 0, unreadable: 1 })
    }
  })

  it('a key that JSON cannot carry', async () => {
    const { broker, injection } = await brokenBroker(nackEvents())
    broker.publish('orders', { id: 1n })
    expect(broker.unacked.size).toBe(0)
    expect(injection.account).toMatchObject({ sent: 0, unreadable: 1 })
  })

  it('a getter beside the field that is damaged', async () => {
    const { bus, got } = await broken(corruptEvents({ damage: 'set', at: 'price', value: -1 }))
    const payload = Object.freeze(
      Object.defineProperty({ price: 2 }, 'trap', { get: () => trap().id, enumerable: true }),
    )
    expect(bus.emit('tick', payload)).toBe(true)
    expect((got[0] as typeof payload).price).toBe(-1)
    expect(payload.price).toBe(2)
  })

  it('a field that only its class has, and has no setter', async () => {
    const { bus, got } = await broken(corruptEvents({ damage: 'set', at: 'price', value: -1 }))
    class Order {
      readonly parts = [1, 1]
      get price(): number {
        return this.parts.length
      }
    }
    bus.emit('tick', new Order())
    expect(got).toMatchObject([{ price: -1 }])
    expect(got[0]).toBeInstanceOf(Order)
  })

  it('a private field, which no copy of the object would have: the fault skips the event', async () => {
    const { bus, got, injection } = await broken(corruptEvents({ damage: 'set', at: 'price', value: -1 }))
    class Order {
      readonly #price = 2
      get price(): number {
        return this.#price
      }
    }
    const order = new Order()
    bus.emit('tick', order)
    expect(got[0]).toBe(order)
    expect(injection.affected).toBe(0)
  })

  it('a payload that is damaged: it comes as it is where it cannot be copied, or throws when it is read again', async () => {
    const thrower = (): never => {
      throw new Error('a trap of the application')
    }
    let reads = 0
    const payloads: readonly object[] = [
      new Proxy({ price: 1 }, { ownKeys: () => ['price', 'missing'] }),
      {
        get price(): number {
          reads += 1
          return reads === 1 ? 1 : thrower()
        },
      },
    ]
    for (const payload of payloads) {
      const { bus, got, injection } = await broken(corruptEvents({ damage: 'set', at: 'price', value: -1 }))
      expect(bus.emit('tick', payload)).toBe(true)
      expect(got[0] === payload).toBe(true)
      expect(injection.account).toMatchObject({ sent: 1, delivered: 1, unreadable: 1 })
    }
    const payload = new Proxy({ price: 1 }, { ownKeys: thrower })
    const { bus, got, injection } = await broken(corruptEvents({ damage: 'set', at: 'price', value: -1 }))
    expect(bus.emit('tick', payload)).toBe(true)
    expect([got[0] === payload, injection.affected, injection.account['unreadable']]).toEqual([true, 0, 1])
  })

  it.each([
    ['a promise', () => Promise.reject(new Error('too late'))],
    ['a promise of another realm', () => runInNewContext("Promise.reject(new Error('too late'))") as unknown],
  ])(
    'a predicate `where` that answers with %s: it covers nothing, and its rejection is heard by nobody',
    async (_what, where) => {
      const unheard = vi.fn()
      process.on('unhandledRejection', unheard)
      onTestFinished(() => void process.off('unhandledRejection', unheard))
      const { bus, got, injection } = await broken(dropEvents({ where: where as () => boolean }))
      bus.emit('tick', 1)
      await new Promise((resolve) => setImmediate(resolve))
      expect(unheard).not.toHaveBeenCalled()
      expect(got).toEqual([1])
      expect(injection.account).toMatchObject({ sent: 0, unreadable: 1 })
    },
  )

  it('the name of a listener, and what lies under `listener` of one', async () => {
    const named = (descriptor: PropertyDescriptor, key = 'name'): (() => void) =>
      Object.defineProperty(() => undefined, key, descriptor)
    const listeners = [
      named({ value: 5 }),
      named({ value: Symbol('x') }),
      named({ get: () => trap().id }),
      named({ value: {} }, 'listener'),
      named({ get: () => trap().id }, 'listener'),
    ]
    for (const listener of listeners) {
      for (const fault of [stallListeners(), failListeners({ subscriber: 'nobody' })]) {
        const bus = new EventEmitter().on('tick', listener)
        const injection = await inject(fault, bus)
        expect(bus.emit('tick', 1)).toBe(true)
        await injection.rollback()
      }
      const bus = new EventEmitter().on('tick', listener)
      const observer = await observeDelivery(bus)
      expect(bus.emit('tick', 1)).toBe(true)
      await observer.stop()
    }
  })

  it('a field of an event whose class makes it in its constructor', async () => {
    class Order extends Event {
      readonly #price: number
      constructor(price: number) {
        super('order')
        if (typeof price !== 'number') throw new TypeError('no price')
        this.#price = price
      }
      get detail(): number {
        return this.#price
      }
    }
    const target = new EventTarget()
    const got: unknown[] = []
    target.addEventListener('order', (event) => got.push((event as Order).detail))
    const injection = await inject(corruptEvents({ damage: 'set', value: -1 }), target)
    onTestFinished(() => injection.rollback().then(() => undefined))
    expect(target.dispatchEvent(new Order(2))).toBe(true)
    expect(got).toEqual([-1])
  })

  it('a name that is no text', async () => {
    const bus = mitt<Record<string, unknown>>()
    const heard: unknown[] = []
    const name = Object.create(null) as string
    bus.on(name, (payload) => heard.push(payload))
    const injection = await inject(dropEvents(), bus)
    onTestFinished(() => injection.rollback().then(() => undefined))
    bus.emit(name, 1)
    expect(heard).toEqual([1])
  })

  it('arguments that a binding cannot read: the client itself says so', async () => {
    const client = {
      send(record?: { readonly topic: string }): string {
        if (record === undefined) throw new RangeError('the client says: no record')
        return record.topic
      },
    }
    const bus = bindBus({
      kind: 'a client',
      seams: {
        publish: methodSeam<readonly [record: { readonly topic: string }]>({
          object: client,
          method: 'send',
          name: ([record]) => record.topic,
          payload: 0,
        }),
      },
    })
    const injection = await inject(dropEvents({ seam: 'publish' }), bus)
    onTestFinished(() => injection.rollback().then(() => undefined))
    expect(() => client.send()).toThrow('the client says: no record')
    expect(client.send({ topic: 'a' })).toBeUndefined()
  })

  it('a field by which messages are observed; the message is observed all the same', async () => {
    const bus = new EventEmitter().on('tick', () => undefined)
    const observer = await observeDelivery(bus, { idAt: 'id', keyAt: 'id' })
    onTestFinished(() => observer.stop())
    expect(bus.emit('tick', trap())).toBe(true)
    expect(observer.observation.sent).toBe(1)
    expect(observer.violation('at-least-once')).toBeUndefined()
  })

  it('`makeError` that throws, or makes no error', async () => {
    const own = new Error('own')
    const makers: readonly [() => unknown, string][] = [
      [() => 'text', 'The listener failed.'],
      [
        () => {
          throw own
        },
        'own',
      ],
    ]
    for (const [makeError, message] of makers) {
      const { bus } = await broken(failListeners({ makeError: makeError as () => Error }))
      expect(() => bus.emit('tick', 1)).toThrow(message)
    }
  })
})

describe('memory', () => {
  it('keeps hold of few of the events that have many names', async () => {
    const bus = new EventEmitter()
    const injection = await inject(poisonEvents({ nth: 1_000 }), bus)
    onTestFinished(() => injection.rollback().then(() => undefined))
    const late: WeakRef<object>[] = []
    for (let n = 0; n < 14_000; n += 1) {
      const payload = { n }
      if (n >= 11_000) late.push(new WeakRef(payload))
      bus.emit(`tick.${n}`, payload)
    }
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
    // 10,000 names have an event each; those of all others share 1,024 groups.
    expect(late.filter((one) => one.deref() !== undefined).length).toBeLessThanOrEqual(1_024)
  })

  it('keeps nothing of the messages that an observer has forgotten, neither their names nor their keys', async () => {
    const bus = new EventEmitter().on('order', () => undefined)
    const observer = await observeDelivery(bus, { messages: 10, idAt: 'id', keyAt: 'key' })
    onTestFinished(() => observer.stop())
    const keys: WeakRef<object>[] = []
    for (let n = 0; n < 1_000; n += 1) {
      const key = {}
      keys.push(new WeakRef(key))
      bus.emit('order', { id: n, key })
    }
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
    expect(keys.filter((key) => key.deref() !== undefined).length).toBeLessThanOrEqual(20)
  })

  it('knows a long event again by its hash', async () => {
    const { broker, injection } = await brokenBroker(nackEvents({ times: 1 }))
    for (const [topic, body] of [
      ['a', 'x'.repeat(5_000)],
      ['a', `${'x'.repeat(4_999)}y`],
      ['b'.repeat(5_000), 'x'],
    ] as const)
      broker.publish(topic, body)
    expect(injection.affected).toBe(3)
    broker.redeliver()
    expect(injection.affected).toBe(3)
    expect(broker.unacked.size + broker.requeued.length).toBe(0)
  })
})

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}
