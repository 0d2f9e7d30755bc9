import { once } from 'node:events'
import { withFault } from '@chaos/core'
import { manualClock, shapeDifference, shapeOf } from '@chaos/core/testing'
import * as grpc from '@grpc/grpc-js'
import { hasPrograms, ownRedis, type OwnServer } from '@chaos/test-servers'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { failAfterCall, refuseCalls } from '../calls/index.js'
import { bindIoredis } from '../drivers/ioredis/index.js'
import { bindNodeRedis } from '../drivers/node-redis/index.js'
import { observeCalls, type CallObservation } from './observe-calls.js'

const outcomes = ({ calls }: CallObservation): readonly unknown[] =>
  calls.map(({ operation, attempts }) => [operation, ...attempts.map(({ ok, result }) => result ?? ok)])

describe.runIf(hasPrograms('redis-server'))(
  'observeCalls of bound clients (skipped without `redis-server`: Debian package redis-server)',
  () => {
    let server: OwnServer
    beforeAll(async () => {
      server = await ownRedis()
    })
    afterAll(() => server.stop())

    it('sees the commands of ioredis, and counts a lost reply as a failure', async () => {
      const redis = new Redis(server.port)
      onTestFinished(() => redis.disconnect())
      await redis.set('a', '1')
      const touched = [redis, Redis.prototype]
      const before = touched.map(shapeOf)
      const calls = await observeCalls(bindIoredis(redis), { unsafe: 'INCR' })
      await redis.get('a')
      await withFault(failAfterCall({ methods: 'INCR' }), bindIoredis(redis), { limit: 1 }, async () => {
        await redis.incr('a').catch(() => redis.incr('a'))
      })
      await redis.pipeline().get('b').incr('b').exec()
      await calls.stop()
      expect(outcomes(calls)).toEqual([
        ['GET', '1'],
        ['INCR', false, 3],
        ['GET', true],
        ['INCR', 1],
      ])
      expect(calls.violations().map(({ check }) => check)).toEqual(['no-delay', 'unsafe-retry'])
      expect(touched.map((one, n) => shapeDifference(before[n] as ReturnType<typeof shapeOf>, shapeOf(one)))).toEqual([
        undefined,
        undefined,
      ])
    })

    it('sees the commands of node-redis, and which one failed', async () => {
      const redis = createClient({ url: `redis://127.0.0.1:${server.port}` })
      await redis.connect()
      onTestFinished(() => redis.destroy())
      const calls = await observeCalls(bindNodeRedis(redis), { methods: ['GET', 'HGET', 'SET'] })
      await redis.set('c', '1')
      for (const read of [() => redis.get('c'), () => redis.hGet('c', 'field')]) await read().catch(() => undefined)
      await calls.stop()
      expect(outcomes(calls)).toEqual([
        ['SET', 'OK'],
        ['GET', '1'],
        ['HGET', false],
      ])
      expect(calls.calls[2]?.attempts[0]?.error).toMatchObject({
        message: expect.stringMatching(/^WRONGTYPE/) as string,
      })
    })
  },
)

describe('observeCalls of a client of grpc-js', () => {
  const method = { requestStream: false, responseStream: false }
  const text = {
    requestSerialize: (value: unknown) => Buffer.from(String(value)),
    requestDeserialize: (bytes: Buffer): unknown => bytes.toString(),
    responseSerialize: (value: unknown) => Buffer.from(String(value)),
    responseDeserialize: (bytes: Buffer): unknown => bytes.toString(),
  }
  const definition = {
    greet: { path: '/Test/Greet', ...method, ...text },
    list: { path: '/Test/List', ...method, responseStream: true, ...text },
  } satisfies grpc.ServiceDefinition
  const retryPolicy = {
    maxAttempts: 3,
    initialBackoff: '0.01s',
    maxBackoff: '0.01s',
    backoffMultiplier: 1,
    retryableStatusCodes: ['UNAVAILABLE'],
  }
  interface TestClient extends grpc.Client {
    greet(name: string, callback: (error: grpc.ServiceError | null, value?: unknown) => void): grpc.ClientUnaryCall
    list(name: string): grpc.ClientReadableStream<unknown>
  }

  it('sees the attempts of its service config, and streams', async () => {
    const server = new grpc.Server()
    server.addService(definition, {
      greet: (call: grpc.ServerUnaryCall<unknown, unknown>, answer: grpc.sendUnaryData<unknown>) =>
        answer(null, `hello ${String(call.request)}`),
      list(call: grpc.ServerWritableStream<unknown, unknown>) {
        call.write('a')
        call.end()
      },
    })
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    )
    onTestFinished(() => server.forceShutdown())
    const Client = grpc.makeGenericClientConstructor(definition, 'Test')
    const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
      'grpc.service_config': JSON.stringify({ methodConfig: [{ name: [{ service: 'Test' }], retryPolicy }] }),
    }) as unknown as TestClient
    onTestFinished(() => client.close())
    const calls = await observeCalls(client)
    const greeting = await withFault(
      refuseCalls({ error: 'ECONNREFUSED' }),
      client,
      { limit: 2 },
      () => new Promise((resolve) => void client.greet('Ada', (error, value) => resolve(error ?? value))),
    )
    const stream = client.list('x').on('data', () => undefined)
    await once(stream, 'end')
    await calls.stop()
    expect(greeting).toBe('hello Ada')
    expect(outcomes(calls)).toEqual([
      ['greet', false, false, true],
      ['list', true],
    ])
    expect(calls.calls[0]?.attempts[0]?.error).toMatchObject({ code: 14 })
  })
})

it('observes all instances of a class, until its time ends with that of its injection', async () => {
  class Store {
    async get(key: string): Promise<string> {
      return Promise.resolve(key)
    }
  }
  const before = shapeOf(Store.prototype)
  const clock = manualClock(5)
  const calls = await observeCalls(Store, { clock })
  await new Store().get('a')
  await new Store().get('b')
  await calls.stop()
  expect(calls.calls.map(({ key, attempts }) => [key, attempts[0]?.at])).toEqual([
    ["[ 'a' ]", 5],
    ["[ 'b' ]", 5],
  ])
  expect(shapeDifference(before, shapeOf(Store.prototype))).toBeUndefined()
})
