import { connect, type Socket } from 'node:net'
import { createRequire } from 'node:module'
import { inject } from '@chaos/core'
import { shapeDifference, shapeOf } from '@chaos/core/testing'
import { hasPrograms, mockKafka } from '@chaos/test-servers'
import { Kafka, logLevel, type Producer } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { uniqueName } from '../../../test/broker-bus.js'
import { delayEvents } from '../../faults/delay-events.js'
import { bindKafkajs } from './index.js'

const held = delayEvents({ delayMs: 60_000, seam: 'publish' })

describe.runIf(hasPrograms('kcat'))(
  'the requests of a kafkajs producer under a fault (skipped without `kcat`: Debian package kcat)',
  () => {
    let cluster: Awaited<ReturnType<typeof mockKafka>>
    beforeAll(async () => {
      cluster = await mockKafka()
    })
    afterAll(() => cluster.stop())

    /** A producer that has sent a first message, and what it has noted. */
    async function running(requestTimeout = 30_000) {
      const sockets: Socket[] = []
      const options = { brokers: [`127.0.0.1:${cluster.port}`], logLevel: logLevel.NOTHING }
      const kafka = new Kafka({
        ...options,
        requestTimeout,
        retry: { initialRetryTime: 10, retries: 1 },
        socketFactory: ({ host, port, onConnect }) => {
          const socket = connect(port, host, onConnect)
          sockets.push(socket)
          return socket
        },
      })
      const producer = kafka.producer()
      const admin = new Kafka(options).admin()
      onTestFinished(async () => {
        await Promise.all([producer.disconnect(), admin.disconnect()])
      })
      await Promise.all([producer.connect(), admin.connect()])
      const topic = uniqueName('.')
      const timeouts: string[] = []
      producer.on('producer.network.request_timeout', ({ payload }) => timeouts.push(payload.apiName))
      const send = (value: string, acks = -1): ReturnType<Producer['send']> =>
        producer.send({ topic, acks, messages: [{ key: 'k', value, partition: 0 }] })
      await send('first')
      // With a short timeout, a machine that stalls may make the first message several: then another producer begins, in a topic of its own.
      if (timeouts.length > 0) throw new Error(`Expected no timeout in health, got ${timeouts.join()}.`)
      return {
        producer,
        sockets,
        timeouts,
        send,
        topic,
        bus: bindKafkajs({ producer }),
        /** How many messages the broker has beyond the first. */
        stored: async () => {
          const offsets = await admin.fetchTopicOffsets(topic)
          return Number(offsets.find(({ partition }) => partition === 0)?.high) - 1
        },
      }
    }

    it('run into the timeout and the retries of the client, and arrive late as from a slow link', async () => {
      const { bus, send, timeouts, stored } = await vi.waitFor(() => running(150))
      const injection = await inject(held, bus)
      await expect(send('held')).rejects.toMatchObject({
        name: 'KafkaJSNumberOfRetriesExceeded',
        cause: { name: 'KafkaJSRequestTimeoutError' },
      })
      expect([timeouts, injection.affected, injection.account['held']]).toEqual([['Produce', 'Produce'], 1, 1])
      expect(await stored()).toBe(0)
      await injection.rollback()
      // Both attempts are on the connection.
      await vi.waitFor(async () => expect(await stored()).toBe(2))
      expect(injection.account).toMatchObject({ delivered: 1, held: 0 })
    })

    it('are lost with their connection, and the client sends the message again', async () => {
      const { bus, send, sockets, stored } = await running()
      const injection = await inject(held, bus)
      const sent = send('held')
      await vi.waitFor(() => expect(injection.affected).toBe(1))
      await vi.waitFor(() => expect(sockets.some((socket) => socket.bytesWritten > 0)).toBe(true))
      for (const socket of [...sockets]) socket.destroy(new Error('cut'))
      await injection.rollback()
      await sent
      expect(await stored()).toBe(1)
    })

    it('count as sent at once where the client awaits no answer', async () => {
      const { bus, send, stored } = await running()
      const injection = await inject(held, bus)
      expect(await send('held', 0)).toEqual([])
      expect([injection.account['held'], await stored()]).toEqual([1, 0])
      await injection.rollback()
      await vi.waitFor(async () => expect(await stored()).toBe(1))
    })

    it('of a batch are affected topic by topic', async () => {
      const { producer, bus, stored, topic } = await running()
      const other = uniqueName('.')
      const injection = await inject(held, bus, { only: topic })
      const messages = [{ key: 'k', value: 'batch', partition: 0 }]
      const sent = producer.sendBatch({ topicMessages: [topic, other].map((name) => ({ topic: name, messages })) })
      await vi.waitFor(() => expect(injection.seen).toBe(1))
      expect(await stored()).toBe(0)
      await injection.rollback()
      expect((await sent).map(({ topicName }) => topicName)).toEqual([topic, other])
      expect(await stored()).toBe(1)
      await expect(producer.sendBatch({})).resolves.toEqual([])
    })

    it('are kept where a call is held whose producer is not of kafkajs', async () => {
      const sent: string[] = []
      const own = {
        send: ({ topic }: { readonly topic: string }) => Promise.resolve(sent.push(topic)),
        sendBatch: () => Promise.resolve(),
      }
      const injection = await inject(held, bindKafkajs({ producer: own }))
      const answer = own.send({ topic: 'orders', ...{ messages: [{ value: 'held' }] } })
      expect([sent, injection.affected]).toEqual([[], 1])
      await injection.rollback()
      expect([await answer, sent]).toEqual([1, ['orders']])
    })

    it('leave nothing on the classes of kafkajs', async () => {
      const { bus, send } = await running()
      const require = createRequire(import.meta.url)
      const classes = ['connection.js', 'requestQueue/index.js'].map((file) => {
        const path = Object.keys(require.cache).find((one) => one.endsWith(`kafkajs/src/network/${file}`))
        return (require.cache[path ?? '']?.exports as { readonly prototype: object }).prototype
      })
      const before = classes.map((one) => shapeOf(one))
      const injection = await inject(delayEvents({ delayMs: 1, seam: 'publish' }), bus)
      expect(classes.map((one, at) => shapeDifference(before[at] ?? [], shapeOf(one)))).not.toContain(undefined)
      await send('late')
      await injection.rollback()
      expect(classes.map((one, at) => shapeDifference(before[at] ?? [], shapeOf(one)))).toEqual([undefined, undefined])
    })
  },
)
