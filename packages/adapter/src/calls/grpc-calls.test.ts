import { inject, withFault, type Fault } from '@chaos/core'
import * as grpc from '@grpc/grpc-js'
import { once } from 'node:events'
import net from 'node:net'
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

  function connect(to = port, options: grpc.ClientOptions = {}): TestClient {
    const Client = grpc.makeGenericClientConstructor(definition, 'Test')
    const client = new Client(`127.0.0.1:${to}`, grpc.credentials.createInsecure(), options) as unknown as TestClient
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

  describe('beside a real outage', () => {
    const retries = {
      'grpc.service_config': JSON.stringify({
        methodConfig: [
          {
            name: [{ service: 'Test' }],
            retryPolicy: {
              maxAttempts: 3,
              initialBackoff: '0.01s',
              maxBackoff: '0.01s',
              backoffMultiplier: 1,
              retryableStatusCodes: ['UNAVAILABLE'],
            },
          },
        ],
      }),
    }
    /** The error of a call, without what differs from run to run. */
    const failure = async (client: TestClient, metadata = new grpc.Metadata(), deadline?: number): Promise<unknown> => {
      const {
        code,
        details,
        metadata: told,
      } = (await outcome((answer) =>
        client.greet('Ada', metadata, deadline === undefined ? {} : { deadline: Date.now() + deadline }, answer),
      )) as grpc.ServiceError
      return {
        code,
        told: told.getMap(),
        // Phases between the deadline and the last one depend on the time that each took.
        details: details.replaceAll(/127\.0\.0\.1:\d+|[\d.]+s|(?<=,).*,/g, ''),
      }
    }
    const listening = async (): Promise<net.Server> => {
      const server = net.createServer((socket) => void socket.resume().on('error', () => undefined))
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }
    const portOf = (server: net.Server): number => (server.address() as net.AddressInfo).port

    it('a refused call fails as at a dead port: the same error, after as many attempts of the service config', async () => {
      const dead = await listening()
      const deadPort = portOf(dead)
      dead.close()
      await once(dead, 'close')
      for (const options of [{}, retries]) {
        const real = await failure(connect(deadPort, options))
        const client = connect(port, options)
        await withFault(refuseCalls({ error: 'ECONNREFUSED' }), client, async (injection) => {
          expect(await failure(client)).toEqual(real)
          expect(injection.affected).toBe(options === retries ? 3 : 1)
        })
      }
    })

    it('an attempt that is refused is retried with success, and interceptors see one call', async () => {
      const seen: unknown[] = []
      const client = connect(port, {
        ...retries,
        interceptors: [
          (options, next) => {
            seen.push(options.method_definition.path)
            return new grpc.InterceptingCall(next(options))
          },
        ],
      })
      await withFault(refuseCalls({ error: 'ECONNRESET' }), client, { limit: 1 }, async () =>
        expect(await outcome((answer) => client.greet('Ada', answer))).toBe('hello Ada'),
      )
      expect([seen, reached]).toEqual([['/Test/Greet'], ['greet']])
    })

    it('a call with `waitForReady` waits for the end of the outage, or for its deadline', async () => {
      const dead = await listening()
      const deadPort = portOf(dead)
      dead.close()
      await once(dead, 'close')
      const ready = new grpc.Metadata({ waitForReady: true })
      const real = await failure(connect(deadPort), ready, 50)
      const client = connect()
      const waiting = await withFault(refuseCalls({ error: 'ECONNREFUSED' }), client, async () => {
        expect(await failure(client, ready, 50)).toMatchObject({ code: 4 })
        expect(real).toMatchObject({ code: 4 })
        // What the server itself answers does not wait.
        return [outcome((answer) => client.greet('Ada', ready, {}, answer))]
      })
      expect(await waiting[0]).toBe('hello Ada')
      await withFault(refuseCalls({ message: 'busy' }), client, async () =>
        expect(await failure(client, ready)).toMatchObject({ code: 14, details: 'busy' }),
      )
    })

    it('a call that hangs ends by its deadline as before a mute server', async () => {
      const mute = await listening()
      onTestFinished(() => void mute.close())
      // On a machine that stalls its time may be over before the name is resolved, and there was no call yet that could hang.
      const hung = async (to: number, fault?: Fault<object>): Promise<unknown> => {
        for (;;) {
          const client = connect(to)
          const ask = (): Promise<unknown> => failure(client, new grpc.Metadata(), 50)
          const told = await (fault === undefined ? ask() : withFault(fault, client, ask))
          if (!JSON.stringify(told).includes('waiting for name resolution')) return told
        }
      }
      const real = await hung(portOf(mute))
      expect(await hung(port, hangCalls())).toEqual(real)
    })

    it('a call that is given up before its first attempt never reaches the server', async () => {
      const client = connect()
      expect(await outcome((answer) => client.greet('Bob', answer))).toBe('hello Bob')
      const injection = await inject(hangCalls(), client)
      const cancelled = outcome((answer) => client.greet('Ada', answer).cancel())
      expect(await cancelled).toMatchObject({ code: 1 })
      expect([injection.affected, injection.held]).toEqual([1, 0])
      await injection.rollback()
      expect(await outcome((answer) => client.greet('Bob', answer))).toBe('hello Bob')
      expect(reached).toEqual(['greet', 'greet'])
    })
  })

  it('refuses a method that the service does not have', async () => {
    await expect(inject(refuseCalls({ methods: 'great' }), connect())).rejects.toThrow('Did you mean "greet"?')
  })
})
