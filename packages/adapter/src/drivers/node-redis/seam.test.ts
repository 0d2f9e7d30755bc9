import { inject, injectedBy, withFault } from '@chaos/core'
import { faultContract, manualClock } from '@chaos/core/testing'
import { hasPrograms, ownRedis, type OwnServer } from '@chaos/test-servers'
import { AsyncLocalStorage } from 'node:async_hooks'
import { AbortError, createClient, createClientPool, SimpleError } from 'redis'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { redisClientClass } from '../../../test/redis-client-class.js'
import { asBundled, redisQueues } from '../../../test/redis-queues.js'
import { rejection } from '../../../test/rejection.js'
import {
  corruptResults,
  delayCalls,
  duplicateWrites,
  failAfterCall,
  flapCalls,
  hangCalls,
  limitRate,
  loseWrites,
  refuseCalls,
  serveStaleReads,
  timeOutCalls,
} from '../../calls/index.js'
import { bindNodeRedis } from './seam.js'

describe.runIf(hasPrograms('redis-server'))(
  'the commands of node-redis (skipped without `redis-server`: Debian package redis-server)',
  () => {
    let server: OwnServer
    let client: ReturnType<typeof connect>
    /** Sees what is really in Redis. */
    let witness: ReturnType<typeof connect>

    const connect = () => createClient({ socket: { host: '127.0.0.1', port: server.port } })

    beforeAll(async () => {
      server = await ownRedis()
      client = connect()
      witness = connect()
      await Promise.all([client.connect(), witness.connect()])
    })
    afterAll(async () => {
      client.destroy()
      witness.destroy()
      await server.stop()
    })
    beforeEach(() => witness.flushAll())

    const contract = faultContract({
      fault: () => refuseCalls({ methods: 'GET' }),
      target: () => bindNodeRedis(client),
      async exercise(_target, times) {
        for (let n = 0; n < times; n += 1) await client.get('key').catch(() => undefined)
      },
      touched: () => [
        client,
        Object.getPrototypeOf(client) as object,
        redisClientClass(client).prototype,
        ...redisQueues(client),
      ],
    })
    for (const { title, run } of contract) it(`keeps the contract: ${title}`, run)

    it('refuses a command by its name, however it was called, and never sends it', async () => {
      await withFault(
        refuseCalls({ methods: 'SET', error: 'redis/readonly' }),
        bindNodeRedis(client),
        { only: (args) => args[0] === 'key' },
        async (injection) => {
          for (const call of [
            () => client.set('key', 1),
            () => client.SET('key', '1'),
            () => client.sendCommand(['set', 'key', '1']),
            () => client.withTypeMapping({}).set('key', '1'),
          ]) {
            const error = await rejection(call())
            expect(error).toBeInstanceOf(SimpleError)
            expect(injectedBy(error)).toBe('adapter/refuse-calls')
            expect(error.message).toBe("READONLY You can't write against a read only replica.")
          }
          expect(await client.get('key')).toBeNull()
          expect([injection.seen, injection.affected]).toEqual([4, 4])
        },
      )
      expect(await client.set('key', 1)).toBe('OK')
    })

    it('breaks all clients of the class, those of a pool included', async () => {
      const pool = createClientPool({ socket: { host: '127.0.0.1', port: server.port } })
      await pool.connect()
      onTestFinished(() => pool.destroy())
      await withFault(refuseCalls({ error: 'ECONNREFUSED' }), bindNodeRedis(redisClientClass(client)), async () => {
        const later = connect()
        await later.connect()
        onTestFinished(() => later.destroy())
        for (const one of [client, later, pool])
          await expect(one.get('key')).rejects.toThrow(`connect ECONNREFUSED 127.0.0.1:${server.port}`)
      })
      expect(await pool.get('key')).toBeNull()
    })

    it('sends the command and fails it, forgets, repeats, damages, and answers with what was', async () => {
      await withFault(failAfterCall({ methods: 'INCR' }), bindNodeRedis(client), () =>
        expect(client.incr('n')).rejects.toThrow('read ECONNRESET'),
      )
      expect(await witness.get('n')).toBe('1')
      await withFault(loseWrites({ methods: 'SET', answer: 'OK' }), bindNodeRedis(client), async () =>
        expect(await client.set('key', 1)).toBe('OK'),
      )
      expect(await witness.exists('key')).toBe(0)
      await withFault(duplicateWrites({ methods: 'INCR', copies: 2 }), bindNodeRedis(client), async () =>
        expect(await client.incr('n')).toBe(2),
      )
      await vi.waitFor(async () => expect(await witness.get('n')).toBe('4'))
      await witness.hSet('hash', { name: 'abcd', age: '1234' })
      await withFault(corruptResults({ methods: 'HGET' }), bindNodeRedis(client), async () =>
        expect(await client.hGet('hash', 'name')).toBe('ab'),
      )
      await withFault(serveStaleReads({ methods: 'GET' }), bindNodeRedis(client), async () => {
        expect(await client.get('n')).toBe('4')
        await client.set('n', 5)
        expect(await client.get('n')).toBe('4')
      })
      expect(await client.get('n')).toBe('5')
    })

    it('waits: delay, time out, hang', async () => {
      const clock = manualClock()
      const delay = await inject(delayCalls({ delayMs: 100, methods: 'SET' }), bindNodeRedis(client), { clock })
      const written = client.set('key', 1)
      expect(await client.exists('key')).toBe(0)
      await clock.advance(100)
      expect(await written).toBe('OK')
      await delay.rollback()
      const timeOut = await inject(timeOutCalls({ timeoutMs: 50, message: 'too late' }), bindNodeRedis(client), {
        clock,
      })
      const error = rejection(client.get('key'))
      await clock.advance(50)
      expect((await error).message).toBe('too late')
      await timeOut.rollback()
      const hang = await inject(hangCalls({ methods: 'GET' }), bindNodeRedis(client))
      const value = client.get('key')
      await hang.rollback()
      expect(await value).toBe('1')
    })

    it('loses a command that is held when its client is destroyed, with the error of node-redis', async () => {
      const one = connect()
      await one.connect()
      const hang = await inject(hangCalls({ methods: 'SET' }), bindNodeRedis(one))
      const error = rejection(one.set('key', 1))
      await vi.waitFor(() => expect(hang.affected).toBe(1))
      one.destroy()
      expect((await error).constructor.name).toBe('DisconnectsClientError')
      await hang.rollback()
      expect(hang.account['lost']).toBe(1)
    })

    it('decides on a command in the async context of its caller', async () => {
      const caller = new AsyncLocalStorage<string>()
      await withFault(
        refuseCalls({ methods: 'GET' }),
        bindNodeRedis(client),
        { only: () => caller.getStore() === 'b' },
        async () => {
          const calls = ['a', 'b', 'c'].map((name) => caller.run(name, () => client.get('key')))
          expect((await Promise.allSettled(calls)).map(({ status }) => status)).toEqual([
            'fulfilled',
            'rejected',
            'fulfilled',
          ])
        },
      )
    })

    it('gives each of many concurrent commands its own reply, whichever of them are late', async () => {
      const numbers = Array.from({ length: 100 }, (_, n) => n)
      await Promise.all(numbers.map((n) => witness.set(`n${n}`, n)))
      await withFault(delayCalls({ delayMs: 2, jitterMs: 2 }), bindNodeRedis(client), { rate: 0.5 }, async () => {
        const values = await Promise.all(numbers.map((n) => client.get(`n${n}`)))
        expect(values).toEqual(numbers.map(String))
      })
    })

    it('passes a command through several faults, the newest first', async () => {
      const clock = manualClock()
      const refuse = await inject(refuseCalls({ methods: 'GET', message: 'refused' }), bindNodeRedis(client))
      const delay = await inject(delayCalls({ methods: 'GET', delayMs: 10 }), bindNodeRedis(client), { clock })
      const error = rejection(client.get('key'))
      await vi.waitFor(() => expect(delay.affected).toBe(1))
      expect(refuse.seen).toBe(0)
      await clock.advance(10)
      expect((await error).message).toBe('refused')
      expect([refuse.affected, delay.affected]).toEqual([1, 1])
      await refuse.rollback()
      await delay.rollback()
      expect(await client.get('key')).toBeNull()
    })

    it('lets a client close after its last command, though the answer of that is injected', async () => {
      const clock = manualClock()
      const one = connect()
      await one.connect()
      const late = await inject(timeOutCalls({ timeoutMs: 10, message: 'too late' }), bindNodeRedis(one), { clock })
      const error = rejection(one.get('key'))
      await vi.waitFor(() => expect(late.affected).toBe(1))
      const closed = one.close()
      await clock.advance(10)
      expect((await error).message).toBe('too late')
      await closed
      expect(one.isReady).toBe(false)
      await late.rollback()
    })

    it('leaves the client its subscriptions, and the commands of its handshake', async () => {
      const received = vi.fn()
      const one = connect()
      await one.connect()
      onTestFinished(() => one.destroy())
      await withFault(hangCalls(), bindNodeRedis(redisClientClass(one)), async (hang) => {
        await one.subscribe('channel', received)
        const later = connect()
        await later.connect()
        onTestFinished(() => later.destroy())
        expect(hang.seen).toBe(0)
      })
      await witness.publish('channel', 'message')
      await vi.waitFor(() => expect(received).toHaveBeenCalledWith('message', 'channel'))
    })

    it('acts beneath the cache of the client', async () => {
      const cached = createClient({ RESP: 3, socket: { host: '127.0.0.1', port: server.port }, clientSideCache: {} })
      await cached.connect()
      onTestFinished(() => cached.destroy())
      await witness.set('key', 1)
      await cached.get('key')
      await withFault(refuseCalls({ message: 'refused' }), bindNodeRedis(cached), async (refuse) => {
        expect(await cached.get('key')).toBe('1')
        await expect(cached.get('other')).rejects.toThrow('refused')
        expect(refuse.seen).toBe(1)
      })
    })

    it('asks again before a command that a cluster was redirected for, if the command is late', async () => {
      const chainId = Symbol('asking chain')
      const options = { chainId } as Parameters<typeof client.sendCommand>[1]
      const seen: string[] = []
      const monitor = connect()
      await monitor.connect()
      onTestFinished(() => monitor.destroy())
      await monitor.monitor((line) => seen.push(line))
      await withFault(delayCalls({ methods: 'GET', delayMs: 5 }), bindNodeRedis(client), async () => {
        await Promise.allSettled([client.sendCommand(['ASKING'], options), client.sendCommand(['GET', 'key'], options)])
      })
      await vi.waitFor(() => expect(seen.at(-1)).toContain('"GET" "key"'))
      expect(seen.slice(-2)[0]).toContain('"ASKING"')
    })

    describe('in an application that bundles it', () => {
      it.each([
        ['hang', hangCalls({ methods: 'SET' })],
        ['delay', delayCalls({ delayMs: 60_000, methods: 'SET' })],
        ['time out', timeOutCalls({ timeoutMs: 60_000, methods: 'SET' })],
      ])(
        "ends a %s when the caller's own signal aborts, as node-redis says it, and never sends the command",
        async (_what, fault) => {
          await asBundled(() =>
            withFault(fault, bindNodeRedis(redisClientClass(client)), async () => {
              const controller = new AbortController()
              const error = rejection(client.withAbortSignal(controller.signal).set('key', 1))
              controller.abort()
              expect(await error).toBeInstanceOf(AbortError)
            }),
          )
          expect(await witness.exists('key')).toBe(0)
        },
      )

      it.runIf('_getQueue' in redisClientClass(createClient()).prototype)(
        'affects a client that shows its queue where it writes its commands',
        async () => {
          await asBundled(() =>
            withFault(refuseCalls({ methods: 'GET', message: 'refused' }), bindNodeRedis(client), async (refuse) => {
              const error = rejection(client.get('key'))
              expect(refuse.seen).toBe(0)
              expect((await error).message).toBe('refused')
              expect(refuse.seen).toBe(1)
            }),
          )
        },
      )

      it('affects commands, pipelines and transactions where they are called', async () => {
        const run = () => client.multi().set('a', 1).incr('n').get('a')
        await asBundled(() =>
          withFault(
            refuseCalls({ methods: 'INCR', error: 'redis/oom' }),
            bindNodeRedis(redisClientClass(client)),
            async (refuse) => {
              await expect(client.incr('n')).rejects.toThrow('OOM')
              await expect(run().execAsPipeline()).rejects.toThrow('OOM')
              await expect(run().exec()).rejects.toThrow('OOM')
              expect(refuse.affected).toBe(3)
            },
          ),
        )
        await vi.waitFor(async () => expect(await witness.mGet(['a', 'n'])).toEqual(['1', null]))
        expect(await run().exec()).toEqual(['OK', 1, '1'])
      })
    })

    it('flaps, and limits the rate', async () => {
      const clock = manualClock()
      const flap = await inject(flapCalls({ downMs: 10, upMs: 10, error: 'redis/loading' }), bindNodeRedis(client), {
        clock,
      })
      await expect(client.get('key')).rejects.toThrow('LOADING')
      await clock.advance(10)
      expect(await client.get('key')).toBeNull()
      await flap.rollback()
      await withFault(limitRate({ calls: 2, perMs: 60_000, methods: 'GET' }), bindNodeRedis(client), async () => {
        const outcomes = await Promise.allSettled([1, 2, 3].map(() => client.get('key')))
        expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
      })
    })

    it('breaks the chosen commands of a pipeline, each for itself', async () => {
      const run = () => client.multi().set('a', 1).incr('n').get('a').execAsPipeline()
      await withFault(refuseCalls({ methods: 'INCR', error: 'redis/oom' }), bindNodeRedis(client), () =>
        expect(run()).rejects.toThrow('OOM'),
      )
      await vi.waitFor(async () => expect(await witness.mGet(['a', 'n'])).toEqual(['1', null]))
      await withFault(loseWrites({ methods: 'INCR', answer: 7 }), bindNodeRedis(client), async () =>
        expect(await run()).toEqual(['OK', 7, '1']),
      )
      await withFault(duplicateWrites({ methods: 'INCR' }), bindNodeRedis(client), async () =>
        expect(await run()).toEqual(['OK', 1, '1']),
      )
      await vi.waitFor(async () => expect(await witness.get('n')).toBe('2'))
      expect(await run()).toEqual(['OK', 3, '1'])
    })

    it('acts on all of a transaction, as the real server does', async () => {
      const replica = await ownRedis('--replicaof', '127.0.0.1', '1')
      const real = createClient({ socket: { host: '127.0.0.1', port: replica.port } })
      await real.connect()
      onTestFinished(async () => {
        real.destroy()
        await replica.stop()
      })
      const run = (one: typeof client): Promise<unknown> => one.multi().get('a').set('a', 1).get('a').exec()
      const injected = await withFault(
        refuseCalls({ methods: 'SET', error: 'redis/readonly' }),
        bindNodeRedis(client),
        () => rejection(run(client)),
      )
      const expected = await rejection(run(real))
      expect([injected.constructor, injected.message]).toEqual([expected.constructor, expected.message])
      expect(await witness.exists('a')).toBe(0)
      await withFault(failAfterCall({ methods: 'SET' }), bindNodeRedis(client), () =>
        expect(run(client)).rejects.toThrow('read ECONNRESET'),
      )
      expect(await witness.get('a')).toBe('1')
      await withFault(loseWrites({ methods: 'SET', answer: 'OK' }), bindNodeRedis(client), async () =>
        expect(await run(client)).toEqual(['OK', 'OK', 'OK']),
      )
      await withFault(delayCalls({ methods: 'SET', delayMs: 5 }), bindNodeRedis(client), async () =>
        expect(await run(client)).toEqual(['1', 'OK', '1']),
      )
    })

    it.each([
      [{}, 'an object of class Object'],
      [Map, 'the function `Map`'],
    ])('binds no other object: %o', (value, words) => {
      expect(() => bindNodeRedis(value as unknown as typeof client)).toThrow(
        `Expected a client of node-redis, or the class RedisClient, got ${words}`,
      )
    })
  },
)
