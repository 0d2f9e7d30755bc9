import { BroadcastChannel, MessageChannel } from 'node:worker_threads'
import { inject, isChaosError } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { faultTable, type Content } from '../../test/fault-table.js'
import { bindBus } from '../seams/bus.js'
import { corruptEvents } from '../faults/corrupt-events.js'
import { delayEvents } from '../faults/delay-events.js'
import { dropEvents } from '../faults/drop-events.js'
import { failListeners } from '../faults/fail-listeners.js'
import { portBus } from './event-target.js'

/** An event with a detail; Node.js 18 has no `CustomEvent` of its own. */
class DetailEvent extends Event {
  readonly detail: unknown
  constructor(type: string, { detail }: { readonly detail: unknown }) {
    super(type)
    this.detail = detail
  }
}

faultTable('EventTarget', () => {
  const target = new EventTarget()
  const got: Content[] = []
  target.addEventListener('orders', (event) => got.push((event as DetailEvent).detail as Content))
  return {
    target,
    name: 'orders',
    publish: (content) => target.dispatchEvent(new DetailEvent('orders', { detail: content })),
    got,
    touched: [target, EventTarget.prototype],
  }
})

faultTable('MessagePort', () => {
  const { port1, port2 } = new MessageChannel()
  const got: Content[] = []
  port2.on('message', (content: Content) => got.push(content))
  const [publish, delivery] = [portBus(port1), portBus(port2)]
  return {
    target: bindBus({
      kind: 'both ends of a channel',
      seams: { publish: publish.seams.publish, delivery: delivery.seams.delivery },
    }),
    name: 'message',
    publish: (content) => port1.postMessage(content),
    got,
    touched: [port1, port2],
    dispose: () => port1.close(),
  }
})

let channels = 0
faultTable('BroadcastChannel', () => {
  const name = `orders-${process.pid}-${(channels += 1)}`
  const [here, there] = [new BroadcastChannel(name), new BroadcastChannel(name)]
  const got: Content[] = []
  there.onmessage = (event) => got.push((event as { data: Content }).data)
  const [publish, delivery] = [portBus(here), portBus(there)]
  return {
    target: bindBus({
      kind: 'two ends of a broadcast channel',
      seams: { publish: publish.seams.publish, delivery: delivery.seams.delivery },
    }),
    name,
    publish: (content) => here.postMessage(content),
    got,
    touched: [here, there],
    dispose: () => {
      here.close()
      there.close()
    },
  }
})

describe('an event target with a fault in force', () => {
  it('answers a kept event as one that nobody prevented, and a passing one as in health', async () => {
    const target = new EventTarget()
    target.addEventListener('x', (event) => event.preventDefault())
    const injection = await inject(delayEvents({ delayMs: 60_000, seam: 'publish' }), target, { skip: 1 })
    const event = (): Event => new Event('x', { cancelable: true })
    expect([target.dispatchEvent(event()), target.dispatchEvent(event())]).toEqual([false, true])
    await injection.rollback()
  })

  it('gives listeners another event of the same class, and leaves the dispatched one as it is', async () => {
    const target = new EventTarget()
    const got: Event[] = []
    target.addEventListener('x', (event) => got.push(event))
    const injection = await inject(corruptEvents({ change: 'set', at: 'id', value: 9 }), target)
    const event = new DetailEvent('x', { detail: { id: 1 } })
    target.dispatchEvent(event)
    await injection.rollback()
    expect(got[0]).toBeInstanceOf(DetailEvent)
    expect([(got[0] as DetailEvent).detail, event.detail]).toEqual([{ id: 9 }, { id: 1 }])
  })

  it('cannot be broken for one subscriber', async () => {
    const refused = await inject(failListeners({ subscriber: 'x' }), new EventTarget()).catch((error: unknown) => error)
    expect(isChaosError(refused, 'CHAOS_TARGET_MISMATCH')).toBe(true)
  })
})

