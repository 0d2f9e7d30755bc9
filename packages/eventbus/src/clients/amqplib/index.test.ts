import { connect, type Channel, type ChannelModel, type ConfirmChannel, type ConsumeMessage } from 'amqplib'
import callbackApi from 'amqplib/callback_api'
import { createChaos, inject, withFault, type Injection } from '@chaos/core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { contentOf, uniqueName } from '../../../test/broker-bus.js'
import { faultTable, type Content } from '../../../test/fault-table.js'
import { hasRabbitMq, RABBITMQ_URL } from '../../../test/rabbitmq.js'
import { corruptEvents } from '../../faults/corrupt-events.js'
import { delayEvents } from '../../faults/delay-events.js'
import { dropEvents } from '../../faults/drop-events.js'
import { duplicateEvents } from '../../faults/duplicate-events.js'
import { failListeners } from '../../faults/fail-listeners.js'
import { lagConsumer } from '../../faults/lag-consumer.js'
import { loseAcks } from '../../faults/lose-acks.js'
import { nackEvents } from '../../faults/nack-events.js'
import { redeliverEvents } from '../../faults/redeliver-events.js'
import { reorderEvents } from '../../faults/reorder-events.js'
import { observeDelivery } from '../../oracle/observe-delivery.js'
import { bindAmqplib } from './index.js'

const classOf = (channel: object): object => Object.getPrototypeOf(channel) as object

