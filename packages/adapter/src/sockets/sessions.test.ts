import { inject, injectedBy } from '@chaos/core'
import { Client, credentials, Server, ServerCredentials, type MethodDefinition } from '@grpc/grpc-js'
import { once } from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { cutResponses } from '../http/faults/cut-responses.js'
import { slowResponses } from '../http/faults/slow-responses.js'

/** A client whose connection is a session of HTTP/2. */
interface SessionClient {
  readonly port: number
  /** Asks once, over a connection that stays. */
  readonly ask: () => Promise<string>
}

const echo: MethodDefinition<string, string> = {
  path: '/test.Echo/Say',
  requestStream: false,
  responseStream: false,
  requestSerialize: (value) => Buffer.from(value),
  requestDeserialize: (bytes) => String(bytes),
  responseSerialize: (value) => Buffer.from(value),
  responseDeserialize: (bytes) => String(bytes),
}

const clients: Readonly<Record<string, () => Promise<SessionClient>>> = {
  async 'node:http2'() {
    const server = http2.createServer((_request, response) => void response.end('answer')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as net.AddressInfo
    let session: http2.ClientHttp2Session | undefined
    onTestFinished(() => {
      session?.destroy()
      server.close()
    })
    return {
      port,
      ask() {
        if (session?.destroyed !== false)
          session = http2.connect(`http://127.0.0.1:${port}`).on('error', () => undefined)
        return text(session.request())
      },
    }
  },
  async 'grpc-js'() {
    const server = new Server()
    server.addService(
      { say: echo },
      { say: (_call: unknown, done: (e: null, v: string) => void) => done(null, 'answer') },
    )
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      )
    })
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
    onTestFinished(() => {
      client.close()
      server.forceShutdown()
    })
    return {
      port,
      ask: () =>
        new Promise((resolve, reject) => {
          client.makeUnaryRequest(
            echo.path,
            echo.requestSerialize,
            echo.responseDeserialize,
            'question',
            (error, value) => (error === null ? resolve(value ?? '') : reject(error)),
          )
        }),
    }
  },
}

describe.each(Object.entries(clients))('the responses of %s', (_name, start) => {
  it.each(['before', 'under'] as const)('are held on a connection made %s the fault', async (when) => {
    const { port, ask } = await start()
    if (when === 'before') await ask()
    const injection = await inject(slowResponses({ delayMs: 60_000 }), net, { only: `127.0.0.1:${port}` })
    let answer: string | undefined
    const asking = ask().then((value) => (answer = value))
    await vi.waitFor(() => expect(injection.held).toBeGreaterThan(0))
    await new Promise((resolve) => setImmediate(resolve))
    expect(answer).toBeUndefined()
    await injection.rollback()
    expect(await asking).toBe('answer')
    expect(await ask()).toBe('answer')
  })

  it.each(['before', 'under'] as const)('are cut on a connection made %s the fault', async (when) => {
    const { port, ask } = await start()
    if (when === 'before') await ask()
    const injection = await inject(cutResponses(), net, { only: `127.0.0.1:${port}` })
    await expect(ask()).rejects.toThrow(/ECONNRESET|UNAVAILABLE/)
    expect(injection.affected).toBeGreaterThan(0)
    await injection.rollback()
    await vi.waitFor(async () => expect(await ask()).toBe('answer'))
  })

  it('pass through each of two faults, whichever ends first', async () => {
    const { port, ask } = await start()
    await ask()
    const faults = [
      await inject(slowResponses({ delayMs: 1 }), net, { only: `127.0.0.1:${port}` }),
      await inject(slowResponses({ delayMs: 1 }), net, { only: `127.0.0.1:${port}` }),
    ]
    expect(await ask()).toBe('answer')
    const [first, second] = faults.map(({ affected }) => affected)
    expect([first, second].every((count) => (count ?? 0) > 0)).toBe(true)
    await faults[0]?.rollback()
    expect(await ask()).toBe('answer')
    expect(faults[1]?.affected).toBeGreaterThan(second ?? 0)
    await faults[1]?.rollback()
    expect(await ask()).toBe('answer')
  })
})

it('leaves nothing on the native sessions', async () => {
  const { ask, port } = await (clients['node:http2'] as () => Promise<SessionClient>)()
  const session = http2.connect(`http://127.0.0.1:${port}`)
  onTestFinished(() => session.destroy())
  await once(session, 'connect')
  const symbol = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'kHandle')
  const native = Reflect.get(session, symbol ?? 'kHandle') as object
  const described = (): unknown => [
    Object.getPrototypeOf(native),
    Object.getOwnPropertyDescriptors(Object.getPrototypeOf(native) as object),
    Reflect.ownKeys(native),
  ]
  const before = described()
  const injection = await inject(slowResponses({ delayMs: 1 }), net)
  await ask()
  await injection.rollback()
  expect(described()).toEqual(before)
  expect(injection.affected).toBeGreaterThan(0)
})

it('marks the error of a session that is cut', async () => {
  const { port } = await (clients['node:http2'] as () => Promise<SessionClient>)()
  const injection = await inject(cutResponses(), net, { only: `127.0.0.1:${port}` })
  const session = http2.connect(`http://127.0.0.1:${port}`)
  const [error] = (await once(session, 'error')) as [Error]
  expect(injectedBy(error)).toBe('adapter/cut-responses')
  await injection.rollback()
})
