import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect as connectNats, headers } from '@nats-io/transport-node'
import { connect as connectRabbit } from 'amqplib'
import { Queue, Worker } from 'bullmq'
import { currentScope, inject, withScope } from '@chaos/core'
import { needScopes } from '@chaos/core/authoring'
import { hasPrograms, mockKafka, ownMosquitto, ownNats, ownRedis } from '@chaos/test-servers'
import { Kafka, logLevel } from 'kafkajs'
import mqtt from 'mqtt'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { uniqueName } from '../../test/broker-bus.js'
import { hasRabbitMq, RABBITMQ_URL } from '../../test/rabbitmq.js'
import { bindAmqplib } from '../clients/amqplib/index.js'
import { bindBullmq } from '../clients/bullmq/index.js'
import { bindJetStream } from '../clients/jetstream/index.js'
import { bindKafkajs } from '../clients/kafkajs/index.js'
import { bindMqtt } from '../clients/mqtt/index.js'
import { bindNats } from '../clients/nats/index.js'
import { dropEvents } from '../faults/drop-events.js'
import type { Bus } from '../seams/bus.js'
import { eventScopes } from './event-scopes.js'

/** A bus whose consumer runs. */
interface Running {
  readonly bus: Bus
  readonly name: string
  readonly publish: (content: string) => unknown
}

/** Called by a consumer, with the header that the application has sent itself. */
type Consume = (content: unknown, baggage: unknown) => void

interface Client {
  readonly client: string
  readonly runs: boolean
  readonly skipped: string
  readonly start: (consume: Consume) => Promise<Running>
}

