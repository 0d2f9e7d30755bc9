import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { inject, withFault } from '@chaos/core'
import { hasPrograms, ownRedis, type OwnServer } from '@chaos/test-servers'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { contentOf, uniqueName } from '../../../test/broker-bus.js'
import { faultTable, type Content } from '../../../test/fault-table.js'
import { redisQueue } from '../../../test/redis-queue.js'
import type { Bus } from '../../seams/bus.js'
import { corruptEvents } from '../../faults/corrupt-events.js'
import { delayEvents } from '../../faults/delay-events.js'
import { dropEvents } from '../../faults/drop-events.js'
import { duplicateEvents } from '../../faults/duplicate-events.js'
import { failListeners } from '../../faults/fail-listeners.js'
import { lagConsumer } from '../../faults/lag-consumer.js'
import { loseAcks } from '../../faults/lose-acks.js'
import { nackEvents } from '../../faults/nack-events.js'
import { observeDelivery } from '../../oracle/observe-delivery.js'
import { bindIoredisStreams } from '../ioredis/streams.js'
import { bindNodeRedisStreams } from '../node-redis/streams.js'

/** An entry as a test sees it. */
interface Read {
  readonly id: string
  readonly fields: Readonly<Record<string, string>>
}

/** One client library on one stream with the group `billing`, read by the consumer `a`. */
interface Streams {
  readonly bus: Bus
  readonly touched: readonly object[]
  readonly add: (fields: Readonly<Record<string, string>>) => Promise<string | null>
  /** New entries of the stream; waits a little for them. */
  readonly read: () => Promise<readonly Read[]>
  /** Entries that are pending, of whomever. */
  readonly claim: () => Promise<readonly Read[]>
  readonly ack: (...ids: readonly string[]) => Promise<number>
  readonly pending: () => Promise<number>
  readonly close: () => void
}

const pairs = (flat: readonly string[]): Record<string, string> =>
  Object.fromEntries(flat.flatMap((name, index) => (index % 2 === 0 ? [[name, String(flat[index + 1])]] : [])))

async function ofIoredis(port: number, stream: string): Promise<Streams> {
  const [publisher, consumer] = [new Redis(port, '127.0.0.1'), new Redis(port, '127.0.0.1')]
  for (const client of [publisher, consumer]) client.on('error', () => undefined)
  await publisher.xgroup('CREATE', stream, 'billing', '$', 'MKSTREAM')
  const readOf = (entries: unknown): Read[] =>
    (entries as [string, string[]][]).map(([id, fields]) => ({ id, fields: pairs(fields) }))
  return {
    bus: bindIoredisStreams({ publisher, consumer }),
    touched: [publisher, consumer, Redis.prototype],
    add: (fields) => publisher.xadd(stream, 'NOMKSTREAM', 'MAXLEN', '~', 1_000, '*', ...Object.entries(fields).flat()),
    read: async () => {
      const reply = (await consumer.xreadgroup(
        'GROUP',
        'billing',
        'a',
        'COUNT',
        10,
        'BLOCK',
        20,
        'STREAMS',
        stream,
        '>',
      )) as [string, unknown][] | null
      return reply === null ? [] : readOf(reply[0]?.[1])
    },
    claim: async () => readOf((await consumer.xautoclaim(stream, 'billing', 'a', 0, '0'))[1]),
    ack: (...ids) => consumer.xack(stream, 'billing', ...ids),
    pending: async () => Number((await publisher.xpending(stream, 'billing'))[0]),
    close: () => {
      publisher.disconnect()
      consumer.disconnect()
    },
  }
}

async function ofNodeRedis(port: number, stream: string): Promise<Streams> {
  const [publisher, consumer] = [
    createClient({ url: `redis://127.0.0.1:${port}` }),
    createClient({ url: `redis://127.0.0.1:${port}` }),
  ]
  for (const client of [publisher, consumer]) client.on('error', () => undefined)
  await Promise.all([publisher.connect(), consumer.connect()])
  await publisher.xGroupCreate(stream, 'billing', '$', { MKSTREAM: true })
  const readOf = (
    messages: readonly ({ readonly id: unknown; readonly message: Readonly<Record<string, string>> } | null)[],
  ): Read[] =>
    messages.flatMap((entry) => (entry === null ? [] : [{ id: String(entry.id), fields: { ...entry.message } }]))
  return {
    bus: bindNodeRedisStreams({ publisher, consumer }),
    touched: [publisher, consumer, Object.getPrototypeOf(publisher) as object, ...redisQueue(publisher)],
    add: (fields) => publisher.xAdd(stream, '*', { ...fields }),
    read: async () => {
      const reply = (await consumer.xReadGroup('billing', 'a', { key: stream, id: '>' }, { COUNT: 10, BLOCK: 20 })) as
        | { messages: { id: string; message: Record<string, string> }[] }[]
        | null
      return readOf(reply?.[0]?.messages ?? [])
    },
    claim: async () => readOf((await consumer.xAutoClaim(stream, 'billing', 'a', 0, '0')).messages),
    ack: (...ids) => consumer.xAck(stream, 'billing', [...ids]),
    pending: async () => (await publisher.xPending(stream, 'billing')).pending,
    close: () => {
      // A test may have closed them before.
      for (const client of [publisher, consumer]) if (client.isOpen) client.destroy()
    },
  }
}

