import {
  AckPolicy,
  jetstream,
  jetstreamManager,
  type Consumer,
  type ConsumerMessages,
  type JsMsg,
} from '@nats-io/jetstream'
import { connect, nanos, type NatsConnection } from '@nats-io/transport-node'
import { inject, withFault } from '@chaos/core'
import { hasPrograms, ownNats, type OwnServer } from '@chaos/test-servers'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { contentOf, uniqueName } from '../../../test/broker-bus.js'
import { faultTable, type Content } from '../../../test/fault-table.js'
import { corruptEvents } from '../../faults/corrupt-events.js'
import { delayEvents } from '../../faults/delay-events.js'
import { dropEvents } from '../../faults/drop-events.js'
import { duplicateEvents } from '../../faults/duplicate-events.js'
import { failListeners } from '../../faults/fail-listeners.js'
import { lagConsumer } from '../../faults/lag-consumer.js'
import { loseAcks } from '../../faults/lose-acks.js'
import { nackEvents } from '../../faults/nack-events.js'
import { redeliverEvents } from '../../faults/redeliver-events.js'
import { observeDelivery } from '../../oracle/observe-delivery.js'
import { bindJetStream } from './index.js'

const classOf = (value: object): object => Object.getPrototypeOf(value) as object

describe.runIf(hasPrograms('nats-server'))(
  'NATS JetStream (skipped without `nats-server`: Debian package nats-server)',
  () => {
    let server: OwnServer
    let connection: NatsConnection
    beforeAll(async () => {
      server = await ownNats()
      connection = await connect({ servers: `127.0.0.1:${server.port}` })
    })
    afterAll(async () => {
      await connection.close()
      await server.stop()
    })

    /** A stream with a durable consumer. */
    async function stream({ ackWaitMs = 30_000 } = {}) {
      const manager = await jetstreamManager(connection)
      const [name, subject] = [uniqueName('-'), uniqueName('.')]
      await manager.streams.add({ name, subjects: [`${subject}.>`] })
      await manager.consumers.add(name, {
        durable_name: 'billing',
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(ackWaitMs),
      })
      const client = jetstream(connection)
      const consumer = await client.consumers.get(name, 'billing')
      return {
        client,
        consumer,
        subject: `${subject}.orders`,
        send: async (...bodies: readonly string[]) => {
          for (const body of bodies) await client.publish(`${subject}.orders`, body)
        },
      }
    }
    /** What the server keeps for a consumer: unacknowledged, and not delivered yet. */
    const backlog = async (consumer: Consumer): Promise<readonly number[]> => {
      const { num_ack_pending, num_pending } = await consumer.info()
      return [num_ack_pending, num_pending]
    }
    /** Consumes for the length of a test. */
    async function consume(
      consumer: Consumer,
      settle: (message: JsMsg) => void = (message) => message.ack(),
    ): Promise<{ messages: ConsumerMessages; got: JsMsg[]; bodies: () => string[] }> {
      const messages = await consumer.consume()
      const got: JsMsg[] = []
      const loop = (async () => {
        for await (const message of messages) {
          got.push(message)
          settle(message)
        }
      })()
      onTestFinished(async () => {
        await messages.close()
        await loop
      })
      return { messages, got, bodies: () => got.map((message) => message.string()) }
    }

    for (const kind of ['iterator', 'callback'] as const) {
      faultTable(`NATS JetStream, ${kind}`, async () => {
        const { client, consumer, subject } = await stream()
        const got: (Content | undefined)[] = []
        const classes: object[] = []
        const receive = (message: JsMsg): void => {
          if (message.string() === 'first') classes.push(classOf(message))
          else got.push(contentOf(message.string()))
          message.ack()
        }
        const messages = await consumer.consume(kind === 'callback' ? { callback: receive } : {})
        if (kind === 'iterator') {
          void (async () => {
            for await (const message of messages) receive(message)
          })()
        }
        await client.publish(subject, 'first')
        await vi.waitFor(() => expect(classes.length).toBeGreaterThan(0))
        return {
          target: bindJetStream({ client, messages }),
          name: subject,
          publish: (content) => client.publish(subject, JSON.stringify(content)),
          got,
          touched: [client, classOf(client), messages, classOf(messages), ...classes],
          redelivers: true,
          dispose: () => messages.close(),
        }
      })
    }

    it('holds a publish beneath its own timeout and retries, and sends what was held late', async () => {
      const { client, consumer, subject } = await stream()
      const bus = bindJetStream({ client })
      const injection = await inject(delayEvents({ delayMs: 60_000, seam: 'publish' }), bus)
      // Version 3.0 parses the missing answer after its last timeout.
      await expect(client.publish(subject, 'late', { timeout: 20 })).rejects.toThrow(/^timeout$|of null/)
      await expect(client.publish(subject, 'late', { timeout: 20, retries: 2 })).rejects.toThrow()
      expect([injection.seen, injection.held]).toEqual([3, 3])
      // A request of the application is not a publication.
      await expect(connection.request(`nobody.${subject}`, '', { timeout: 20 })).rejects.toThrow()
      expect(injection.seen).toBe(3)
      await injection.rollback()
      await vi.waitFor(async () => expect(await backlog(consumer)).toEqual([0, 3]))
      expect(await client.publish(subject, 'next')).toMatchObject({ seq: 4 })
    })

    it('keeps acknowledgements and the consumer working after every kind of fault', async () => {
      const { client, consumer, send } = await stream()
      const { messages, bodies } = await consume(consumer)
      const bus = bindJetStream({ client, messages })
      for (const fault of [
        dropEvents(),
        failListeners(),
        duplicateEvents(),
        loseAcks({ redeliverAfterMs: 5 }),
        nackEvents({ times: 2 }),
        redeliverEvents(),
        lagConsumer({ processingMs: 1 }),
      ]) {
        await withFault(fault, bus, async (injection) => {
          await send('1', '2', '3', '4', '5')
          await vi.waitFor(() => expect(injection.affected).toBeGreaterThanOrEqual(2))
        })
      }
      await send('last')
      await vi.waitFor(() => expect(bodies()).toContain('last'))
      await vi.waitFor(async () => expect(await backlog(consumer)).toEqual([0, 0]))
    })

    it('lets the ack wait of the server redeliver what was not acknowledged, and gives the rest back', async () => {
      const { consumer, send } = await stream({ ackWaitMs: 200 })
      const { messages, got, bodies } = await consume(consumer)
      const injection = await inject(loseAcks(), bindJetStream({ messages }), { limit: 1 })
      await send('a')
      await vi.waitFor(() => expect(bodies()).toEqual(['a', 'a']))
      expect(got.map(({ info }) => info.deliveryCount)).toEqual([1, 2])
      await injection.rollback()
      await vi.waitFor(async () => expect(await backlog(consumer)).toEqual([0, 0]))
    })

    it('tells who waits for its acknowledgement what it is told in health, while the server still waits', async () => {
      const { consumer, send } = await stream()
      const answers: unknown[] = []
      const { messages, bodies } = await consume(
        consumer,
        (message) => void message.ackAck().then((answer) => answers.push(answer)),
      )
      const injection = await inject(loseAcks(), bindJetStream({ messages }))
      await send('a')
      await vi.waitFor(() => expect(answers).toEqual([true]))
      expect(await backlog(consumer)).toEqual([1, 0])
      await injection.rollback()
      await vi.waitFor(() => expect(bodies()).toEqual(['a', 'a']))
      await vi.waitFor(() => expect(answers).toEqual([true, true]))
      expect(await backlog(consumer)).toEqual([0, 0])
    })

    it('hands out everything of a fetch that was held, before the fetch ends', async () => {
      const { consumer, send } = await stream()
      const bus = bindJetStream({ consumer })
      await send('a', 'b', 'c')
      await withFault(delayEvents({ delayMs: 20, order: 'free' }), bus, async (injection) => {
        const got: string[] = []
        for await (const message of await consumer.fetch({ max_messages: 3 })) {
          got.push(message.string())
          message.ack()
        }
        expect(got).toEqual(['a', 'b', 'c'])
        expect(injection.account).toMatchObject({ sent: 3, delivered: 3 })
      })
      await send('d')
      const next = await consumer.next()
      next?.ack()
      expect(next?.string()).toBe('d')
      await vi.waitFor(async () => expect(await backlog(consumer)).toEqual([0, 0]))
    })

    it('keeps the backlog on the server while its consumer lags', async () => {
      const { consumer, send } = await stream()
      const messages = await consumer.consume({
        max_messages: 2,
        threshold_messages: 1,
        callback: (message) => message.ack(),
      })
      onTestFinished(async () => {
        await messages.close()
      })
      const injection = await inject(lagConsumer({ processingMs: 60_000 }), bindJetStream({ messages }))
      await send('a', 'b', 'c', 'd', 'e', 'f')
      await vi.waitFor(async () => expect(await backlog(consumer)).toEqual([2, 4]))
      await injection.rollback()
      await vi.waitFor(async () => expect(await backlog(consumer)).toEqual([0, 0]))
    })

    it('changes what is read of a message in every way, and its copies are redeliveries', async () => {
      const { consumer, send } = await stream()
      const { messages, got } = await consume(consumer)
      const bus = bindJetStream({ messages })
      const duplicate = await inject(duplicateEvents(), bus)
      const corrupt = await inject(corruptEvents({ damage: 'set', at: 'id', value: 2 }), bus)
      await send('{"id":1}')
      await vi.waitFor(() => expect(got).toHaveLength(2))
      await corrupt.rollback()
      await duplicate.rollback()
      for (const message of got)
        expect([message.json(), message.string(), Buffer.from(message.data).toString()]).toEqual([
          { id: 2 },
          '{"id":2}',
          '{"id":2}',
        ])
      expect(got.map(({ redelivered, info }) => [redelivered, info.redelivered])).toEqual([
        [false, false],
        [true, true],
      ])
      await vi.waitFor(async () => expect(await backlog(consumer)).toEqual([0, 0]))
    })

    it('breaks one consumer and spares the other', async () => {
      const { client, consumer, send } = await stream()
      const manager = await jetstreamManager(connection)
      const { stream_name } = await consumer.info()
      await manager.consumers.add(stream_name, { durable_name: 'shipping', ack_policy: AckPolicy.Explicit })
      const [billing, shipping] = [
        await consume(consumer),
        await consume(await client.consumers.get(stream_name, 'shipping')),
      ]
      const injection = await inject(
        loseAcks({ subscriber: 'billing' }),
        bindJetStream({ messages: [billing.messages, shipping.messages] }),
      )
      await send('a', 'b')
      await vi.waitFor(() => expect([billing.got.length, shipping.got.length]).toEqual([2, 2]))
      await vi.waitFor(() => expect(injection.account).toMatchObject({ sent: 2, dropped: 2 }))
      await injection.rollback()
      await vi.waitFor(() => expect(billing.got).toHaveLength(4))
      expect(shipping.got).toHaveLength(2)
    })

    it.each([
      ['delay', delayEvents({ delayMs: 60_000 }), 'close'],
      ['delay', delayEvents({ delayMs: 60_000 }), 'drain'],
      ['redeliver', redeliverEvents({ afterMs: 60_000 }), 'close'],
      ['redeliver', redeliverEvents({ afterMs: 60_000 }), 'drain'],
    ] as const)(
      'loses what %s holds when its connection ends, and the server redelivers it',
      async (_fault, fault, end) => {
        const { consumer, send } = await stream()
        const own = await connect({ port: server.port })
        onTestFinished(() => own.close())
        const { stream_name: name } = await consumer.info()
        const got: string[] = []
        const messages = await (
          await jetstream(own).consumers.get(name, 'billing')
        ).consume({
          callback: (message) => {
            got.push(message.string())
            message.ack()
          },
        })
        void messages.closed().catch(() => undefined)
        const injection = await inject(fault, bindJetStream({ messages }))
        await send('held')
        await vi.waitFor(() => expect(injection.held).toBe(1))
        const before = [...got]
        await own[end]()
        await injection.rollback()
        expect([got, injection.account]).toMatchObject([before, { delivered: 0, dropped: 1, held: 0 }])
        expect(await backlog(consumer)).toEqual([1, 0])
      },
    )

    it('is observed: acknowledgements that are lost keep at-least-once, and break at-most-once', async () => {
      const { client, consumer, subject } = await stream()
      const { messages, got } = await consume(consumer)
      const bus = bindJetStream({ client, messages })
      const observer = await observeDelivery(bus, { idAt: 'id' })
      await withFault(loseAcks(), bus, { skip: 1 }, async () => {
        for (const id of [1, 2, 3]) await client.publish(subject, JSON.stringify({ id }))
        await vi.waitFor(() => expect(got).toHaveLength(3))
      })
      await vi.waitFor(() => expect(got).toHaveLength(5))
      expect(observer.violation('at-least-once')).toBeUndefined()
      expect(observer.violation('at-most-once')).toMatchObject({ name: subject, id: 2, subscriber: 'billing' })
      await observer.stop()
    })
  },
)
