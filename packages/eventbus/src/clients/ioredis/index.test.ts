import { inject, withFault } from '@chaos/core'
import { hasPrograms, ownRedis, type OwnServer } from '@chaos/test-servers'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { contentOf, uniqueName } from '../../../test/broker-bus.js'
import { faultTable, type Content } from '../../../test/fault-table.js'
import { listeners, oracle } from '../../../test/oracle.js'
import { reconnection } from '../../../test/reconnection.js'
import { corruptEvents } from '../../faults/corrupt-events.js'
import { delayEvents } from '../../faults/delay-events.js'
import { dropEvents } from '../../faults/drop-events.js'
import { duplicateEvents } from '../../faults/duplicate-events.js'
import { partitionBus } from '../../faults/partition-bus.js'
import { bindIoredisPubSub, bindIoredisStreams } from './index.js'

describe.runIf(hasPrograms('redis-server'))(
  'publish/subscribe of ioredis (skipped without `redis-server`: Debian package redis-server)',
  () => {
    let server: OwnServer
    beforeAll(async () => {
      server = await ownRedis()
    })
    afterAll(() => server.stop())

    const connect = (): Redis => new Redis(server.port, '127.0.0.1')

    function clients(): { publisher: Redis; subscriber: Redis } {
      const both = { publisher: connect(), subscriber: connect() }
      onTestFinished(() => {
        both.publisher.disconnect()
        both.subscriber.disconnect()
      })
      return both
    }

    faultTable('Redis pub/sub, ioredis', async () => {
      const [publisher, subscriber] = [connect(), connect()]
      for (const client of [publisher, subscriber]) client.on('error', () => undefined)
      const name = uniqueName()
      const got: (Content | undefined)[] = []
      subscriber.on('message', (channel, message) => {
        if (channel === name) got.push(contentOf(message))
      })
      await subscriber.subscribe(name)
      return {
        target: bindIoredisPubSub({ publisher, subscriber }),
        name,
        publish: (content) => publisher.publish(name, JSON.stringify(content)),
        got,
        touched: [publisher, subscriber, Redis.prototype],
        dispose: () => {
          publisher.disconnect()
          subscriber.disconnect()
        },
      }
    })

    it('loses a message of a pattern by its channel, and tells its publisher who listens', async () => {
      const { publisher, subscriber } = clients()
      const name = uniqueName()
      const got: unknown[] = []
      subscriber.on('pmessage', (pattern, channel, message) => got.push([pattern, channel, message]))
      subscriber.on('pmessageBuffer', (_pattern, _channel, message) => got.push(message))
      await subscriber.psubscribe(`${name}:*`)
      await subscriber.subscribe(`${name}:orders`)
      const bus = bindIoredisPubSub({ publisher, subscriber })
      const injection = await inject(dropEvents({ seam: 'publish' }), bus, { only: `${name}:orders` })
      expect(await publisher.publish(`${name}:orders`, 'lost')).toBe(1)
      await injection.rollback()
      const late = await inject(dropEvents(), bus, { only: `${name}:orders`, limit: 1 })
      await publisher.publish(`${name}:orders`, 'half')
      await publisher.publish(`${name}:users`, 'whole')
      await vi.waitFor(() => expect(got).toHaveLength(3))
      expect(got).toEqual([Buffer.from('half'), [`${name}:*`, `${name}:users`, 'whole'], Buffer.from('whole')])
      expect(late.account).toMatchObject({ sent: 2, delivered: 1, dropped: 1 })
    })

    it('covers sharded channels, and a bus of a publisher or a subscriber alone', async () => {
      const { publisher, subscriber } = clients()
      const name = uniqueName()
      const got: string[] = []
      subscriber.on('smessage', (channel, message) => got.push(`${String(channel)} ${String(message)}`))
      await subscriber.ssubscribe(name)
      const [outbound, inbound] = [bindIoredisPubSub({ publisher }), bindIoredisPubSub({ subscriber })]
      const cut = await inject(partitionBus(), outbound)
      expect(await publisher.spublish(name, 'not sent')).toBe(1)
      await cut.rollback()
      const deaf = await inject(partitionBus(), inbound)
      expect(await publisher.spublish(name, 'not heard')).toBe(1)
      await vi.waitFor(() => expect(deaf.account).toMatchObject({ sent: 1, dropped: 1 }))
      await deaf.rollback()
      await publisher.spublish(name, 'heard')
      await vi.waitFor(() => expect(got).toEqual([`${name} heard`]))
      await expect(inject(dropEvents(), outbound)).rejects.toThrow(
        'The fault needs the seam `delivery`, and publish/subscribe of ioredis has `publish`',
      )
    })

    it('holds a publication beneath the timeout of its client, sends it late, and leaves the queues as they were', async () => {
      const publisher = new Redis(server.port, '127.0.0.1')
      const { subscriber } = clients()
      onTestFinished(() => publisher.disconnect())
      const [name, got] = [uniqueName(), [] as string[]]
      subscriber.on('message', (_channel, message) => got.push(message))
      await subscriber.subscribe(name)
      await publisher.ping()
      const bus = bindIoredisPubSub({ publisher })
      const held = await inject(delayEvents({ delayMs: 60_000, seam: 'publish' }), bus, { limit: 1 })
      // Of this command alone: on a machine that stalls others may take longer.
      publisher.options.commandTimeout = 50
      await expect(publisher.publish(name, 'late')).rejects.toEqual(new Error('Command timed out'))
      delete publisher.options.commandTimeout
      await held.rollback()
      const changed = await inject(corruptEvents({ change: () => 'other', seam: 'publish' }), bus)
      expect(await publisher.publish(name, 'real')).toBe(1)
      await changed.rollback()
      await vi.waitFor(() => expect(got).toEqual(['late', 'other']))
      for (const queue of ['commandQueue', 'offlineQueue']) expect(Reflect.get(publisher, queue)).toHaveLength(0)
    })

    it('holds an entry of a stream beneath the timeout of their client', async () => {
      const publisher = new Redis(server.port, '127.0.0.1')
      onTestFinished(() => publisher.disconnect())
      const stream = uniqueName()
      await publisher.ping()
      const bus = bindIoredisStreams({ publisher })
      await withFault(delayEvents({ delayMs: 60_000, seam: 'publish' }), bus, { limit: 1 }, async () => {
        publisher.options.commandTimeout = 50
        await expect(publisher.xadd(stream, '*', 'n', '1')).rejects.toEqual(new Error('Command timed out'))
        delete publisher.options.commandTimeout
      })
      await vi.waitFor(async () => expect(await publisher.xlen(stream)).toBe(1))
    })

    it('holds a publication within an automatic pipeline, and gives each command of it its own reply', async () => {
      const publisher = new Redis(server.port, '127.0.0.1', { enableAutoPipelining: true })
      const { subscriber } = clients()
      onTestFinished(() => publisher.disconnect())
      const [name, key] = [uniqueName(), uniqueName()]
      await subscriber.subscribe(name)
      await publisher.ping()
      const bus = bindIoredisPubSub({ publisher })
      const calls = (): Promise<unknown>[] => [
        publisher.set(key, '1'),
        publisher.publish(name, 'message'),
        publisher.incr(key),
      ]
      await withFault(delayEvents({ delayMs: 60_000, seam: 'publish' }), bus, async (injection) => {
        // Of these commands alone, and longer than Redis takes to answer two of them on a machine that stalls.
        publisher.options.commandTimeout = 1_000
        const [set, published, incremented] = await Promise.allSettled(calls())
        delete publisher.options.commandTimeout
        expect([set, incremented]).toMatchObject([{ value: 'OK' }, { value: 2 }])
        expect(published).toMatchObject({ reason: new Error('Command timed out') })
        await publisher.pipeline().publish(name, 'of the application').exec()
        expect(injection.seen).toBe(1)
      })
      for (const fault of [dropEvents({ seam: 'publish' }), duplicateEvents({ seam: 'publish' })])
        await withFault(fault, bus, async () => expect(await Promise.all(calls())).toEqual(['OK', 1, 2]))
      await withFault(dropEvents({ seam: 'publish' }), bus, { rate: 0 }, async () => {
        expect(await Promise.all(calls())).toEqual(['OK', 1, 2])
      })
      expect(await Promise.all(calls())).toEqual(['OK', 1, 2])
      expect(Reflect.get(publisher, 'commandQueue')).toHaveLength(0)
    })

    it('loses a publication that is held when its client is closed while it reconnects', async () => {
      const away = await ownRedis()
      const publisher = new Redis(away.port, '127.0.0.1', { retryStrategy: () => 60_000 })
      publisher.on('error', () => undefined)
      await publisher.ping()
      const held = await inject(delayEvents({ delayMs: 60_000, seam: 'publish' }), bindIoredisPubSub({ publisher }))
      const published = publisher.publish('name', 'message')
      await away.stop()
      await vi.waitFor(() => expect(publisher.status).toBe('reconnecting'))
      publisher.disconnect()
      expect(publisher.status).toBe('reconnecting')
      await held.rollback()
      await expect(published).rejects.toEqual(new Error('Connection is closed.'))
      expect(held.account).toMatchObject({ sent: 1, delivered: 0, dropped: 1, lost: 1 })
    })

    it('keeps a publication of a client that is not connected yet, and rejects one whose client has closed', async () => {
      const { subscriber } = clients()
      const [name, got] = [uniqueName(), [] as string[]]
      subscriber.on('message', (_channel, message) => got.push(message))
      await subscriber.subscribe(name)
      const publisher = new Redis(server.port, '127.0.0.1', { lazyConnect: true })
      const bus = bindIoredisPubSub({ publisher })
      const injection = await inject(delayEvents({ delayMs: 5, seam: 'publish', order: 'free' }), bus, { limit: 1 })
      expect(await Promise.all(['1', '2'].map((message) => publisher.publish(name, message)))).toEqual([1, 1])
      await vi.waitFor(() => expect(got.sort()).toEqual(['1', '2']))
      await injection.rollback()
      const late = await inject(delayEvents({ delayMs: 60_000, seam: 'publish' }), bus)
      const published = publisher.publish(name, '3')
      publisher.disconnect()
      await vi.waitFor(() => expect(publisher.status).toBe('end'))
      await late.rollback()
      await expect(published).rejects.toEqual(new Error('Connection is closed.'))
      expect(late.account).toMatchObject({ sent: 1, dropped: 1, held: 0 })
    })

    it('calls the callback of a publisher once, whatever becomes of its message', async () => {
      const { publisher, subscriber } = clients()
      const name = uniqueName()
      const got: string[] = []
      subscriber.on('message', (_channel, message) => got.push(message))
      await subscriber.subscribe(name)
      const called: unknown[] = []
      const publish = (message: string): Promise<unknown> =>
        publisher.publish(name, message, (error, receivers) => called.push([message, error, receivers]))
      const bus = bindIoredisPubSub({ publisher, subscriber })
      const twice = await inject(duplicateEvents({ seam: 'publish' }), bus)
      await publish('twice')
      await twice.rollback()
      const lost = await inject(dropEvents({ seam: 'publish' }), bus)
      await publish('lost')
      await lost.rollback()
      await publish('bare')
      await vi.waitFor(() => expect(got).toEqual(['twice', 'twice', 'bare']))
      expect(called).toEqual(['twice', 'lost', 'bare'].map((message) => [message, null, 1]))
    })

    reconnection(async () => {
      const retryStrategy = (): number => 10
      const [publisher, subscriber] = [
        new Redis(server.port, '127.0.0.1', { retryStrategy }),
        new Redis(server.port, '127.0.0.1', { retryStrategy }),
      ]
      const both = [publisher, subscriber]
      onTestFinished(() => both.forEach((client) => client.disconnect()))
      const [name, got, errors] = [uniqueName(), [] as string[], [] as unknown[]]
      for (const client of both) client.on('error', (error) => errors.push(error))
      subscriber.on('message', (_channel, message) => got.push(message))
      await subscriber.subscribe(name)
      return {
        target: bindIoredisPubSub({ publisher, subscriber }),
        // Its own queue keeps what is published meanwhile.
        publish: (text) => publisher.publish(name, text),
        got,
        errors,
        isUp: () => both.every(({ status }) => status === 'ready'),
        replaced: () => both.map((client) => (Reflect.get(client, 'connector') as { connect: unknown }).connect),
      }
    })

    oracle(async () => {
      const { publisher, subscriber } = clients()
      const name = uniqueName()
      subscriber.on('message', listeners.billing)
      subscriber.on('message', listeners.mail)
      await subscriber.subscribe(name)
      return {
        target: bindIoredisPubSub({ publisher, subscriber }),
        name,
        publish: (text) => publisher.publish(name, text),
      }
    })
  },
)
