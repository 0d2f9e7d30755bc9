import { inject, withFault } from '@chaos/core'
import { hasPrograms, ownRedis, type OwnServer } from '@chaos/test-servers'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { contentOf, uniqueName } from '../../../test/broker-bus.js'
import { faultTable, type Content } from '../../../test/fault-table.js'
import { listeners, oracle } from '../../../test/oracle.js'
import { redisQueue } from '../../../test/redis-queue.js'
import { reconnection } from '../../../test/reconnection.js'
import { corruptEvents } from '../../faults/corrupt-events.js'
import { delayEvents } from '../../faults/delay-events.js'
import { dropEvents } from '../../faults/drop-events.js'
import { bindNodeRedisPubSub, bindNodeRedisStreams } from './index.js'

describe.runIf(hasPrograms('redis-server'))(
  'publish/subscribe of node-redis (skipped without `redis-server`: Debian package redis-server)',
  () => {
    let server: OwnServer
    beforeAll(async () => {
      server = await ownRedis()
    })
    afterAll(() => server.stop())

    async function connect(RESP: 2 | 3 = 3, retryMs = 100) {
      const client = createClient({
        RESP,
        socket: { host: '127.0.0.1', port: server.port, reconnectStrategy: () => retryMs },
      })
      client.on('error', () => undefined)
      await client.connect()
      return client
    }
    async function clients() {
      const both = { publisher: await connect(), subscriber: await connect() }
      onTestFinished(() => {
        both.publisher.destroy()
        both.subscriber.destroy()
      })
      return both
    }

    for (const RESP of [2, 3] as const) {
      faultTable(`Redis pub/sub, node-redis, RESP${RESP}`, async () => {
        const { publisher, subscriber } = { publisher: await connect(RESP), subscriber: await connect(RESP) }
        const name = uniqueName()
        const got: (Content | undefined)[] = []
        await subscriber.subscribe(name, (message) => got.push(contentOf(message)))
        const channels = subscriber.getPubSubListeners('CHANNELS')
        return {
          target: bindNodeRedisPubSub({ publisher, subscriber }),
          name,
          publish: (content) => publisher.publish(name, JSON.stringify(content)),
          got,
          touched: [
            publisher,
            subscriber,
            channels,
            ...redisQueue(publisher),
            ...[...channels.values()].flatMap(({ buffers, strings }) => [buffers, strings]),
          ],
          dispose: () => {
            publisher.destroy()
            subscriber.destroy()
          },
        }
      })
    }

    it('breaks one listener by its name, spares the others, and gives each the kind that it asked for', async () => {
      const { publisher, subscriber } = await clients()
      const name = uniqueName()
      const got: unknown[] = []
      await subscriber.subscribe(name, function onBilling(message) {
        got.push(['billing', message])
      })
      await subscriber.subscribe(
        name,
        function onMail(message) {
          got.push(['mail', message])
        },
        true,
      )
      await subscriber.pSubscribe(`${name}*`, function onAny(message, channel) {
        got.push(['any', message, channel])
      })
      const injection = await inject(
        dropEvents({ subscriber: 'onBilling' }),
        bindNodeRedisPubSub({ publisher, subscriber }),
      )
      await publisher.publish(name, 'one')
      await vi.waitFor(() => expect(got).toHaveLength(2))
      await injection.rollback()
      await publisher.publish(name, 'two')
      await vi.waitFor(() => expect(got).toHaveLength(5))
      expect(got).toEqual([
        ['mail', Buffer.from('one')],
        ['any', 'one', name],
        ['mail', Buffer.from('two')],
        ['billing', 'two'],
        ['any', 'two', name],
      ])
      expect(injection.account).toMatchObject({ sent: 1, dropped: 1 })
    })

    it('covers who subscribes while it is in force, and lets a listener go that unsubscribes', async () => {
      const { publisher, subscriber } = await clients()
      const name = uniqueName()
      const got: string[] = []
      const injection = await inject(delayEvents({ delayMs: 20 }), bindNodeRedisPubSub({ publisher, subscriber }))
      const early = (message: string): void => void got.push(`early ${message}`)
      await subscriber.subscribe(name, early)
      await subscriber.subscribe(name, (message) => got.push(`late ${message}`))
      await publisher.publish(name, 'one')
      await vi.waitFor(() => expect([...got].sort()).toEqual(['early one', 'late one']))
      await subscriber.unsubscribe(name, early)
      await publisher.publish(name, 'two')
      await vi.waitFor(() => expect(got.slice(2)).toEqual(['late two']))
      expect(injection.affected).toBe(3)
      await injection.rollback()
      await subscriber.unsubscribe(name)
      expect(await publisher.publish(name, 'three')).toBe(0)
    })

    it('covers sharded channels and patterns', async () => {
      const { publisher, subscriber } = await clients()
      const name = uniqueName()
      const got: string[] = []
      await subscriber.sSubscribe(name, (message) => got.push(message))
      await subscriber.pSubscribe(`${name}:*`, (message, channel) => got.push(`${channel} ${message}`))
      const bus = bindNodeRedisPubSub({ publisher, subscriber })
      const injection = await inject(dropEvents({ seam: 'publish' }), bus)
      expect(await publisher.sPublish(name, 'lost')).toBe(1)
      await injection.rollback()
      const damage = await inject(corruptEvents({ damage: 'truncate', length: 3 }), bus)
      expect(await publisher.sPublish(name, 'shard')).toBe(1)
      await publisher.publish(`${name}:a`, 'pattern')
      await vi.waitFor(() => expect([...got].sort()).toEqual([`${name}:a pat`, 'sha']))
      await damage.rollback()
    })

    it('tells a publisher whose message is lost who listens', async () => {
      const { publisher, subscriber } = await clients()
      const name = uniqueName()
      await subscriber.subscribe(name, () => undefined)
      const injection = await inject(dropEvents({ seam: 'publish' }), bindNodeRedisPubSub({ publisher }))
      expect(await publisher.publish(name, 'lost')).toBe(1)
      expect(await publisher.publish(Buffer.from(name), Buffer.from('lost'))).toBe(1)
      expect(injection.account).toMatchObject({ sent: 2, dropped: 2 })
      await injection.rollback()
    })

    it('loses a held publication as before a mute server, by `socketTimeout`', async () => {
      const publisher = createClient({
        socket: { host: '127.0.0.1', port: server.port, socketTimeout: 400, reconnectStrategy: false },
      })
      await publisher.on('error', () => undefined).connect()
      const injection = await inject(
        delayEvents({ delayMs: 60_000, seam: 'publish' }),
        bindNodeRedisPubSub({ publisher }),
      )
      await expect(publisher.publish(uniqueName(), 'lost')).rejects.toThrow('Socket timeout')
      await injection.rollback()
      expect(injection.account).toMatchObject({ sent: 1, delivered: 0, dropped: 1, lost: 1 })
    })

    it('writes what passes in its place among other commands', async () => {
      const { publisher } = await clients()
      const stream = uniqueName()
      await withFault(
        dropEvents({ seam: 'publish' }),
        bindNodeRedisStreams({ publisher }),
        { rate: 0 },
        async (none) => {
          const [, length] = await Promise.all([publisher.xAdd(stream, '*', { n: '1' }), publisher.xLen(stream)])
          expect(length).toBe(1)
          expect(none.account).toMatchObject({ sent: 1, delivered: 1 })
        },
      )
    })

    it('passes publications of pipelines and transactions', async () => {
      const { publisher } = await clients()
      const name = uniqueName()
      const injection = await inject(dropEvents({ seam: 'publish' }), bindNodeRedisPubSub({ publisher }))
      await publisher.multi().publish(name, 'a').exec()
      await publisher.multi().publish(name, 'b').execAsPipeline()
      expect(injection.seen).toBe(0)
      await injection.rollback()
    })

    for (const RESP of [2, 3] as const) {
      describe(`a client of RESP${RESP}`, () => {
        reconnection(async () => {
          const [publisher, subscriber] = [await connect(RESP, 10), await connect(RESP, 10)]
          const both = [publisher, subscriber]
          onTestFinished(() => both.forEach((client) => client.destroy()))
          const [name, got] = [uniqueName(), [] as string[]]
          await subscriber.subscribe(name, (message) => got.push(message))
          return {
            target: bindNodeRedisPubSub({ publisher, subscriber }),
            publish: (text) => publisher.publish(name, text),
            got,
            isUp: () => both.every(({ isReady }) => isReady),
            replaced: () => both.map((client) => client.listenerCount('ready')),
          }
        })
      })
    }

    oracle(async () => {
      const { publisher, subscriber } = await clients()
      const name = uniqueName()
      await subscriber.subscribe(name, listeners.billing)
      await subscriber.subscribe(name, listeners.mail)
      return {
        target: bindNodeRedisPubSub({ publisher, subscriber }),
        name,
        publish: (text) => publisher.publish(name, text),
      }
    })
  },
)
