import { inject, type Fault, type InjectOptions, type Injection } from '@chaos/core'
import { manualClock, type ManualClock } from '@chaos/core/testing'
import { onTestFinished } from 'vitest'
import type { BusTarget } from '../src/in-process/bus-target.js'
import { bindBus, type Bus, type SeamBinding } from '../src/seams/bus.js'
import { methodSeam } from '../src/seams/method-seam.js'

/** A delivery as a consumer gets it. */
export interface Delivery {
  readonly id: number
  readonly topic: string
  readonly body: unknown
  readonly redelivered: boolean
}

/** A broker in memory, with one consumer. Redelivery is a step of its own, so that a test says when it happens. */
export class MemoryBroker {
  readonly got: Delivery[] = []
  /** What the broker has delivered, and nobody has settled. */
  readonly unacked = new Map<number, Delivery>()
  requeued: Delivery[] = []
  /** What the consumer does with a delivery. Default: acknowledges it. */
  consumer: (delivery: Delivery) => void = (delivery) => this.ack(delivery)
  #id = 0

  publish(topic: string, body: unknown): void {
    this.deliver({ id: (this.#id += 1), topic, body, redelivered: false })
  }
  deliver(delivery: Delivery): void {
    this.unacked.set(delivery.id, delivery)
    this.receive(delivery)
  }
  receive(delivery: Delivery): void {
    this.got.push(delivery)
    this.consumer(delivery)
  }
  ack({ id }: Delivery): void {
    this.unacked.delete(id)
  }
  nack(delivery: Delivery): void {
    if (this.unacked.delete(delivery.id)) this.requeued.push(delivery)
  }
  /** Delivers again what was given back: other objects of the same content. */
  redeliver(): void {
    const { requeued } = this
    this.requeued = []
    for (const delivery of requeued)
      this.deliver({ ...delivery, body: structuredClone(delivery.body), redelivered: true })
  }
}

/** Binds it, as an application binds a broker of its own. */
export function memoryBus(broker: MemoryBroker, { requeues = true }: { readonly requeues?: boolean } = {}): Bus {
  const seam = (method: 'receive' | 'ack', isAck: boolean): SeamBinding =>
    methodSeam<readonly [delivery: Delivery]>({
      object: broker,
      method,
      name: ([{ topic }]) => topic,
      read: ([delivery]) => ({
        payload: delivery.body,
        withPayload: (body) => [{ ...delivery, body }],
        subscriber: { name: 'billing', identity: 'billing' },
        isRedelivered: delivery.redelivered,
        ...(requeues && { refuse: () => broker.nack(delivery) }),
        ...(!isAck && { lose: () => broker.ack(delivery) }),
      }),
    })
  return bindBus({
    kind: 'a broker in memory',
    knowsSubscribers: true,
    requeues,
    seams: {
      publish: methodSeam<readonly [topic: string, body: unknown]>({
        object: broker,
        method: 'publish',
        name: ([topic]) => topic,
        payload: 1,
      }),
      delivery: seam('receive', false),
      ack: seam('ack', true),
    },
  })
}

/** A broker with a fault in force, by a clock that the test moves. */
export async function brokenBroker(
  fault: Fault<BusTarget>,
  how: InjectOptions = {},
): Promise<{ broker: MemoryBroker; bus: Bus; clock: ManualClock; injection: Injection; got: () => unknown[] }> {
  const clock = manualClock()
  const broker = new MemoryBroker()
  const bus = memoryBus(broker)
  const injection = await inject(fault, bus, { seed: 1, ...how, clock })
  onTestFinished(async () => {
    await injection.rollback()
  })
  return { broker, bus, clock, injection, got: () => broker.got.map(({ body }) => body) }
}
