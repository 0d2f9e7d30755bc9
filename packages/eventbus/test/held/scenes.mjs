import { EventEmitter } from 'node:events'
import { BroadcastChannel, MessageChannel } from 'node:worker_threads'
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect as connectNats } from '@nats-io/transport-node'
import amqplib from 'amqplib'
import callbackApi from 'amqplib/callback_api'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import mqtt from 'mqtt'
import { createClient } from 'redis'
import { Subject } from 'rxjs'
import { WebSocket, WebSocketServer } from 'ws'
import { bindAmqplib } from '@chaos/eventbus/amqplib'
import { bindBullmq } from '@chaos/eventbus/bullmq'
import { bindIoredisPubSub, bindIoredisStreams } from '@chaos/eventbus/ioredis'
import { bindJetStream } from '@chaos/eventbus/jetstream'
import { bindMqtt } from '@chaos/eventbus/mqtt'
import { bindNats } from '@chaos/eventbus/nats'
import { bindNodeRedisPubSub, bindNodeRedisStreams } from '@chaos/eventbus/node-redis'
import { bindWebSocket, bindWebSocketServer } from '@chaos/eventbus/ws'

let names = 0
const uniqueName = (separator) => ['held', process.pid, Date.now(), (names += 1)].join(separator)
const nothing = () => undefined
/** An application that hears of every failure. */
const heard = (answer) => void Promise.resolve(answer).catch(nothing)

/** Every kind of bus whose server is there; each scene is a bus, how a message is sent, how what it goes through is closed, and how the rest is put away. */
export function scenesOf({ rabbitmq, nats, mosquitto, redis }) {
  return [
    ...inProcess(),
    ...webSockets(),
    ...(rabbitmq === undefined ? [] : rabbit(rabbitmq)),
    ...(nats === undefined ? [] : natsScenes(nats)),
    ...(mosquitto === undefined ? [] : mqttScenes(mosquitto)),
    ...(redis === undefined ? [] : [...ioredisScenes(redis), ...nodeRedisScenes(redis), ...bullScenes(redis)]),
  ]
}

function inProcess() {
  return [
    {
      name: 'an emitter whose listeners left',
      seams: ['publish', 'delivery'],
      open: () => {
        const bus = new EventEmitter().on('tick', nothing)
        return {
          bus,
          send: (body) => bus.emit('tick', body),
          close: async () => void bus.removeAllListeners(),
          dispose: nothing,
        }
      },
    },
    {
      name: 'an emitter whose listener of errors left',
      seams: ['publish', 'delivery'],
      open: () => {
        const bus = new EventEmitter().on('error', nothing)
        return {
          bus,
          send: (body) => bus.emit('error', new Error(body)),
          close: async () => void bus.removeAllListeners(),
          dispose: nothing,
        }
      },
    },
    {
      name: 'a subject that was unsubscribed',
      seams: ['publish', 'delivery'],
      open: () => {
        const bus = new Subject()
        bus.subscribe(nothing)
        return { bus, send: (body) => bus.next(body), close: async () => bus.unsubscribe(), dispose: nothing }
      },
    },
    // It delivers by itself, to each of its own: no listener is called one by one.
    {
      name: 'a port that was closed',
      seams: ['publish'],
      open: () => {
        const { port1, port2 } = new MessageChannel()
        return {
          bus: port1,
          send: (body) => port1.postMessage(body),
          close: async () => port1.close(),
          dispose: () => port2.close(),
        }
      },
    },
    {
      name: 'a channel that was closed',
      seams: ['publish'],
      open: () => {
        const channel = new BroadcastChannel(uniqueName('-'))
        return {
          bus: channel,
          send: (body) => channel.postMessage(body),
          close: async () => channel.close(),
          dispose: nothing,
        }
      },
    },
  ]
}

