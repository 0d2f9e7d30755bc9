import { inject, withFault } from '@chaos/core'
import * as grpc from '@grpc/grpc-js'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { corruptResults } from './faults/corrupt-results.js'
import { cutResults } from './faults/cut-results.js'
import { failAfterCall } from './faults/fail-after-call.js'
import { hangCalls } from './faults/hang-calls.js'
import { refuseCalls } from './faults/refuse-calls.js'

const json = {
  requestSerialize: (value: unknown) => Buffer.from(JSON.stringify(value)),
  requestDeserialize: (bytes: Buffer): unknown => JSON.parse(bytes.toString()),
  responseSerialize: (value: unknown) => Buffer.from(JSON.stringify(value)),
  responseDeserialize: (bytes: Buffer): unknown => JSON.parse(bytes.toString()),
}
const definition = {
  greet: { path: '/Test/Greet', requestStream: false, responseStream: false, ...json },
  list: { path: '/Test/List', requestStream: false, responseStream: true, ...json },
  sum: { path: '/Test/Sum', requestStream: true, responseStream: false, ...json },
  chat: { path: '/Test/Chat', requestStream: true, responseStream: true, ...json },
} satisfies grpc.ServiceDefinition

type Answer = (error: grpc.ServiceError | null, value?: unknown) => void
interface TestClient extends grpc.Client {
  greet(request: unknown, callback: Answer): grpc.ClientUnaryCall
  greet(request: unknown, metadata: grpc.Metadata, options: grpc.CallOptions, callback: Answer): grpc.ClientUnaryCall
  list(request: unknown): grpc.ClientReadableStream<unknown>
  sum(callback: Answer): grpc.ClientWritableStream<unknown>
  chat(): grpc.ClientDuplexStream<unknown, unknown>
}

describe('a client of grpc-js', () => {
  const server = new grpc.Server()
  const reached: string[] = []
  let port = 0

  beforeAll(async () => {
    server.addService(definition, {
      greet(call: grpc.ServerUnaryCall<unknown, unknown>, answer: grpc.sendUnaryData<unknown>) {
        reached.push('greet')
        answer(null, `hello ${String(call.request)}`)
      },
      list(call: grpc.ServerWritableStream<unknown, unknown>) {
        reached.push('list')
        for (const item of ['abcd', 'efgh']) call.write(item)
        call.end()
      },
      sum(call: grpc.ServerReadableStream<number, unknown>, answer: grpc.sendUnaryData<unknown>) {
        reached.push('sum')
        let sum = 0
        call.on('data', (value: number) => (sum += value))
        call.on('end', () => answer(null, sum))
      },
      chat(call: grpc.ServerDuplexStream<unknown, unknown>) {
        reached.push('chat')
        call.on('data', (value) => call.write(value))
        call.on('end', () => call.end())
      },
    })
    port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    )
  })
  afterAll(() => server.forceShutdown())

  function connect(): TestClient {
    const Client = grpc.makeGenericClientConstructor(definition, 'Test')
    const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure()) as unknown as TestClient
    onTestFinished(() => client.close())
    reached.splice(0)
    return client
  }
  const outcome = async (start: (answer: Answer) => unknown): Promise<unknown> =>
    new Promise((resolve) => void start((error, value) => resolve(error ?? value)))
  const all = async (stream: AsyncIterable<unknown>): Promise<unknown[]> => {
    const items: unknown[] = []
    try {
      for await (const item of stream) items.push(item)
    } catch (error) {
      items.push((error as grpc.ServiceError).code)
    }
    return items
  }

  it('refuses each of the four kinds of calls with a status, leaves the call object usable, and ends bare', async () => {
    const client = connect()
    const channel = client.getChannel()
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    await withFault(refuseCalls({ message: 'away' }), client, async (injection) => {
      let call: grpc.ClientUnaryCall | undefined
      const error = await outcome((answer) => (call = client.greet('Ada', answer)))
      expect(error).toMatchObject({ code: 14, details: 'away', message: '14 UNAVAILABLE: away' })
      expect(call?.getPeer()).toContain(String(port))
      call?.cancel()
      expect(await all(client.list('x'))).toEqual([14])
      expect(await outcome((answer) => client.sum(answer).end())).toMatchObject({ code: 14 })
      const chat = client.chat()
      chat.on('data', () => undefined)
      const [failure] = (await once(chat, 'error')) as [grpc.ServiceError]
      expect(failure.code).toBe(14)
      expect([injection.seen, injection.affected]).toEqual([4, 4])
    })
    await new Promise(setImmediate)
    process.off('unhandledRejection', unhandled)
    expect([reached, unhandled.mock.calls]).toEqual([[], []])
    expect(Reflect.ownKeys(channel)).not.toContain('createCall')
    expect(await outcome((answer) => client.greet('Ada', answer))).toBe('hello Ada')
  })

  it('keeps the deadline and the cancel of a call that hangs, which never reaches the server', async () => {
    const client = connect()
    await withFault(hangCalls({ methods: 'greet' }), client, async (injection) => {
      const late = outcome((answer) => client.greet('Ada', new grpc.Metadata(), { deadline: Date.now() + 20 }, answer))
      expect(await late).toMatchObject({ code: 4 })
      let call: grpc.ClientUnaryCall | undefined
      const cancelled = outcome((answer) => (call = client.greet('Ada', answer)))
      call?.cancel()
      expect(await cancelled).toMatchObject({ code: 1, details: 'Cancelled on client' })
      expect(injection.held).toBe(0)
    })
    expect(reached).toEqual([])
  })

  it('sends what hangs when the fault ends, with what was written meanwhile', async () => {
    const client = connect()
    const injection = await inject(hangCalls(), client)
    const sum = outcome((answer) => {
      const call = client.sum(answer)
      call.write(1)
      call.write(2)
      call.end()
    })
    const listed = all(client.list('x'))
    await vi.waitFor(() => expect(injection.held).toBe(2))
    expect(reached).toEqual([])
    await injection.rollback()
    expect([await sum, await listed]).toEqual([3, ['abcd', 'efgh']])
  })

  it('damages messages, cuts streams, and loses replies', async () => {
    const client = connect()
    await withFault(corruptResults({ methods: 'list' }), client, async () =>
      expect(await all(client.list('x'))).toEqual(['ab', 'ef']),
    )
    await withFault(cutResults({ methods: 'list', message: 'cut' }), client, async () =>
      expect(await all(client.list('x'))).toEqual(['abcd', 14]),
    )
    await withFault(failAfterCall({ methods: 'greet', message: 'lost' }), client, async () =>
      expect(await outcome((answer) => client.greet('Ada', answer))).toMatchObject({ code: 14, details: 'lost' }),
    )
    expect(reached).toEqual(['list', 'list', 'greet'])
  })

  it('refuses a method that the service does not have', async () => {
    await expect(inject(refuseCalls({ methods: 'great' }), connect())).rejects.toThrow('Did you mean "greet"?')
  })
})