const clients: readonly Client[] = [
  {
    client: 'amqplib',
    runs: hasRabbitMq,
    skipped: 'skipped without RabbitMQ',
    async start(consume) {
      const connection = await connectRabbit(RABBITMQ_URL)
      onTestFinished(() => connection.close())
      const channel = await connection.createChannel()
      const { queue } = await channel.assertQueue(uniqueName('.'), { exclusive: true })
      await channel.consume(queue, (message) => {
        if (message === null) return
        consume(message.content, message.properties.headers?.['baggage'])
        channel.ack(message)
      })
      return {
        bus: bindAmqplib({ publisher: channel, consumer: channel }),
        name: queue,
        publish: (content) => channel.sendToQueue(queue, Buffer.from(content), { headers: { baggage: 'user=alice' } }),
      }
    },
  },
  {
    client: 'NATS',
    runs: hasPrograms('nats-server'),
    skipped: 'skipped without `nats-server`',
    async start(consume) {
      const server = await ownNats()
      onTestFinished(() => server.stop())
      const connection = await connectNats({ port: server.port })
      onTestFinished(() => connection.close())
      const name = uniqueName('.')
      connection.subscribe(name, {
        callback: (_error, message) => consume(message.data, message.headers?.get('baggage')),
      })
      const own = headers()
      own.set('baggage', 'user=alice')
      own.set('other', 'kept: ü')
      return {
        bus: bindNats(connection),
        name,
        publish: (content) => connection.publish(name, content, { headers: own }),
      }
    },
  },
  {
    client: 'NATS JetStream',
    runs: hasPrograms('nats-server'),
    skipped: 'skipped without `nats-server`',
    async start(consume) {
      const server = await ownNats()
      onTestFinished(() => server.stop())
      const connection = await connectNats({ port: server.port })
      onTestFinished(() => connection.close())
      const [stream, name] = [uniqueName('-'), uniqueName('.')]
      const manager = await jetstreamManager(connection)
      await manager.streams.add({ name: stream, subjects: [name] })
      await manager.consumers.add(stream, { durable_name: 'billing', ack_policy: AckPolicy.Explicit })
      const client = jetstream(connection)
      const consumer = await client.consumers.get(stream, 'billing')
      const messages = await consumer.consume({
        callback: (message) => {
          consume(message.data, message.headers?.get('baggage'))
          message.ack()
        },
      })
      const own = headers()
      own.set('baggage', 'user=alice')
      return {
        bus: bindJetStream({ client, messages }),
        name,
        publish: (content) => client.publish(name, content, { headers: own }),
      }
    },
  },
  {
    client: 'kafkajs',
    runs: hasPrograms('kcat'),
    skipped: 'skipped without `kcat`',
    async start(consume) {
      const cluster = await mockKafka()
      onTestFinished(() => cluster.stop())
      const kafka = new Kafka({
        brokers: [`127.0.0.1:${cluster.port}`],
        logLevel: logLevel.NOTHING,
        retry: { initialRetryTime: 10, retries: 50 },
      })
      const topic = uniqueName('.')
      const producer = kafka.producer()
      await producer.connect()
      onTestFinished(() => producer.disconnect())
      await producer.send({ topic, messages: [{ value: 'first', partition: 0 }] })
      let hasBegun = false
      const handlers = {
        eachMessage: ({ message }: { readonly message: { readonly value: unknown; readonly headers?: object } }) => {
          if (hasBegun) consume(message.value, Reflect.get(message.headers ?? {}, 'baggage'))
          hasBegun = true
          return Promise.resolve()
        },
      }
      const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 20, rebalanceTimeout: 1_000 })
      await consumer.connect()
      onTestFinished(() => consumer.disconnect())
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      await consumer.run({ eachMessage: (payload) => handlers.eachMessage(payload) })
      await vi.waitFor(() => expect(hasBegun).toBe(true))
      const headers = { baggage: 'user=alice' }
      return {
        bus: bindKafkajs({ producer, handlers }),
        name: topic,
        publish: (value) =>
          producer.sendBatch({ topicMessages: [{ topic, messages: [{ value, headers, partition: 0 }] }] }),
      }
    },
  },
  {
    client: 'MQTT 5',
    runs: hasPrograms('mosquitto'),
    skipped: 'skipped without `mosquitto`',
    async start(consume) {
      const server = await ownMosquitto()
      onTestFinished(() => server.stop())
      const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.port}`, { protocolVersion: 5 })
      onTestFinished(() => client.endAsync(true))
      const name = uniqueName('/')
      client.on('message', (_topic, payload, packet) =>
        consume(payload, packet.properties?.userProperties?.['baggage']),
      )
      await client.subscribeAsync(name)
      const properties = { userProperties: { baggage: 'user=alice' } }
      return {
        bus: bindMqtt(client),
        name,
        publish: (content) => client.publishAsync(name, content, { properties }),
      }
    },
  },
  {
    client: 'BullMQ',
    runs: hasPrograms('redis-server'),
    skipped: 'skipped without `redis-server`',
    async start(consume) {
      const server = await ownRedis()
      const connection = { host: '127.0.0.1', port: server.port, maxRetriesPerRequest: null }
      const [queueName, name] = [uniqueName('-'), 'bill']
      const queue = new Queue(queueName, { connection })
      const worker = new Worker<unknown>(
        queueName,
        (job) => {
          const metadata: unknown = JSON.parse(job.opts.telemetry?.metadata ?? '{}')
          consume(job.data, (metadata as { readonly baggage?: unknown }).baggage)
          return Promise.resolve()
        },
        { connection },
      )
      onTestFinished(async () => {
        await worker.close()
        await queue.close()
        await server.stop()
      })
      const telemetry = { metadata: JSON.stringify({ baggage: 'user=alice', traceparent: '00-0-0-00' }) }
      return {
        bus: bindBullmq({ queue, worker }),
        name,
        publish: (content) => queue.addBulk([{ name, data: content, opts: { telemetry } }]),
      }
    },
  },
]

describe.each(clients)('eventScopes, through $client ($skipped)', ({ runs, start }) => {
  it.runIf(runs)('opens the scope of a delivery in that of its publisher, and keeps the headers', async () => {
    onTestFinished(needScopes())
    const got: (readonly unknown[])[] = []
    const { bus, name, publish } = await start((content, baggage) => {
      got.push([String(content), currentScope()?.path, String(baggage)])
    })
    const scopes = await eventScopes(bus)
    onTestFinished(() => scopes.stop())
    const dropped = await inject(dropEvents(), bus, { scope: 'test 2', only: name })
    onTestFinished(async () => {
      await dropped.rollback()
    })
    await withScope('test 1', () => publish('a'))
    await withScope('test 2', () => publish('b'))
    await publish('c')
    await vi.waitFor(() => expect(got).toHaveLength(2), { timeout: 10_000 })
    expect(got).toEqual([
      ['a', `test 1 > ${name}`, expect.stringMatching(/^user=alice,chaos=[\w-]+\.[\w-]+$/)],
      ['c', name, 'user=alice'],
    ])
    await vi.waitFor(() => expect(dropped.affected).toBe(1), { timeout: 10_000 })
  })
})
