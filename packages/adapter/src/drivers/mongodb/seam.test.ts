import { inject, injectedBy, withFault } from '@chaos/core'
import { faultContract, manualClock } from '@chaos/core/testing'
import { Collection, MongoClient, MongoNetworkError, MongoServerError } from 'mongodb'
import { once } from 'node:events'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { expectObserved } from '../../../test/observed-writes.js'
import { mongoDouble, type MongoDouble } from '../../../test/mongo-double.js'
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
import { bindMongodb } from './seam.js'

interface User {
  readonly name: string
}

describe('the commands of mongodb (its driver, and a double of the server at the wire)', () => {
  let double: MongoDouble
  let client: MongoClient
  let other: MongoClient
  let users: Collection<User>

  const connect = (): Promise<MongoClient> => new MongoClient(`mongodb://127.0.0.1:${double.port}`).connect()
  const names = (): readonly unknown[] => double.documents('users').map(({ name }) => name as unknown)

  beforeAll(async () => {
    double = await mongoDouble()
    client = await connect()
    other = await connect()
    users = client.db('app').collection('users')
  })
  afterAll(async () => {
    await Promise.all([client.close(), other.close()])
    await double.close()
  })
  beforeEach(() =>
    other
      .db('app')
      .collection('users')
      .deleteMany({})
      .then(() => undefined),
  )

  for (const [what, target] of [
    ['a client', () => bindMongodb(client)],
    ['the class', () => bindMongodb(MongoClient)],
  ] as const) {
    const contract = faultContract({
      fault: () => refuseCalls({ methods: 'ping' }),
      target,
      async exercise(_target, times) {
        for (let n = 0; n < times; n += 1)
          await client
            .db('app')
            .command({ ping: 1 })
            .catch(() => undefined)
      },
      touched: () => [client, MongoClient.prototype, Collection.prototype],
    })
    for (const { title, run } of contract) it(`with ${what}, keeps the contract: ${title}`, run)
  }

  it('lets a client be observed, beneath no fault', () =>
    expectObserved(
      () => bindMongodb(client),
      'insert',
      () => users.insertOne({ name: 'a' }),
    ))

  it('refuses a command by its name, and it never reaches the server', async () => {
    const before = double.received.length
    await withFault(
      refuseCalls({ methods: 'insert', error: 'mongodb/not-primary' }),
      bindMongodb(client),
      async (injection) => {
        for (const call of [
          () => users.insertOne({ name: 'a' }),
          () => users.insertMany([{ name: 'a' }, { name: 'b' }]),
          () => users.bulkWrite([{ insertOne: { document: { name: 'c' } } }]),
        ]) {
          const error = await rejection(call())
          expect(error).toMatchObject({ code: 10_107, codeName: 'NotWritablePrimary' })
          expect(error).toBeInstanceOf(MongoServerError)
        }
        expect(double.received.slice(before)).toEqual([])
        await other.db('app').collection('users').insertOne({ name: 'other' })
        expect([injection.seen, injection.affected]).toEqual([3, 3])
        expect(injection.id).toMatch(/^adapter\/refuse-calls@MongoClient#/)
      },
    )
    await users.insertOne({ name: 'healed' })
    expect(names()).toEqual(['other', 'healed'])
  })

  it('breaks all clients of the class, and chooses by namespace and command', async () => {
    await withFault(
      refuseCalls({ methods: 'find', message: 'refused' }),
      bindMongodb(MongoClient),
      { only: (args) => args[0] === 'app.users' && (args[1] as { filter: User }).filter.name === 'x' },
      async () => {
        for (const one of [client, other])
          await expect(one.db('app').collection('users').findOne({ name: 'x' })).rejects.toThrow('refused')
        expect(await client.db('app').collection('users').findOne({ name: 'y' })).toBeNull()
        expect(await client.db('app').collection('items').findOne({ name: 'x' })).toBeNull()
      },
    )
  })

  it('ends the connection whose error is injected, as the driver does when its socket fails', async () => {
    const own = await connect()
    onTestFinished(() => own.close())
    await own.db('app').command({ ping: 1 })
    const closed = once(own, 'connectionClosed')
    await withFault(refuseCalls({ methods: 'ping', error: 'ECONNRESET' }), bindMongodb(own), async () => {
      const error = await rejection(own.db('app').command({ ping: 1 }))
      expect(error).toBeInstanceOf(MongoNetworkError)
      expect(error).toMatchObject({ message: 'read ECONNRESET', cause: { code: 'ECONNRESET' } })
      expect(injectedBy(error)).toBe('adapter/refuse-calls')
    })
    expect((await closed)[0]).toMatchObject({ reason: 'error' })
    expect(await own.db('app').command({ ping: 1 })).toMatchObject({ ok: 1 })
  })

  it('does it and fails, forgets, repeats, damages, and answers with what was', async () => {
    await withFault(failAfterCall({ methods: 'insert', error: 'mongodb/shutdown' }), bindMongodb(client), () =>
      expect(users.insertOne({ name: 'a' })).rejects.toMatchObject({ code: 11_600 }),
    )
    expect(names()).toEqual(['a'])
    await withFault(loseWrites({ methods: 'insert', answer: { ok: 1, n: 1 } }), bindMongodb(client), async () =>
      expect((await users.insertOne({ name: 'lost' })).acknowledged).toBe(true),
    )
    expect(names()).toEqual(['a'])
    await withFault(duplicateWrites({ methods: 'insert' }), bindMongodb(client), async () => {
      await users.insertOne({ name: 'twice' })
      await expect.poll(names).toEqual(['a', 'twice', 'twice'])
    })
    await withFault(corruptResults({ methods: 'find' }), bindMongodb(client), async () =>
      expect((await users.find().toArray()).map(({ name }) => name)).toEqual(['a']),
    )
    await withFault(serveStaleReads({ methods: 'find' }), bindMongodb(client), async () => {
      const count = async (): Promise<number> => (await users.find().toArray()).length
      expect(await count()).toBe(3)
      await users.insertOne({ name: 'new' })
      expect(await count()).toBe(3)
    })
    expect(await users.find().toArray()).toHaveLength(4)
  })

  it('breaks a cursor in the middle', async () => {
    await users.insertMany(['a', 'b', 'c'].map((name) => ({ name })))
    await withFault(refuseCalls({ methods: 'getMore', error: 'mongodb/max-time' }), bindMongodb(client), async () => {
      const read: string[] = []
      const reading = (async () => {
        for await (const { name } of users.find({}, { batchSize: 2 })) read.push(name)
      })()
      await expect(reading).rejects.toMatchObject({ code: 50 })
      expect(read).toEqual(['a', 'b'])
    })
    expect(await users.find({}, { batchSize: 2 }).toArray()).toHaveLength(3)
  })

  it('waits: delay, time out, hang', async () => {
    const clock = manualClock()
    const delay = await inject(delayCalls({ delayMs: 100, methods: 'insert' }), bindMongodb(client), { clock })
    const written = users.insertOne({ name: 'late' })
    expect(await users.countDocuments({}).catch(() => 0)).toBe(0)
    await clock.advance(100)
    await written
    await delay.rollback()
    expect(names()).toEqual(['late'])
    const timeOut = await inject(timeOutCalls({ timeoutMs: 50, error: 'mongodb/max-time' }), bindMongodb(client), {
      clock,
    })
    const error = rejection(users.findOne())
    await expect.poll(() => timeOut.seen).toBe(1)
    await clock.advance(50)
    expect(await error).toMatchObject({ codeName: 'MaxTimeMSExpired' })
    await timeOut.rollback()
    const hang = await inject(hangCalls({ methods: 'find' }), bindMongodb(client))
    const found = users.findOne()
    await expect.poll(() => hang.seen).toBe(1)
    await hang.rollback()
    expect(await found).toMatchObject({ name: 'late' })
  })

  it.each([
    ['hang', hangCalls({ methods: 'find' })],
    ['delay', delayCalls({ delayMs: 60_000, methods: 'find' })],
    ['time out', timeOutCalls({ timeoutMs: 60_000, methods: 'find' })],
  ])(
    "ends a %s when the caller's own signal aborts, with its reason, and never sends the command",
    async (_what, fault) => {
      const before = double.received.length
      await withFault(fault, bindMongodb(client), async (injection) => {
        const controller = new AbortController()
        const error = rejection(users.find({}, { signal: controller.signal }).toArray())
        await expect.poll(() => injection.seen).toBe(1)
        controller.abort(new RangeError('enough'))
        expect(await error).toEqual(new RangeError('enough'))
      })
      expect(double.received.slice(before)).toEqual([])
    },
  )

  it('flaps, and limits the rate', async () => {
    const clock = manualClock()
    const flap = await inject(
      flapCalls({ downMs: 10, upMs: 10, error: 'mongodb/write-conflict' }),
      bindMongodb(client),
      { clock },
    )
    await expect(users.findOne()).rejects.toMatchObject({ code: 112 })
    await clock.advance(10)
    expect(await users.findOne()).toBeNull()
    await flap.rollback()
    await withFault(limitRate({ calls: 1, perMs: 60_000 }), bindMongodb(client), async () => {
      await users.findOne()
      await expect(users.findOne()).rejects.toThrow('Too Many Requests')
    })
  })

  it.each([
    [{}, 'an object of class Object'],
    [Map, 'the function `Map`'],
  ])('binds no other object: %o', (value, words) => {
    expect(() => bindMongodb(value as unknown as MongoClient)).toThrow(
      `Expected a client of mongodb, or its class, got ${words}`,
    )
  })

  it('binds no client of a copy that the process has not loaded', () => {
    expect(() => bindMongodb({ db: () => undefined, startSession: () => undefined })).toThrow(
      'belongs to a bundled or second copy of `mongodb`',
    )
  })

  it('refuses names that are no commands', async () => {
    await expect(inject(refuseCalls({ methods: 'insrt' }), bindMongodb(client))).rejects.toThrow(
      'Did you mean "insert"?',
    )
  })
})