function webSockets() {
  const open = async (close, side = 'client') => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await new Promise((resolve) => server.once('listening', resolve))
    const accepted = new Promise((resolve) => server.once('connection', resolve))
    const socket = new WebSocket(`ws://127.0.0.1:${server.address().port}`)
    await new Promise((resolve) => socket.once('open', resolve))
    const peer = await accepted
    if (side === 'server') socket.on('message', (data) => socket.send(String(data)))
    else peer.on('message', (data) => peer.send(String(data)))
    ;(side === 'server' ? peer : socket).on('message', nothing)
    const closed = new Promise((resolve) => (side === 'server' ? peer : socket).once('close', resolve))
    return {
      bus: side === 'server' ? bindWebSocketServer(server) : bindWebSocket(socket),
      send: (body) => (side === 'server' ? peer : socket).send(body, nothing),
      close: async () => {
        close(side === 'server' ? peer : socket)
        await closed
      },
      dispose: () => new Promise((resolve) => server.close(resolve)),
    }
  }
  return [
    {
      name: 'a WebSocket that was closed',
      seams: ['publish', 'delivery'],
      open: () => open((socket) => socket.close()),
    },
    {
      name: 'a WebSocket that was cut off',
      seams: ['publish', 'delivery'],
      open: () => open((socket) => socket.terminate()),
    },
    {
      name: 'a WebSocket server whose connection was closed',
      seams: ['publish', 'delivery'],
      open: () => open((peer) => peer.close(), 'server'),
    },
    {
      name: 'a WebSocket server whose connection was cut off',
      seams: ['publish', 'delivery'],
      open: () => open((peer) => peer.terminate(), 'server'),
    },
  ]
}

function rabbit(url) {
  const open = (kind, close, closesWhileHeld) => async () => {
    const connection = await amqplib.connect(url)
    connection.on('error', nothing)
    const [publisher, consumer] = [
      kind === 'confirm' ? await connection.createConfirmChannel() : await connection.createChannel(),
      await connection.createChannel(),
    ]
    const { queue } = await consumer.assertQueue(uniqueName('.'), { durable: false, exclusive: true })
    const { consumerTag } = await consumer.consume(queue, (message) => {
      if (message !== null) consumer.ack(message)
    })
    return {
      bus: bindAmqplib({ publisher, consumer }),
      send: (body) =>
        kind === 'confirm'
          ? publisher.sendToQueue(queue, Buffer.from(body), {}, nothing)
          : publisher.sendToQueue(queue, Buffer.from(body)),
      close: () => close({ publisher, consumer, connection, consumerTag }),
      closesWhileHeld,
      dispose: () => connection.close().catch(nothing),
    }
  }
  const openCallbacks = async () => {
    const called = (call) =>
      new Promise((resolve, reject) => call((error, made) => (error ? reject(error) : resolve(made))))
    const connection = await called((done) => callbackApi.connect(url, done))
    connection.on('error', nothing)
    const [publisher, consumer] = [
      await called((done) => connection.createConfirmChannel(done)),
      await called((done) => connection.createChannel(done)),
    ]
    const { queue } = await called((done) =>
      consumer.assertQueue(uniqueName('.'), { durable: false, exclusive: true }, done),
    )
    await called((done) => consumer.consume(queue, (message) => message !== null && consumer.ack(message), {}, done))
    return {
      bus: bindAmqplib({ publisher, consumer }),
      send: (body) => publisher.sendToQueue(queue, Buffer.from(body), {}, nothing),
      close: async () => {
        await called((done) => consumer.close(done))
        await called((done) => publisher.close(done))
      },
      dispose: () => called((done) => connection.close(done)).catch(nothing),
    }
  }
  const seams = ['publish', 'delivery', 'ack']
  return [
    { name: 'channels of the callback API that were closed', seams, open: openCallbacks },
    {
      name: 'channels that were closed',
      seams,
      open: open('plain', async ({ publisher, consumer }) => {
        await consumer.close()
        await publisher.close()
      }),
    },
    {
      name: 'confirm channels that were closed',
      seams,
      open: open('confirm', async ({ publisher, consumer }) => {
        await consumer.close()
        await publisher.close()
      }),
    },
    {
      name: 'channels whose consumer was cancelled',
      seams: ['delivery'],
      open: open('plain', ({ consumer, consumerTag }) => consumer.cancel(consumerTag)),
    },
    {
      name: 'channels whose connection is closing',
      seams,
      open: open('plain', ({ connection }) => connection.close(), false),
    },
    {
      name: 'channels whose connection was closed',
      seams,
      open: open('plain', ({ connection }) => connection.close()),
    },
    {
      name: 'channels whose connection was cut off',
      seams,
      open: open(
        'confirm',
        ({ connection }) =>
          new Promise((resolve) => {
            connection.once('close', resolve)
            connection.connection.stream.destroy(new Error('cut off'))
          }),
      ),
    },
  ]
}