describe.runIf(hasRabbitMq)(
  'channels of amqplib (skipped without RabbitMQ on 127.0.0.1:5672, or where CHAOS_RABBITMQ_URL says)',
  () => {
    let connection: ChannelModel
    beforeAll(async () => {
      connection = await connect(RABBITMQ_URL)
    })
    afterAll(() => connection.close())

    /** A queue, the channels at both ends of it, and what its consumer does with a message. Default: acknowledges it. */
    async function queueOf(
      settle: (channel: Channel, message: ConsumeMessage) => void = (channel, message) => channel.ack(message),
      { prefetch = 0, noAck = false, confirm = false, from = connection } = {},
    ) {
      const [publisher, consumer] = [
        confirm ? await from.createConfirmChannel() : await from.createChannel(),
        await from.createChannel(),
      ]
      const { queue } = await consumer.assertQueue(uniqueName('.'), { durable: false })
      if (prefetch > 0) await consumer.prefetch(prefetch)
      const got: ConsumeMessage[] = []
      const ended: unknown[] = []
      for (const channel of [publisher, consumer]) channel.on('error', (error) => ended.push(error))
      const { consumerTag } = await consumer.consume(
        queue,
        (message) => {
          if (message === null) return
          got.push(message)
          settle(consumer, message)
        },
        { noAck, consumerTag: `billing-${queue}` },
      )
      return {
        publisher,
        consumer,
        queue,
        got,
        consumerTag,
        bodies: () => got.map(({ content }) => content.toString()),
        send: (...bodies: readonly string[]) => {
          for (const body of bodies) publisher.sendToQueue(queue, Buffer.from(body))
        },
        bus: bindAmqplib({ publisher, consumer, noAck }),
        /** Messages that the broker still keeps when its consumer has gone. */
        remaining: async (): Promise<number> => {
          await consumer.close()
          return (await publisher.checkQueue(queue)).messageCount
        },
        dispose: async () => {
          expect(ended).toEqual([])
          await publisher.deleteQueue(queue)
          await publisher.close()
          await consumer.close().catch(() => undefined)
        },
      }
    }
    /** The same, for a test. */
    const scene: typeof queueOf = async (...args) => {
      const made = await queueOf(...args)
      onTestFinished(made.dispose)
      return made
    }

    for (const kind of ['channel', 'confirm channel'] as const) {
      faultTable(`RabbitMQ, ${kind} of amqplib`, async (title) => {
        const isCut = title === 'disconnect'
        const from = isCut ? await connect(RABBITMQ_URL) : connection
        if (isCut) from.on('error', () => undefined)
        const { publisher, consumer, queue, got, bus, dispose } = await queueOf(undefined, {
          confirm: kind === 'confirm channel',
          from,
        })
        const contents: (Content | undefined)[] = []
        consumer.on('delivery', ({ content }) => contents.push(contentOf(content)))
        expect(got).toEqual([])
        return {
          target: bus,
          name: queue,
          publish: (content) => publisher.sendToQueue(queue, Buffer.from(JSON.stringify(content))),
          got: contents,
          touched: [publisher, consumer, classOf(publisher), classOf(consumer)],
          redelivers: true,
          staysAway: true,
          dispose: isCut ? () => connection.createChannel().then((channel) => channel.deleteQueue(queue)) : dispose,
        }
      })
    }

    it('keeps acknowledgements, refusals and the prefetch window working after every kind of fault', async () => {
      const { send, bodies, bus, remaining } = await scene(undefined, { prefetch: 2 })
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
          send('1', '2', '3', '4', '5')
          await vi.waitFor(() => expect(injection.affected).toBeGreaterThanOrEqual(2))
        })
      }
      send('last')
      await vi.waitFor(() => expect(bodies()).toContain('last'))
      expect(await remaining()).toBe(0)
    })

    it('gives back what was not acknowledged, marked as redelivered, and only what no later call has settled', async () => {
      const { send, got, bodies, consumer, bus, remaining } = await scene((channel, message) => {
        if (!message.fields.redelivered) channel.ack(message, message.content.toString() === 'c')
      })
      const injection = await inject(loseAcks(), bus, { skip: 2, limit: 2 })
      send('a', 'b', 'c', 'd')
      await vi.waitFor(() => expect(got).toHaveLength(4))
      expect(injection.account).toMatchObject({ dropped: 2, delivered: 2 })
      await injection.rollback()
      await vi.waitFor(() => expect(got).toHaveLength(6))
      expect(bodies().slice(4).sort()).toEqual(['c', 'd'])
      expect(got.slice(4).every(({ fields }) => fields.redelivered)).toBe(true)
      consumer.ackAll()

      const late = await inject(loseAcks(), bus, { limit: 1 })
      send('e', 'f', 'c')
      await vi.waitFor(() => expect(got).toHaveLength(9))
      await late.rollback()
      expect(await remaining()).toBe(0)
    })

    it.each([
      ['ackAll', (channel: Channel) => channel.ackAll()],
      ['nackAll', (channel: Channel) => channel.nackAll()],
      ['recover', (channel: Channel) => channel.recover()],
    ] as const)(
      'settles nothing twice that was held while %s settled it, and delivers it once',
      async (_method, settle) => {
        const { send, bodies, consumer, bus, remaining } = await scene()
        const injection = await inject(delayEvents({ delayMs: 60_000 }), bus, { limit: 2 })
        send('a', 'b')
        await vi.waitFor(() => expect(injection.held).toBe(2))
        await settle(consumer)
        await injection.rollback()
        await vi.waitFor(() => expect(bodies()).toEqual(['a', 'b']))
        // Nothing comes through a channel that has settled twice.
        send('last')
        await vi.waitFor(() => expect(bodies()).toEqual(['a', 'b', 'last']))
        expect(await remaining()).toBe(0)
      },
    )

    it('settles nothing twice where a later delivery has settled those before it', async () => {
      const { send, bodies, bus, remaining } = await scene((channel, message) =>
        channel.ack(message, message.content.toString() === 'b'),
      )
      const injection = await inject(delayEvents({ delayMs: 60_000, order: 'free' }), bus, { limit: 1 })
      send('a', 'b')
      await vi.waitFor(() => expect(bodies()).toEqual(['b']))
      await injection.rollback()
      expect(bodies()).toEqual(['b', 'a'])
      send('last')
      await vi.waitFor(() => expect(bodies()).toEqual(['b', 'a', 'last']))
      expect(await remaining()).toBe(0)
    })

    it('leaves it to the broker when the channel has closed', async () => {
      const { send, got, bus, remaining } = await scene()
      const injection = await inject(loseAcks(), bus)
      send('a')
      await vi.waitFor(() => expect(got).toHaveLength(1))
      expect(await remaining()).toBe(1)
      await injection.rollback()
    })

    it('keeps what is said of a copy from the broker, also when the fault has ended', async () => {
      const { send, got, consumer, bus, remaining } = await scene(() => undefined)
      const bare = classOf(consumer)
      const duplicate = await inject(duplicateEvents(), bus)
      const corrupt = await inject(corruptEvents({ damage: 'truncate' }), bus)
      send('abcd')
      await vi.waitFor(() => expect(got).toHaveLength(2))
      await corrupt.rollback()
      await duplicate.rollback()
      for (const message of got) consumer.ack(message)
      send('next')
      await vi.waitFor(() => expect(got).toHaveLength(3))
      expect(got.map(({ fields: { redelivered } }) => redelivered)).toEqual([false, true, false])
      consumer.ackAll()
      await vi.waitFor(() => expect(classOf(consumer)).toBe(bare))
      expect(await remaining()).toBe(0)
    })

    it('confirms what was held when it has been published, what was lost at once, and nothing twice', async () => {
      const { publisher, queue, bodies, bus } = await scene(undefined, { confirm: true })
      const confirmed: unknown[] = []
      const publish = (body: string) =>
        publisher.publish(
          '',
          queue,
          Buffer.from(body),
          {},
          ...([(error: unknown) => confirmed.push([body, error])] as unknown as []),
        )
      await withFault(duplicateEvents({ seam: 'publish' }), bus, () => publish('twice'))
      await withFault(dropEvents({ seam: 'publish' }), bus, () => expect(publish('lost')).toBe(true))
      await vi.waitFor(() => expect(confirmed).toHaveLength(2))
      expect(confirmed.sort()).toEqual([
        ['lost', null],
        ['twice', null],
      ])
      await vi.waitFor(() => expect(bodies()).toEqual(['twice', 'twice']))
    })

    it('waits for the confirmation of what is held, in the right order, whatever overtakes it', async () => {
      const { publisher, queue, got, bus } = await scene(undefined, { confirm: true })
      const confirming = publisher as ConfirmChannel
      const confirmed: string[] = []
      const publish = (body: string) =>
        confirming.sendToQueue(queue, Buffer.from(body), {}, (error: unknown) =>
          confirmed.push(`${body} ${String(error)}`),
        )
      let waited = ''
      const delay = await inject(delayEvents({ delayMs: 60_000, seam: 'publish', order: 'free' }), bus, {
        skip: 2,
        limit: 2,
      })
      for (const body of 'abcdef') publish(body)
      void confirming.waitForConfirms().then(() => (waited = 'all'))
      await vi.waitFor(() => expect(confirmed).toHaveLength(4))
      expect([confirmed.join(), waited]).toEqual(['a null,b null,e null,f null', ''])
      await delay.rollback()
      await vi.waitFor(() => expect(waited).toBe('all'))
      expect(confirmed.slice(4)).toEqual(['c null', 'd null'])
      expect(Reflect.get(confirming, 'unconfirmed')).toEqual([])
      expect(Reflect.get(confirming, 'lwm')).toBe(7)
      await vi.waitFor(() => expect(got).toHaveLength(6))
    })

    it.each([
      ['held', [delayEvents({ delayMs: 60_000, seam: 'publish' })]],
      ['copied', [duplicateEvents({ spacingMs: 60_000, seam: 'publish' })]],
      ['reordered', [reorderEvents({ withinMs: 60_000, window: 4, seam: 'publish' })]],
      [
        'copied, and held or lost below',
        [
          dropEvents({ seam: 'publish' }),
          delayEvents({ delayMs: 60_000, order: 'free', seam: 'publish' }),
          duplicateEvents({ seam: 'publish' }),
        ],
      ],
    ] as const)('confirms every message once, and keeps count: %s', async (_how, faults) => {
      const { publisher, queue, bus } = await scene(undefined, { confirm: true })
      const confirming = publisher as ConfirmChannel
      const confirmed: string[] = []
      const bodies = 'abcdefghij'.split('')
      const injections: Injection[] = []
      for (const fault of faults) injections.push(await inject(fault, bus, { seed: 7, rate: 0.5 }))
      for (const body of bodies)
        confirming.publish('', queue, Buffer.from(body), {}, (error: unknown) =>
          confirmed.push(`${body} ${String(error)}`),
        )
      for (const injection of injections) await injection.rollback()
      await confirming.waitForConfirms()
      expect(confirmed.sort()).toEqual(bodies.map((body) => `${body} null`))
      expect(Reflect.get(confirming, 'unconfirmed')).toEqual([])
    })

    describe('while the broker confirms one message at a time', () => {
      /** A confirm channel that confirms when the test says so, as a loaded broker may. */
      async function confirmScene() {
        const { publisher, queue, bus } = await scene(undefined, { confirm: true })
        const confirming = publisher as ConfirmChannel
        const confirm = confirming.listeners('ack')
        confirming.removeAllListeners('ack')
        const confirmed: string[] = []
        return {
          confirming,
          bus,
          confirmed,
          publish: (body: string, then: () => void = () => undefined) =>
            confirming.publish('', queue, Buffer.from(body), {}, () => {
              confirmed.push(body)
              then()
            }),
          confirm: (deliveryTag: number, multiple = false) => {
            for (const listener of confirm) Reflect.apply(listener, confirming, [{ deliveryTag, multiple }])
          },
          unconfirmed: () => (Reflect.get(confirming, 'unconfirmed') as unknown[]).length,
        }
      }

      it('waits for all that one call has sent, also when the fault ends in the same tick', async () => {
        const { confirming, bus, confirmed, publish, confirm } = await confirmScene()
        const injection = await inject(reorderEvents({ window: 2, withinMs: 60_000, seam: 'publish' }), bus)
        publish('a')
        publish('b')
        void injection.rollback()
        let waited = false
        const waiting = confirming.waitForConfirms().then(() => (waited = true))
        confirm(1)
        await new Promise(setImmediate)
        expect([confirmed, waited]).toEqual([['b'], false])
        confirm(2)
        await waiting
        expect(confirmed).toEqual(['b', 'a'])
      })

      it('keeps count when the fault ends during a call, and the next call follows at once', async () => {
        const { bus, confirmed, publish, confirm } = await confirmScene()
        const injection = await inject(reorderEvents({ window: 2, withinMs: 60_000, seam: 'publish' }), bus, {
          limit: 2,
        })
        for (const body of 'abc') publish(body)
        await injection.done
        for (const tag of [1, 2, 3]) confirm(tag)
        expect(confirmed).toEqual(['b', 'a', 'c'])
      })

      it('keeps count of what is published, and held, in the callback of a confirmation while the next one arrives', async () => {
        const { bus, confirmed, publish, confirm, unconfirmed } = await confirmScene()
        const injection = await inject(delayEvents({ delayMs: 60_000, seam: 'publish' }), bus, { skip: 2 })
        publish('a', () => publish('c'))
        publish('b')
        confirm(1)
        confirm(2)
        await new Promise(setImmediate)
        expect([confirmed, injection.held, unconfirmed()]).toEqual([['a', 'b'], 1, 0])
        await injection.rollback()
        confirm(3)
        expect([confirmed, unconfirmed()]).toEqual([['a', 'b', 'c'], 0])
      })

      it('keeps count when faults that hold end together', async () => {
        const { bus, confirmed, publish, confirm, unconfirmed } = await confirmScene()
        const hold = delayEvents({ delayMs: 60_000, order: 'free', seam: 'publish' })
        const chaos = createChaos({ environment: 'test', targets: {} })
        onTestFinished(() => chaos.close())
        await inject(hold, bus, { limit: 1 })
        await inject(hold, bus, { skip: 1 })
        for (const body of 'abc') publish(body)
        expect(unconfirmed()).toBe(0)
        await chaos.controller.stopAll()
        expect(unconfirmed()).toBe(3)
        confirm(3, true)
        expect(confirmed).toEqual(['a', 'b', 'c'])
      })

      it('has called the callbacks of lost messages when the fault has ended', async () => {
        const { confirming, bus, confirmed, publish } = await confirmScene()
        const injection = await inject(dropEvents({ seam: 'publish' }), bus)
        publish('a')
        expect(confirmed).toEqual([])
        await injection.rollback()
        await confirming.waitForConfirms()
        expect(confirmed).toEqual(['a'])
      })

      it('leaves a message that the channel refuses as it is in health', async () => {
        const refusedBy = async (isFaulty: boolean) => {
          const channel = await connection.createConfirmChannel()
          if (isFaulty) {
            const bus = bindAmqplib({ publisher: channel })
            const injection = await inject(dropEvents({ seam: 'publish' }), bus, { skip: 9 })
            onTestFinished(() => void injection.rollback())
          }
          expect(() => channel.sendToQueue('q', 'text' as unknown as Buffer)).toThrow(TypeError)
          const waiting = channel.waitForConfirms().then(() => 'resolves', String)
          await channel.close()
          return [Reflect.get(channel, 'unconfirmed') as unknown, await waiting]
        }
        expect(await refusedBy(true)).toEqual(await refusedBy(false))
      })
    })

    it('tells those who wait for the confirmation of a held message when the channel closes', async () => {
      const { queue } = await scene()
      const confirming = await connection.createConfirmChannel()
      const bus = bindAmqplib({ publisher: confirming })
      const told: unknown[] = []
      const injection = await inject(delayEvents({ delayMs: 60_000, seam: 'publish' }), bus)
      const listeners = confirming.listenerCount('close')
      confirming.sendToQueue(queue, Buffer.from('a'), {}, (error: unknown) => told.push(error))
      const waiting = confirming.waitForConfirms()
      await confirming.close()
      await expect(waiting).rejects.toThrow('channel closed')
      expect(told).toEqual([new Error('channel closed')])
      await injection.rollback()
      expect(injection.account).toMatchObject({ sent: 1, dropped: 1, held: 0 })
      expect([told.length, confirming.listenerCount('close')]).toEqual([1, listeners - 1])
    })

    it('breaks channels of the callback API, whose waitForConfirms waits for what is held', async () => {
      const from = await new Promise<callbackApi.Connection>((resolve, reject) =>
        callbackApi.connect(RABBITMQ_URL, (error: unknown, made) =>
          error instanceof Error ? reject(error) : resolve(made),
        ),
      )
      onTestFinished(() => new Promise<void>((resolve) => from.close(() => resolve())))
      const publisher = await new Promise<callbackApi.ConfirmChannel>((resolve, reject) =>
        from.createConfirmChannel((error: unknown, made) => (error instanceof Error ? reject(error) : resolve(made))),
      )
      const { queue, got } = await scene()
      const told: string[] = []
      await withFault(delayEvents({ delayMs: 60_000, seam: 'publish' }), bindAmqplib({ publisher }), (injection) => {
        publisher.sendToQueue(queue, Buffer.from('a'), {}, () => told.push('confirmed'))
        publisher.waitForConfirms(() => told.push('waited'))
        expect([injection.held, told]).toEqual([1, []])
      })
      await vi.waitFor(() => expect(told).toEqual(['confirmed', 'waited']))
      await vi.waitFor(() => expect(got).toHaveLength(1))
    })

    it('breaks a consumer by its tag, an exchange without routing keys by its name, and one that acknowledges nothing', async () => {
      const { publisher, queue, consumer, consumerTag, got, send, bus } = await scene(() => undefined, { noAck: true })
      const { exchange } = await publisher.assertExchange(uniqueName('.'), 'fanout', {
        durable: false,
        autoDelete: true,
      })
      await consumer.bindQueue(queue, exchange, '')
      await withFault(dropEvents({ subscriber: consumerTag }), bus, { only: exchange }, async (injection) => {
        publisher.publish(exchange, '', Buffer.from('lost'))
        await vi.waitFor(() => expect(injection.account).toMatchObject({ dropped: 1 }))
      })
      await expect(inject(loseAcks(), bus)).rejects.toMatchObject({ code: 'CHAOS_TARGET_MISMATCH' })
      send('next')
      await vi.waitFor(() => expect(got).toHaveLength(1))
    })

    it('is observed: acknowledgements that are lost keep at-least-once, and break at-most-once', async () => {
      const { publisher, queue, got, bus } = await scene()
      const observer = await observeDelivery(bus, { idAt: 'id' })
      await withFault(loseAcks(), bus, { skip: 1 }, async () => {
        for (const id of [1, 2, 3]) publisher.sendToQueue(queue, Buffer.from(JSON.stringify({ id })))
        await vi.waitFor(() => expect(got).toHaveLength(3))
      })
      await vi.waitFor(() => expect(got).toHaveLength(5))
      expect(observer.violation('at-least-once')).toBeUndefined()
      expect(observer.violation('at-most-once')).toMatchObject({ name: queue, id: 2, subscriber: `billing-${queue}` })
      await observer.stop()
    })
  },
)
