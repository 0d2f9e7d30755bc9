import { inject, injectedBy } from '@chaos/core'
import { hasPrograms, mockKafka } from '@chaos/test-servers'
import { Kafka, logLevel, type Consumer, type EachMessagePayload, type Producer } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { contentOf, uniqueName } from '../../../test/broker-bus.js'
import { stackedFaults } from '../../../test/stacked-faults.js'
import { corruptEvents } from '../../faults/corrupt-events.js'
import { delayEvents } from '../../faults/delay-events.js'
import { dropEvents } from '../../faults/drop-events.js'
import { duplicateEvents } from '../../faults/duplicate-events.js'
import { failListeners } from '../../faults/fail-listeners.js'
import { observeDelivery } from '../../oracle/observe-delivery.js'
import { bindKafkajs } from './index.js'

describe.runIf(hasPrograms('kcat'))(
  'kafkajs, at the level of the protocol (skipped without `kcat`: Debian package kcat)',
  () => {
    let cluster: Awaited<ReturnType<typeof mockKafka>>
    let kafka: Kafka
    let producer: Producer
    beforeAll(async () => {
      cluster = await mockKafka()
      kafka = new Kafka({
        brokers: [`127.0.0.1:${cluster.port}`],
        logLevel: logLevel.NOTHING,
        retry: { initialRetryTime: 10, retries: 50 },
      })
      producer = kafka.producer()
      await producer.connect()
    })
    afterAll(async () => {
      await producer.disconnect()
      await cluster.stop()
    })

    /** A topic with a consumer that runs. */
    async function running() {
      const topic = uniqueName('.')
      const got: string[] = []
      const errors: unknown[] = []
      const handlers = {
        eachMessage: async ({ message }: EachMessagePayload): Promise<void> => {
          got.push(`${String(message.key)} ${String(message.value)}`)
          return Promise.resolve()
        },
      }
      const consumer: Consumer = kafka.consumer({
        groupId: `group.${topic}`,
        maxWaitTimeInMs: 20,
        rebalanceTimeout: 1_000,
      })
      onTestFinished(() => consumer.disconnect())
      await consumer.connect()
      await producer.send({ topic, messages: [{ key: 'k', value: 'first' }] })
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      await consumer.run({
        eachMessage: async (payload) => {
          try {
            await handlers.eachMessage(payload)
          } catch (error) {
            errors.push(error)
            throw error
          }
        },
      })
      await vi.waitFor(() => expect(got).toEqual(['k first']))
      got.length = 0
      return {
        topic,
        got,
        errors,
        handlers,
        bus: bindKafkajs({ producer, handlers, groupId: 'billing' }),
        send: (value: string) => producer.send({ topic, messages: [{ key: 'k', value }] }),
      }
    }

    stackedFaults(async () => {
      const { topic, got, handlers, send } = await running()
      return {
        // At publish, a message that a fault holds has passed the faults beneath.
        ...{ target: bindKafkajs({ handlers }), name: topic, touched: [] },
        publish: (content) => send(JSON.stringify(content)),
        get got() {
          return got.map((line) => contentOf(line.slice('k '.length)))
        },
      }
    })

    it('delays, repeats, damages and loses what is sent, and is as it was found afterwards', async () => {
      const { topic, got, bus, send } = await running()
      const bare = producer.send
      const seam = 'publish'
      for (const [value, fault] of [
        ['late', delayEvents({ delayMs: 20, seam })],
        ['twice', duplicateEvents({ seam })],
        ['damaged', corruptEvents({ damage: 'truncate', length: 3, seam })],
        ['lost', dropEvents({ seam })],
      ] as const) {
        const injection = await inject(fault, bus, { only: topic })
        expect(await send(value)).toMatchObject([{ topicName: topic, errorCode: 0 }])
        expect(injection.affected).toBe(1)
        await injection.rollback()
      }
      expect(producer.send).toBe(bare)
      await send('bare')
      await vi.waitFor(() => expect(got.at(-1)).toBe('k bare'))
      expect(got).toEqual(['k late', 'k twice', 'k twice', 'k dam', 'k bare'])
    })

    it('damages each value of a send that has several', async () => {
      const { topic, got, bus } = await running()
      const injection = await inject(corruptEvents({ damage: 'set', at: '1', value: 'other', seam: 'publish' }), bus, {
        only: topic,
      })
      await producer.send({
        topic,
        messages: [
          { key: 'k', value: 'one' },
          { key: 'k', value: 'two' },
        ],
      })
      await injection.rollback()
      await vi.waitFor(() => expect(got).toEqual(['k one', 'k other']))
    })

    it('keeps what it loses at delivery committed, and what it holds in order', async () => {
      const { topic, got, handlers, bus, send } = await running()
      const bare = handlers.eachMessage
      const lost = await inject(dropEvents({ subscriber: 'billing' }), bus, { only: topic, limit: 1 })
      await send('lost')
      await vi.waitFor(() => expect(lost.account).toMatchObject({ sent: 1, dropped: 1 }))
      await lost.rollback()
      const late = await inject(delayEvents({ delayMs: 20 }), bus, { only: topic })
      for (const value of ['a', 'b', 'c']) await send(value)
      await vi.waitFor(() => expect(got).toEqual(['k a', 'k b', 'k c']))
      expect(late.affected).toBe(3)
      await late.rollback()
      expect(handlers.eachMessage).toBe(bare)
    })

    it('has kafkajs try a message again whose handler fails', async () => {
      const { topic, got, errors, bus, send } = await running()
      const injection = await inject(failListeners({ how: 'reject' }), bus, { only: topic, limit: 2 })
      await send('again')
      await vi.waitFor(() => expect(got).toEqual(['k again']))
      expect(errors.map((error) => injectedBy(error))).toEqual(['eventbus/fail-listeners', 'eventbus/fail-listeners'])
      expect(injection.account).toMatchObject({ failed: 2 })
      await injection.rollback()
    })

    it('is observed: what was sent, what arrived, and which message broke a guarantee first', async () => {
      const { topic, got, bus, send } = await running()
      const observer = await observeDelivery(bus, { idAt: 'id', subscribers: 'billing', maxLagMs: 600_000 })
      for (const id of [1, 2]) await send(JSON.stringify({ id }))
      await vi.waitFor(() => expect(observer.observation).toMatchObject({ sent: 2, delivered: { billing: 2 } }))
      observer.assert('exactly-once', 'in-order', 'bounded-lag')
      const loss = await inject(dropEvents(), bus, { only: topic, limit: 1 })
      for (const id of [3, 4]) await send(JSON.stringify({ id }))
      await vi.waitFor(() => expect(got).toHaveLength(3))
      await loss.rollback()
      expect(observer.violation('at-least-once')).toMatchObject({ subscriber: 'billing', name: topic, id: 3 })
      await observer.stop()
    })
  },
)