function natsScenes(port) {
  const open = (close) => async () => {
    const connection = await connectNats({ port })
    const subject = uniqueName('.')
    const subscription = connection.subscribe(subject, { callback: nothing })
    await connection.flush()
    return {
      bus: bindNats(connection),
      send: (body) => connection.publish(subject, body),
      close: () => close(connection, subscription),
      dispose: () => connection.close(),
    }
  }
  const stream = (close) => async () => {
    const [connection, other] = [await connectNats({ port }), await connectNats({ port })]
    const [name, subject] = [uniqueName('-'), uniqueName('.')]
    const manager = await jetstreamManager(other)
    await manager.streams.add({ name, subjects: [subject], storage: 'memory' })
    await manager.consumers.add(name, { durable_name: 'billing', ack_policy: AckPolicy.Explicit })
    const client = jetstream(connection)
    const consumer = await client.consumers.get(name, 'billing')
    const messages = await consumer.consume({ callback: (message) => message.ack() })
    heard(messages.closed())
    return {
      bus: bindJetStream({ client, messages }),
      send: (body) => heard(client.publish(subject, body)),
      close: () => close(messages, connection),
      // Its iterator ends behind what is held.
      closesWhileHeld: false,
      dispose: async () => {
        await connection.close()
        await manager.streams.delete(name)
        await other.close()
      },
    }
  }
  return [
    {
      name: 'a connection to NATS that was closed',
      seams: ['publish', 'delivery'],
      open: open((connection) => connection.close()),
    },
    {
      name: 'a connection to NATS that was drained',
      seams: ['publish', 'delivery'],
      open: open((connection) => connection.drain()),
    },
    {
      name: 'a connection to NATS whose subscription was drained',
      seams: ['delivery'],
      open: open((_connection, subscription) => subscription.drain()),
    },
    {
      name: 'JetStream whose connection was closed',
      seams: ['publish', 'delivery', 'ack'],
      open: stream((_messages, connection) => connection.close()),
    },
    {
      name: 'JetStream whose iterator was closed',
      seams: ['delivery', 'ack'],
      open: stream(async (messages) => {
        await messages.close()
      }),
    },
  ]
}

