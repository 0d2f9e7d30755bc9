import { inject, injectedBy, withFault, type Fault } from '@chaos/core'
import { faultContract, manualClock, shapeDifference, shapeOf } from '@chaos/core/testing'
import { hasPrograms, ownRedis, type OwnServer } from '@chaos/test-servers'
import { Redis, ReplyError } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { expectObserved } from '../../../test/observed-writes.js'
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
import { bindIoredis } from './seam.js'

type TwoFaults = readonly [Fault<object>, Fault<object>]

describe.runIf(hasPrograms('redis-server'))(
  'the commands of ioredis (skipped without `redis-server`: Debian package redis-server)',
  () => {
    let server: OwnServer
    let client: Redis
    /** Sees what is really in Redis. */
    let witness: Redis

    beforeAll(async () => {
      server = await ownRedis()
      client = new Redis(server.port)
      witness = new Redis(server.port)
      await Promise.all([client.ping(), witness.ping()])
    })
    afterAll(async () => {
      client.disconnect()
      witness.disconnect()
      await server.stop()
    })
    beforeEach(() => witness.flushall())

    const contract = faultContract({
      fault: () => refuseCalls({ methods: 'GET' }),
      target: () => bindIoredis(client),
      async exercise(_target, times) {
        for (let n = 0; n < times; n += 1) await client.get('key').catch(() => undefined)
      },
      touched: () => [client, Redis.prototype],
    })
    for (const { title, run } of contract) it(`keeps the contract: ${title}`, run)

    it('lets a client be observed, beneath no fault', () =>
      expectObserved(
        () => bindIoredis(client),
        'INCR',
        () => client.incr('n'),
      ))

    it.each([
      [
        'a delay above',
        (): TwoFaults => [failAfterCall({ methods: 'INCR', message: 'lost' }), delayCalls({ delayMs: 1 })],
      ],
      [
        'a delay beneath',
        (): TwoFaults => [delayCalls({ delayMs: 1 }), failAfterCall({ methods: 'INCR', message: 'lost' })],
      ],
    ] as const)('sends a command once under two faults, and loses its reply: with %s', async (_order, faults) => {
      const [first, second] = faults()
      await withFault(first, bindIoredis(client), async (one) => {
        await withFault(second, bindIoredis(client), async (other) => {
          expect((await rejection(client.incr('n'))).message).toBe('lost')
          const answers = await client.pipeline().get('n').incr('n').exec()
          expect(answers?.map(([error, value]) => error?.message ?? value)).toEqual(['1', 'lost'])
          expect((await rejection(client.multi().incr('n').exec())).message).toBe('lost')
          expect([one.affected, other.affected].sort()).toEqual([3, 6])
        })
      })
      expect(await witness.get('n')).toBe('3')
    })

    it('refuses a command by its name, however it was called, and never sends it', async () => {
      await withFault(
        refuseCalls({ methods: 'SET', error: 'redis/readonly' }),
        bindIoredis(client),
        async (injection) => {
          const errors = await Promise.all([
            rejection(client.set('key', 1)),
            rejection(client.call('set', 'key', '1')),
            rejection(client.setBuffer('key', 1, 'GET')),
            new Promise<Error>((resolve) => void client.set('key', 1, (error) => resolve(error as Error))),
          ])
          for (const error of errors) {
            expect(error).toBeInstanceOf(ReplyError)
            expect(injectedBy(error)).toBe('adapter/refuse-calls')
            expect(error).toMatchObject({
              name: 'ReplyError',
              message: "READONLY You can't write against a read only replica.",
              command: { name: 'set' },
            })
          }
          expect(await client.get('key')).toBeNull()
          expect({ seen: injection.seen, affected: injection.affected }).toMatchObject({ seen: 4, affected: 4 })
          expect(injection.id).toMatch(/^adapter\/refuse-calls@Redis#/)
        },
      )
      expect(await client.set('key', 1)).toBe('OK')
    })

    it('refuses commands by glob and by their arguments', async () => {
      await withFault(
        refuseCalls({ methods: ['H*', 'DEL'], message: 'refused' }),
        bindIoredis(client),
        { only: (args) => String(args[0]).startsWith('a:') },
        async () => {
          await expect(client.hset('a:1', 'field', 1)).rejects.toThrow('refused')
          await expect(client.del('a:1')).rejects.toThrow('refused')
          expect(await client.hset('b:1', 'field', 1)).toBe(1)
          expect(await client.set('a:1', 1)).toBe('OK')
        },
      )
    })

    it('breaks all clients of the class, also those made later, and leaves what they say of themselves alone', async () => {
      const shape = shapeOf(Redis.prototype)
      await withFault(refuseCalls({ message: 'refused' }), bindIoredis(Redis), async () => {
        const later = new Redis(server.port)
        onTestFinished(() => later.disconnect())
        await vi.waitFor(() => expect(later.status).toBe('ready'))
        for (const one of [client, later]) await expect(one.get('key')).rejects.toThrow('refused')
      })
      expect(shapeDifference(shape, shapeOf(Redis.prototype))).toBeUndefined()
      expect(await client.get('key')).toBeNull()
    })

    it('names the address that the client is connected to', async () => {
      await withFault(refuseCalls({ error: 'ECONNREFUSED' }), bindIoredis(client), async () => {
        expect(await rejection(client.get('key'))).toMatchObject({
          code: 'ECONNREFUSED',
          message: `connect ECONNREFUSED 127.0.0.1:${server.port}`,
          port: server.port,
        })
      })
    })

    it('counts a command once that waits for its connection', async () => {
      const lazy = new Redis(server.port, { lazyConnect: true })
      onTestFinished(() => lazy.disconnect())
      await withFault(refuseCalls({ methods: 'GET' }), bindIoredis(lazy), { limit: 1 }, async (injection) => {
        const answers = Promise.allSettled([lazy.get('a'), lazy.get('b'), lazy.get('c')])
        expect((await answers).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
        expect(injection.seen).toBe(3)
      })
    })

    it('sends the command and fails it: fail after', async () => {
      await withFault(failAfterCall({ methods: 'INCR' }), bindIoredis(client), () =>
        expect(client.incr('n')).rejects.toThrow('read ECONNRESET'),
      )
      expect(await witness.get('n')).toBe('1')
    })

    it('forgets, repeats and damages: lose, duplicate, corrupt, stale', async () => {
      await withFault(loseWrites({ methods: 'SET', answer: 'OK' }), bindIoredis(client), async () =>
        expect(await client.set('key', 1)).toBe('OK'),
      )
      expect(await witness.exists('key')).toBe(0)
      await withFault(duplicateWrites({ methods: 'INCR', copies: 2 }), bindIoredis(client), async () =>
        expect(await client.incr('n')).toBe(1),
      )
      expect(await vi.waitFor(() => witness.get('n'))).toBe('3')
      await witness.hset('hash', { name: 'abcd' })
      await withFault(corruptResults({ methods: 'HGETALL' }), bindIoredis(client), async () =>
        expect(await client.hgetall('hash')).toEqual({ name: 'ab' }),
      )
      await withFault(serveStaleReads({ methods: 'GET' }), bindIoredis(client), async () => {
        expect(await client.get('n')).toBe('3')
        await client.set('n', 4)
        expect(await client.get('n')).toBe('3')
      })
      expect(await client.getBuffer('n')).toEqual(Buffer.from('4'))
    })

    it('waits: delay, time out, hang; and the timeout of ioredis ends a wait', async () => {
      const clock = manualClock()
      const delay = await inject(delayCalls({ delayMs: 100, methods: 'SET' }), bindIoredis(client), { clock })
      const written = client.set('key', 1)
      expect(await client.exists('key')).toBe(0)
      await clock.advance(100)
      expect(await written).toBe('OK')
      await delay.rollback()

      const timeOut = await inject(
        timeOutCalls({ timeoutMs: 50, error: 'redis/command-timeout' }),
        bindIoredis(client),
        { clock },
      )
      const error = rejection(client.get('key'))
      await clock.advance(50)
      expect((await error).message).toBe('Command timed out')
      await timeOut.rollback()

      const impatient = new Redis(server.port)
      onTestFinished(() => impatient.disconnect())
      await impatient.ping()
      impatient.options.commandTimeout = 20
      const hang = await inject(hangCalls(), bindIoredis(impatient))
      expect((await rejection(impatient.get('key'))).message).toBe('Command timed out')
      const released = inject(hangCalls({ methods: 'GET' }), bindIoredis(client))
      const value = client.get('key')
      await hang.rollback()
      await (await released).rollback()
      expect(await value).toBe('1')
    })

    it.each(['alone', 'in a transaction'])(
      'fails a held command when its client is disconnected, as before a mute server: %s',
      async (where) => {
        const one = new Redis(server.port)
        await one.ping()
        const call = (): Promise<unknown> =>
          where === 'alone' ? one.set('key', 1) : one.multi().set('key', 1).set('key', 2).exec()
        const hang = await inject(hangCalls({ methods: 'SET' }), bindIoredis(one))
        const error = rejection(call())
        one.disconnect()
        expect((await error).message).toBe('Connection is closed.')
        await hang.rollback()
        expect(hang.account['lost']).toBe(1)
        expect(await witness.exists('key')).toBe(0)
      },
    )

    it('leaves a command to `maxRetriesPerRequest` while its server is away', async () => {
      const own = await ownRedis()
      const one = new Redis(own.port, { maxRetriesPerRequest: 0, retryStrategy: () => 1 })
      one.on('error', () => undefined)
      onTestFinished(() => one.disconnect())
      await one.ping()
      await withFault(hangCalls({ methods: 'GET' }), bindIoredis(one), async () => {
        const held = rejection(one.get('key'))
        await own.stop()
        expect((await held).name).toBe('MaxRetriesPerRequestError')
        expect((await rejection(one.get('key'))).name).toBe('MaxRetriesPerRequestError')
      })
    })

    it('is told to what replaces the methods of a command once it is sent, as instrumentations do', async () => {
      const told: unknown[] = []
      const { sendCommand } = Redis.prototype
      onTestFinished(() => void (Redis.prototype.sendCommand = sendCommand))
      const instrument = (): void => {
        const inner = Redis.prototype.sendCommand
        Redis.prototype.sendCommand = function (command, stream) {
          const answer = inner.call(this, command, stream)
          const { reject } = command
          command.reject = (error) => {
            told.push(error.message)
            reject(error)
          }
          return answer
        }
      }
      instrument()
      await withFault(refuseCalls({ methods: 'GET', message: 'first' }), bindIoredis(client), () =>
        rejection(client.get('key')),
      )
      await withFault(refuseCalls({ methods: 'GET', message: 'second' }), bindIoredis(Redis), async () => {
        instrument()
        await rejection(client.get('key'))
      })
      expect(told).toEqual(['first', 'second', 'second'])
    })

    it('flaps, and limits the rate', async () => {
      const clock = manualClock()
      const flap = await inject(flapCalls({ downMs: 10, upMs: 10, error: 'redis/loading' }), bindIoredis(client), {
        clock,
      })
      await expect(client.get('key')).rejects.toThrow('LOADING')
      await clock.advance(10)
      expect(await client.get('key')).toBeNull()
      await flap.rollback()
      await withFault(
        limitRate({ calls: 2, perMs: 60_000, methods: 'GET' }),
        bindIoredis(client),
        async (injection) => {
          const outcomes = await Promise.allSettled([1, 2, 3].map(() => client.get('key')))
          expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
          expect({ seen: injection.seen, affected: injection.affected }).toMatchObject({ seen: 1, affected: 1 })
        },
      )
    })

    describe('in a pipeline', () => {
      const fill = (): ReturnType<Redis['pipeline']> =>
        client.pipeline().set('a', 1).incr('n').get('a').set('b', 2).get('b')

      it('breaks the chosen commands, and each other one gets its own reply', async () => {
        await withFault(
          refuseCalls({ methods: 'SET', error: 'redis/oom' }),
          bindIoredis(client),
          { limit: 1 },
          async () => {
            const results = await fill().exec()
            expect(results?.map(([error, value]) => error?.message ?? value)).toEqual([
              "OOM command not allowed when used memory > 'maxmemory'.",
              1,
              null,
              'OK',
              '2',
            ])
          },
        )
        expect(await witness.mget('a', 'b', 'n')).toEqual([null, '2', '1'])
      })

      it.each([
        ['fails after', failAfterCall({ methods: 'INCR' }), ['OK', 'read ECONNRESET', '1', 'OK', '2'], '1'],
        ['loses', loseWrites({ methods: ['INCR', 'SET'], answer: 'OK' }), ['OK', 'OK', null, 'OK', null], null],
        ['duplicates', duplicateWrites({ methods: 'INCR' }), ['OK', 1, '1', 'OK', '2'], '2'],
        ['damages', corruptResults({ methods: 'GET', damage: 'empty' }), ['OK', 1, '', 'OK', ''], '1'],
        ['delays', delayCalls({ methods: 'INCR', delayMs: 5 }), ['OK', 1, '1', 'OK', '2'], '1'],
        ['refuses all', refuseCalls({ message: 'no' }), ['no', 'no', 'no', 'no', 'no'], null],
      ])('%s', async (_what, fault, answers, n) => {
        await withFault(fault, bindIoredis(client), async () => {
          expect((await fill().exec())?.map(([error, value]) => error?.message ?? value)).toEqual(answers)
          await client.ping().catch(() => undefined)
        })
        await vi.waitFor(async () => expect(await witness.get('n')).toBe(n))
        expect(await fill().exec()).toHaveLength(5)
      })

      it('breaks one that is given to a client without a connection', async () => {
        for (const methods of ['SET', '*']) {
          const lazy = new Redis(server.port, { lazyConnect: true })
          onTestFinished(() => lazy.disconnect())
          await withFault(refuseCalls({ methods, message: 'no' }), bindIoredis(lazy), async () => {
            const results = await lazy.pipeline().get('x').set('x', 1).exec()
            expect(results?.map(([error, value]) => error?.message ?? value)).toEqual([
              methods === '*' ? 'no' : null,
              'no',
            ])
          })
          expect(await lazy.set('x', 2)).toBe('OK')
          await witness.del('x')
        }
      })
    })

    describe('in a transaction', () => {
      it('aborts all of it when the server would refuse one command, as the real one does', async () => {
        const replica = await ownRedis('--replicaof', '127.0.0.1', '1')
        const real = new Redis(replica.port)
        onTestFinished(async () => {
          real.disconnect()
          await replica.stop()
        })
        const run = (one: Redis): Promise<Error> => rejection(one.multi().get('a').set('a', 1).get('b').exec())
        const told = (error: Error): unknown => [
          error.name,
          error.message,
          (error as Error & { previousErrors: Error[] }).previousErrors.map(({ name, message }) => [name, message]),
        ]
        const injected = await withFault(
          refuseCalls({ methods: 'SET', error: 'redis/readonly' }),
          bindIoredis(client),
          () => run(client),
        )
        expect(told(injected)).toEqual(told(await run(real)))
        expect(await witness.exists('a')).toBe(0)
        expect(await client.multi().set('a', 1).get('a').exec()).toEqual([
          [null, 'OK'],
          [null, '1'],
        ])
      })

      it('acts on the whole where a connection breaks, before it and after it', async () => {
        await withFault(refuseCalls({ methods: 'INCR', error: 'ECONNRESET' }), bindIoredis(client), () =>
          expect(client.multi().set('a', 1).incr('n').exec()).rejects.toThrow('read ECONNRESET'),
        )
        expect(await witness.mget('a', 'n')).toEqual([null, null])
        await withFault(failAfterCall({ methods: 'INCR' }), bindIoredis(client), () =>
          expect(client.multi().set('a', 1).incr('n').exec()).rejects.toThrow('read ECONNRESET'),
        )
        expect(await witness.mget('a', 'n')).toEqual(['1', '1'])
      })

      it('delays, loses, repeats and damages all of it', async () => {
        const run = (): Promise<unknown> => client.multi().set('a', 'abcd').incr('n').get('a').exec()
        await withFault(delayCalls({ methods: 'INCR', delayMs: 5 }), bindIoredis(client), async () => {
          expect(await Promise.all([run(), client.get('a')])).toEqual([
            [
              [null, 'OK'],
              [null, 1],
              [null, 'abcd'],
            ],
            null,
          ])
        })
        await withFault(loseWrites({ methods: 'INCR', answer: 'OK' }), bindIoredis(client), async () =>
          expect(await run()).toEqual([
            [null, 'OK'],
            [null, 'OK'],
            [null, 'OK'],
          ]),
        )
        expect(await witness.get('n')).toBe('1')
        await withFault(duplicateWrites({ methods: 'INCR' }), bindIoredis(client), async () =>
          expect(await run()).toEqual([
            [null, 'OK'],
            [null, 2],
            [null, 'abcd'],
          ]),
        )
        await vi.waitFor(async () => expect(await witness.get('n')).toBe('3'))
        await withFault(
          corruptResults({ methods: 'GET', change: (replies: unknown[]) => replies.slice(0, 1) }),
          bindIoredis(client),
          async () => expect(await run()).toEqual([[null, 'OK']]),
        )
      })
    })

    it.each([
      [{}, 'an object of class Object'],
      [Map, 'the function `Map`'],
      [null, 'null'],
    ])('binds no other object: %o', (value, words) => {
      expect(() => bindIoredis(value as unknown as Redis)).toThrow(
        `Expected a client of ioredis, or its class, got ${words}`,
      )
    })

    it('refuses names that are no commands', async () => {
      await expect(inject(refuseCalls({ methods: 'get' }), bindIoredis(client))).rejects.toThrow('Did you mean "GET"?')
      await expect(inject(refuseCalls({ methods: 'x*' }), bindIoredis(client))).rejects.toThrow(
        'Unknown command "x*" of the client',
      )
      await withFault(refuseCalls({ methods: 'JSON.GET', message: 'no' }), bindIoredis(client), () =>
        expect(client.call('json.get', 'key')).rejects.toThrow('no'),
      )
    })
  },
)