for (const [library, open] of [
  ['ioredis', ofIoredis],
  ['node-redis', ofNodeRedis],
] as const) {
  describe.runIf(hasPrograms('redis-server'))(
    `Redis Streams of ${library} (skipped without \`redis-server\`: Debian package redis-server)`,
    () => {
      let server: OwnServer
      beforeAll(async () => {
        server = await ownRedis()
      })
      afterAll(() => server.stop())

      async function opened(): Promise<Streams & { readonly stream: string }> {
        const stream = uniqueName()
        const streams = await open(server.port, stream)
        onTestFinished(streams.close)
        return { ...streams, stream }
      }
      /** Consumes until it is told to stop: what is new, and what is pending. */
      function consume(
        { read, claim, ack }: Streams,
        got: (entry: Read) => void,
      ): { stop: () => Promise<void>; asksAnew: () => Promise<void> } {
        const stopping = new AbortController()
        let reads = 0
        const process = async (entries: readonly Read[]): Promise<void> => {
          for (const entry of entries) {
            got(entry)
            await ack(entry.id)
          }
        }
        const loop = (async () => {
          while (!stopping.signal.aborted) {
            reads += 1
            try {
              await process(await read())
              await process(await claim())
            } catch {
              // Cut off: it asks again.
              await new Promise((resolve) => setImmediate(resolve))
            }
          }
        })()
        return {
          stop: () => {
            stopping.abort()
            return loop
          },
          asksAnew: () => {
            const before = reads
            return vi.waitFor(() => expect(reads).toBeGreaterThan(before))
          },
        }
      }

      faultTable(`Redis Streams, ${library}`, async () => {
        const name = uniqueName()
        const streams = await open(server.port, name)
        const got: (Content | undefined)[] = []
        const { stop, asksAnew } = consume(streams, ({ fields }) => got.push(contentOf(fields['content'] ?? '')))
        return {
          target: streams.bus,
          name,
          publish: (content) => streams.add({ content: JSON.stringify(content) }),
          got,
          touched: streams.touched,
          redelivers: true,
          asksAnew,
          answersReads: true,
          dispose: async () => {
            await stop()
            streams.close()
          },
        }
      })

      it('keeps the consumer group working after every kind of fault', async () => {
        const streams = await opened()
        const got: (string | undefined)[] = []
        const { stop, asksAnew } = consume(streams, ({ fields }) => got.push(fields['n']))
        for (const fault of [
          dropEvents(),
          failListeners(),
          duplicateEvents(),
          loseAcks(),
          lagConsumer({ processingMs: 1 }),
        ]) {
          await withFault(fault, streams.bus, async (injection) => {
            await asksAnew()
            for (const n of ['1', '2', '3', '4']) await streams.add({ n })
            await vi.waitFor(() => expect(injection.affected).toBeGreaterThanOrEqual(2))
          })
        }
        await streams.add({ n: 'last' })
        await vi.waitFor(async () => {
          expect(got).toContain('last')
          expect(await streams.pending()).toBe(0)
        })
        await stop()
      })

      it('leaves an entry whose acknowledgement was lost pending, until it is claimed', async () => {
        const { bus, add, read, claim, ack, pending } = await opened()
        await add({ n: '1' })
        const [entry] = await read()
        await withFault(loseAcks({ subscriber: 'billing' }), bus, async (injection) => {
          expect(await ack(entry?.id ?? '')).toBe(1)
          expect(injection.account).toMatchObject({ sent: 1, dropped: 1 })
        })
        expect(await pending()).toBe(1)
        expect(await claim()).toEqual([entry])
        expect(await ack(entry?.id ?? '')).toBe(1)
        expect(await pending()).toBe(0)
      })

      it('leaves an entry whose delivery failed pending, and acknowledges one that was dropped', async () => {
        const { bus, add, read, claim, pending } = await opened()
        for (const n of ['1', '2']) await add({ n })
        await withFault(failListeners(), bus, async () => expect(await read()).toEqual([]))
        expect(await pending()).toBe(2)
        await withFault(dropEvents(), bus, { limit: 1 }, async () => expect(await claim()).toHaveLength(1))
        expect(await pending()).toBe(1)
      })

      it('answers a read when it is decided what becomes of its entries, copies included', async () => {
        const { bus, add, read } = await opened()
        for (const n of ['1', '2', '3']) await add({ n })
        const numbers = await withFault(duplicateEvents({ spacingMs: 5 }), bus, { skip: 2 }, async () =>
          (await read()).map(({ fields }) => fields['n']),
        )
        expect(numbers).toEqual(['1', '2', '3', '3'])
        await add({ n: '4' })
        const held = await inject(delayEvents({ delayMs: 60_000 }), bus)
        const reading = read()
        await vi.waitFor(() => expect(held.account).toMatchObject({ held: 1 }))
        await held.rollback()
        expect((await reading).map(({ fields }) => fields)).toEqual([{ n: '4' }])
      })

      it('reads an entry of several fields as an object, changes it on both sides, and tells its publisher an id', async () => {
        const { bus, add, read, stream } = await opened()
        const where = { where: { country: 'DE' } }
        await withFault(
          corruptEvents({ damage: 'set', at: 'n', value: '9', seam: 'publish', ...where }),
          bus,
          { only: stream },
          async () => {
            await add({ n: '1', country: 'DE' })
            await add({ n: '2', country: 'FR' })
          },
        )
        await withFault(
          corruptEvents({ damage: 'set', at: 'n', value: '8', where: { country: 'FR' } }),
          bus,
          async () => {
            expect((await read()).map(({ fields }) => fields)).toEqual([
              { n: '9', country: 'DE' },
              { n: '8', country: 'FR' },
            ])
          },
        )
        await withFault(dropEvents({ seam: 'publish' }), bus, async () =>
          expect(await add({ n: '3', country: 'DE' })).toMatch(/^\d+-\d+$/),
        )
        expect(await read()).toEqual([])
      })

      it('says that it has no negative acknowledgement', async () => {
        const { bus } = await opened()
        await expect(inject(nackEvents(), bus)).rejects.toMatchObject({
          code: 'CHAOS_TARGET_MISMATCH',
          message: expect.stringContaining('Use eventbus/lose-acks') as string,
        })
      })

      it('loses a publication that is held when its client closes, and tells its caller', async () => {
        const { bus, add, close } = await opened()
        const injection = await inject(delayEvents({ delayMs: 60_000, seam: 'publish' }), bus)
        const adding = expect(add({ n: '1' })).rejects.toThrow(/closed|Disconnects client/)
        await vi.waitFor(() => expect(injection.account).toMatchObject({ sent: 1, held: 1 }))
        close()
        await injection.rollback()
        expect(injection.account).toMatchObject({ sent: 1, held: 0, delivered: 0, dropped: 1 })
        await adding
      })

      it('loses entries that are held when their client closes, tells who reads, and leaves them pending', async () => {
        const { bus, stream, add, read, close } = await opened()
        const injection = await inject(delayEvents({ delayMs: 60_000 }), bus)
        for (const n of ['1', '2']) await add({ n })
        const reading = expect(read()).rejects.toThrow(/closed/)
        await vi.waitFor(() => expect(injection.account).toMatchObject({ sent: 2, held: 2 }))
        close()
        await injection.rollback()
        expect(injection.account).toMatchObject({ sent: 2, held: 0, delivered: 0, dropped: 2 })
        await reading
        const inspector = new Redis(server.port, '127.0.0.1')
        onTestFinished(() => inspector.disconnect())
        expect((await inspector.xpending(stream, 'billing'))[0]).toBe(2)
      })

      it('is observed: acknowledgements that are lost keep at-least-once, and break at-most-once', async () => {
        const streams = await opened()
        const got: (string | undefined)[] = []
        const observer = await observeDelivery(streams.bus, { idAt: 'id' })
        const { stop } = consume(streams, ({ fields }) => got.push(fields['id']))
        await withFault(loseAcks(), streams.bus, { skip: 1, limit: 1 }, async () => {
          for (const id of ['1', '2', '3']) await streams.add({ id, customer: 'a' })
          await vi.waitFor(() => expect(got.length).toBeGreaterThanOrEqual(4))
        })
        await stop()
        expect(observer.violation('at-least-once')).toBeUndefined()
        expect(observer.violation('at-most-once')).toMatchObject({
          name: streams.stream,
          id: '2',
          subscriber: 'billing',
        })
        await observer.stop()
      })
    },
  )
}