function mqttScenes(port) {
  const open = (qos, close) => async () => {
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`)
    const topic = uniqueName('/')
    await client.subscribeAsync(topic)
    client.on('message', nothing)
    return {
      bus: bindMqtt(client),
      send: (body) => client.publish(topic, body, { qos }, nothing),
      close: () => close(client),
      dispose: () => client.endAsync(true),
    }
  }
  return [
    {
      name: 'an MQTT client that was ended',
      seams: ['publish', 'delivery'],
      // With messages that wait for the broker, it would end when they are sent.
      open: open(0, (client) => client.endAsync()),
    },
    {
      name: 'an MQTT client that was ended by force',
      seams: ['publish', 'delivery'],
      open: open(1, (client) => client.endAsync(true)),
    },
  ]
}

function ioredisScenes(port) {
  const pubsub = (close) => async () => {
    const [publisher, subscriber] = [new Redis(port), new Redis(port)]
    const channel = uniqueName(':')
    await subscriber.subscribe(channel)
    subscriber.on('message', nothing)
    return {
      bus: bindIoredisPubSub({ publisher, subscriber }),
      send: (body) => heard(publisher.publish(channel, body)),
      close: () => Promise.all([publisher, subscriber].map(close)),
      dispose: () => [publisher, subscriber].forEach((client) => client.disconnect()),
    }
  }
  const streams = async () => {
    const [publisher, consumer] = [new Redis(port), new Redis(port)]
    const stream = uniqueName(':')
    await publisher.xgroup('CREATE', stream, 'billing', '$', 'MKSTREAM')
    let isOpen = true
    const read = async () => {
      while (isOpen) {
        const reply = await consumer.xreadgroup(
          'GROUP',
          'billing',
          'one',
          'COUNT',
          10,
          'BLOCK',
          20,
          'STREAMS',
          stream,
          '>',
        )
        for (const [, entries] of reply ?? []) for (const [id] of entries) await consumer.xack(stream, 'billing', id)
      }
    }
    return {
      bus: bindIoredisStreams({ publisher, consumer }),
      // Whoever waits for an answer sends nothing meanwhile.
      together: 1,
      send: (() => {
        let isReading = false
        return (body) => {
          if (!isReading) heard(read())
          isReading = true
          heard(publisher.xadd(stream, '*', 'body', body))
        }
      })(),
      close: async () => {
        isOpen = false
        await Promise.all([publisher.quit(), consumer.disconnect()])
      },
      dispose: () => [publisher, consumer].forEach((client) => client.disconnect()),
    }
  }
  return [
    { name: 'clients of ioredis that quit', seams: ['publish', 'delivery'], open: pubsub((client) => client.quit()) },
    {
      name: 'clients of ioredis that were disconnected',
      seams: ['publish', 'delivery'],
      open: pubsub(async (client) => client.disconnect()),
    },
    { name: 'streams of ioredis whose clients were closed', seams: ['publish', 'delivery', 'ack'], open: streams },
  ]
}

function nodeRedisScenes(port) {
  const connect = () => createClient({ socket: { port } }).on('error', nothing).connect()
  const pubsub = (close, closesWhileHeld) => async () => {
    const [publisher, subscriber] = [await connect(), await connect()]
    const channel = uniqueName(':')
    await subscriber.subscribe(channel, nothing)
    return {
      bus: bindNodeRedisPubSub({ publisher, subscriber }),
      send: (body) => heard(publisher.publish(channel, body)),
      close: () => Promise.all([publisher, subscriber].map(close)),
      closesWhileHeld,
      dispose: () => [publisher, subscriber].forEach((client) => client.isOpen && client.destroy()),
    }
  }
  const streams = async () => {
    const [publisher, consumer] = [await connect(), await connect()]
    const stream = uniqueName(':')
    await publisher.xGroupCreate(stream, 'billing', '$', { MKSTREAM: true })
    let isReading = false
    const read = async () => {
      while (consumer.isOpen) {
        const reply = await consumer.xReadGroup('billing', 'one', { key: stream, id: '>' }, { COUNT: 10, BLOCK: 20 })
        for (const { messages } of reply ?? [])
          for (const { id } of messages) await consumer.xAck(stream, 'billing', id)
      }
    }
    return {
      bus: bindNodeRedisStreams({ publisher, consumer }),
      together: 1,
      send: (body) => {
        if (!isReading) heard(read())
        isReading = true
        heard(publisher.xAdd(stream, '*', { body }))
      },
      close: async () => [publisher, consumer].forEach((client) => client.destroy()),
      dispose: nothing,
    }
  }
  return [
    {
      name: 'clients of node-redis that were closed',
      seams: ['publish', 'delivery'],
      // A client that closes waits for its commands, as in health.
      open: pubsub((client) => client.close(), false),
    },
    {
      name: 'clients of node-redis that were destroyed',
      seams: ['publish', 'delivery'],
      open: pubsub(async (client) => client.destroy()),
    },
    {
      name: 'streams of node-redis whose clients were destroyed',
      seams: ['publish', 'delivery', 'ack'],
      open: streams,
    },
  ]
}

function bullScenes(port) {
  const open = (close) => async () => {
    const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null }
    const name = uniqueName('-')
    const [queue, other] = [new Queue(name, { connection }), new Queue(name, { connection })]
    const worker = new Worker(name, async () => undefined, { connection, concurrency: 2 })
    for (const one of [queue, worker, other]) one.on('error', nothing)
    await Promise.all([queue.waitUntilReady(), worker.waitUntilReady(), other.waitUntilReady()])
    return {
      bus: bindBullmq({ queue, worker }),
      send: (body) => heard(queue.add('job', { body })),
      close: () => close({ queue, worker }),
      // A worker that is closed waits for the job that it runs, as in health.
      closesWhileHeld: false,
      dispose: async () => {
        await worker.close(true).catch(nothing)
        await queue.close().catch(nothing)
        await other.obliterate({ force: true })
        await other.close()
      },
    }
  }
  return [
    {
      name: 'a queue and a worker of BullMQ that were closed',
      seams: ['publish', 'delivery', 'ack'],
      open: open(async ({ queue, worker }) => {
        await queue.close()
        await worker.close()
      }),
    },
    {
      name: 'a worker of BullMQ that was closed by force',
      seams: ['delivery', 'ack'],
      open: open(({ worker }) => worker.close(true)),
    },
  ]
}