describe('a message port with a fault in force', () => {
  it('takes what it holds as it was posted, refuses at once what cannot be cloned, and lets transfers pass', async () => {
    const { port1, port2 } = new MessageChannel()
    const got: unknown[] = []
    port2.on('message', (message) => got.push(message))
    const injection = await inject(delayEvents({ delayMs: 60_000, seam: 'publish' }), port1)
    const message = { n: 1 }
    port1.postMessage(message)
    message.n = 2
    expect(() => port1.postMessage(() => undefined)).toThrow(expect.objectContaining({ name: 'DataCloneError' }))
    const buffer = new ArrayBuffer(4)
    port1.postMessage(buffer, [buffer])
    expect(buffer.byteLength).toBe(0)
    await vi.waitFor(() => expect(got).toHaveLength(1))
    await injection.rollback()
    await vi.waitFor(() => expect(got).toHaveLength(2))
    expect(got[1]).toEqual({ n: 1 })
    port1.close()
  })

  it('passes where it arrives with ports, which would be gone later', async () => {
    const { port1, port2 } = new MessageChannel()
    const injection = await inject(delayEvents({ delayMs: 60_000 }), port2)
    const arrived = new Promise<MessageEvent>((resolve) => port2.addEventListener('message', resolve as never))
    port2.start()
    const { port1: near, port2: far } = new MessageChannel()
    port1.postMessage('with a port', [far])
    const { ports } = (await arrived) as unknown as { readonly ports: readonly unknown[] }
    expect([ports.length, injection.seen]).toEqual([1, 0])
    await injection.rollback()
    for (const port of [near, port1]) port.close()
  })

  it('closes while its messages are lost', async () => {
    const { port1, port2 } = new MessageChannel()
    const closed = new Promise((resolve) => port2.on('close', resolve))
    const injection = await inject(dropEvents(), port2)
    port2.on('message', () => undefined)
    port1.postMessage(1)
    await vi.waitFor(() => expect(injection.affected).toBe(1))
    port1.close()
    await closed
    await injection.rollback()
  })

  it('is cloned at a port only where it is affected', async () => {
    const { port1, port2 } = new MessageChannel()
    port2.unref()
    const injection = await inject(delayEvents({ delayMs: 10, seam: 'publish' }), port1, { rate: 0 })
    const clones = vi.spyOn(globalThis, 'structuredClone')
    for (let n = 0; n < 100; n += 1) port1.postMessage({ n })
    expect([clones.mock.calls.length, injection.seen]).toEqual([0, 100])
    await injection.rollback()
    port1.close()
  })

  it.each([
    [
      'a port whose other end closed',
      () => {
        const { port1, port2 } = new MessageChannel()
        return { near: port1, far: port2, close: (): void => port1.close() }
      },
    ],
    [
      'a channel that was closed',
      () => {
        const [near, far] = [new BroadcastChannel('held'), new BroadcastChannel('held')]
        return {
          near,
          far,
          close: (): void => {
            near.close()
            far.close()
          },
        }
      },
    ],
  ])('is lost while it is held, and never heard afterwards: %s', async (_name, open) => {
    const { near, far, close } = open()
    const heard = vi.fn()
    far.addEventListener('message', heard)
    if ('start' in far) far.start()
    const clock = manualClock()
    const injection = await inject(delayEvents({ delayMs: 10 }), far, { clock })
    near.postMessage(1)
    await vi.waitFor(() => expect(injection.held).toBe(1))
    const closed = 'start' in far ? new Promise((resolve) => far.addEventListener('close', resolve)) : undefined
    close()
    await closed
    await clock.advance(10)
    expect(heard).not.toHaveBeenCalled()
    expect(injection.account).toMatchObject({ delivered: 0, dropped: 1, lost: 1 })
    await injection.rollback()
  })

  it('is damaged though the class of its event cannot be made that way', async () => {
    class OrderEvent extends Event {
      readonly detail: { readonly id: number }
      readonly placedAt: string
      constructor(order: { readonly id: number; readonly placed: { readonly day: string } }) {
        super('order')
        this.detail = order
        this.placedAt = order.placed.day
      }
    }
    const target = new EventTarget()
    const heard: OrderEvent[] = []
    target.addEventListener('order', (event) => heard.push(event as OrderEvent))
    const injection = await inject(corruptEvents({ change: 'set', at: 'id', value: -1 }), target)
    expect(target.dispatchEvent(new OrderEvent({ id: 7, placed: { day: 'Monday' } }))).toBe(true)
    await injection.rollback()
    expect(heard[0]).toBeInstanceOf(OrderEvent)
    expect(heard).toMatchObject([{ detail: { id: -1 }, placedAt: 'Monday' }])
  })
})
