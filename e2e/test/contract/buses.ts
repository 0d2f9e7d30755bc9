import { fork, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { BroadcastChannel, MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import { bindBus, bindChannel, methodSeam, type Bus, type SeamBinding } from '@chaos/eventbus'
import { kind, times, type Kind } from './kind.js'

const PAYLOAD = Object.freeze({ n: 1, text: 'the quick brown fox' })

/** The worker and the process answer each message with the same. */
const ECHO =
  "const { parentPort: port } = require('node:worker_threads'); port.on('message', (message) => port.postMessage(message)); port.postMessage('up')"
const ECHO_PROCESS = fileURLToPath(new URL('echo.mjs', import.meta.url))

interface Delivery {
  readonly id: number
  readonly topic: string
  readonly body: unknown
  readonly redelivered: boolean
}

/** A broker in memory with one consumer, which acknowledges what it gets. */
class MemoryBroker {
  readonly unacknowledged = new Map<number, Delivery>()
  #id = 0
  publish(topic: string, body: unknown): void {
    const delivery = { id: (this.#id += 1), topic, body, redelivered: false }
    this.unacknowledged.set(delivery.id, delivery)
    this.receive(delivery)
  }
  receive(delivery: Delivery): void {
    this.acknowledge(delivery)
  }
  /** What is given back is delivered again at a time that never comes here. */
  requeue({ id }: Delivery): void {
    this.unacknowledged.delete(id)
  }
  acknowledge({ id }: Delivery): void {
    this.unacknowledged.delete(id)
  }
}

function bindMemoryBroker(broker: MemoryBroker): Bus {
  const seam = (method: 'receive' | 'acknowledge'): SeamBinding =>
    methodSeam<readonly [delivery: Delivery]>({
      object: broker,
      method,
      name: ([{ topic }]) => topic,
      read: ([delivery]) => ({
        payload: delivery.body,
        withPayload: (body) => [{ ...delivery, body }],
        subscriber: { name: 'billing', identity: 'billing' },
        isRedelivered: delivery.redelivered,
        refuse: () => broker.requeue(delivery),
        lose: method === 'receive' ? () => broker.requeue(delivery) : undefined,
      }),
    })
  return bindBus({
    kind: 'a broker in memory',
    knowsSubscribers: true,
    requeues: true,
    seams: {
      publish: methodSeam<readonly [topic: string, body: unknown]>({
        object: broker,
        method: 'publish',
        name: ([topic]) => topic,
        payload: 1,
      }),
      delivery: seam('receive'),
      ack: seam('acknowledge'),
    },
  })
}

/** A client of a broker, as far as its connection goes. */
class Client {
  attempts = 0
  connect(): void {
    this.attempts += 1
  }
}

function bindClient(client: Client): Bus {
  return bindBus({
    kind: 'a client',
    seams: {},
    connections: [
      {
        name: 'connection',
        standing: () => [],
        attempts: (isRefused, steps) =>
          steps.patch(
            client,
            'connect',
            (below) =>
              function (this: Client): void {
                if (!isRefused()) below.call.call(this)
              },
          ),
      },
    ],
  })
}

const brokers = new WeakMap<object, MemoryBroker>()
const posters = new WeakMap<object, BroadcastChannel>()
const clients = new WeakMap<object, Client>()
const others = new WeakMap<object, MessagePort>()

export const buses: readonly Kind[] = [
  kind<EventEmitter>('eventbus', 'an event emitter', {
    target: () => new EventEmitter().on('tick', () => undefined),
    touched: (bus) => [bus, EventEmitter.prototype],
    exercise: (bus, count) => times(count, () => bus.emit('tick', PAYLOAD)),
  }),
  kind<EventTarget>(
    'eventbus',
    'an event target',
    {
      target() {
        const target = new EventTarget()
        target.addEventListener('tick', () => undefined)
        return target
      },
      touched: (target) => [target, EventTarget.prototype],
      exercise: (target, count) =>
        times(count, () => target.dispatchEvent(Object.assign(new Event('tick'), { detail: PAYLOAD }))),
    },
    // What a listener of an event target throws is an uncaught exception.
    { except: ['eventbus/fail-listeners', 'eventbus/poison-events'] },
  ),
  kind<Bus>(
    'eventbus',
    'a broker bound by its methods',
    {
      target() {
        const broker = new MemoryBroker()
        const bus = bindMemoryBroker(broker)
        brokers.set(bus, broker)
        return bus
      },
      touched: (bus) => [bus, brokers.get(bus) as MemoryBroker, MemoryBroker.prototype],
      exercise: (bus, count) => times(count, (n) => brokers.get(bus)?.publish('orders', { ...PAYLOAD, n })),
    },
    // One message is several operations of a partition, and a poisoned one is affected only when it comes again.
    { except: ['eventbus/partition-bus', 'eventbus/poison-events'] },
  ),
  kind<Bus>(
    'eventbus',
    'a client bound by its connection',
    {
      target() {
        const client = new Client()
        const bus = bindClient(client)
        clients.set(bus, client)
        return bus
      },
      touched: (bus) => [bus, clients.get(bus) as Client, Client.prototype],
      exercise: (bus, count) => times(count, () => clients.get(bus)?.connect()),
    },
    { faults: ['eventbus/disconnect-client'] },
  ),
  kind<MessagePort>(
    'eventbus',
    'a message port',
    {
      target() {
        const { port1: near, port2: far } = new MessageChannel()
        others.set(near, far)
        return near
      },
      exercise: (port, count) => times(count, (n) => port.postMessage({ ...PAYLOAD, n })),
      dispose: (port) => port.close(),
    },
    { seam: 'publish' },
  ),
  kind<Bus>(
    'eventbus',
    'a bound broadcast channel',
    {
      target() {
        const channel = new BroadcastChannel(`contract-${process.pid}`)
        const bus = bindChannel(channel as never)
        posters.set(bus, channel)
        return bus
      },
      touched: (bus) => [bus, posters.get(bus) as BroadcastChannel],
      exercise: (bus, count) => times(count, (n) => posters.get(bus)?.postMessage({ ...PAYLOAD, n })),
      dispose: (bus) => posters.get(bus)?.close(),
    },
    { seam: 'publish' },
  ),
  kind<Worker>(
    'eventbus',
    'the messages of a worker',
    {
      target: theWorker,
      touched: (worker) => [worker, Worker.prototype],
      exercise: (worker, count) => times(count, (n) => worker.postMessage({ ...PAYLOAD, n })),
    },
    { seam: 'publish' },
  ),
  kind<ChildProcess>(
    'eventbus',
    'the messages of a child process',
    {
      target: theProcess,
      touched: (child) => [child, Object.getPrototypeOf(child) as object],
      exercise: (child, count) => times(count, (n) => child.send({ ...PAYLOAD, n })),
    },
    { seam: 'publish' },
  ),
]

/** One worker and one process serve all cases: each case leaves them as it found them. */
let echoWorker: Promise<Worker> | undefined
let echoProcess: Promise<ChildProcess> | undefined

async function theWorker(): Promise<Worker> {
  echoWorker ??= started(new Worker(ECHO, { eval: true }))
  return echoWorker
}

async function theProcess(): Promise<ChildProcess> {
  echoProcess ??= started(fork(ECHO_PROCESS, { stdio: 'ignore' }))
  return echoProcess
}

async function started<End extends EventEmitter>(end: End): Promise<End> {
  await once(end, 'message')
  return end
}

export async function stopEnds(): Promise<void> {
  await (await echoWorker)?.terminate()
  ;(await echoProcess)?.kill('SIGKILL')
}
