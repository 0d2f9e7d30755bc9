import { inject, withFault } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { once } from 'node:events'
import net from 'node:net'
import { createContext, runInContext } from 'node:vm'
import {
  Agent,
  BalancedPool,
  Client,
  EnvHttpProxyAgent,
  MockAgent,
  Pool,
  RetryAgent,
  fetch as undiciFetch,
  getGlobalDispatcher,
  interceptors,
  pipeline,
  request,
  setGlobalDispatcher,
  stream,
  type Dispatcher,
} from 'undici'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { describeError } from '../../../test/describe-error.js'
import { serve } from '../../../test/http.js'
import { answerRequests } from '../faults/answer-requests.js'
import { corruptResponses } from '../faults/corrupt-responses.js'
import { delayRequests } from '../faults/delay-requests.js'
import { hangResponses } from '../faults/hang-responses.js'
import { hangRequests } from '../faults/hang-requests.js'

/** A server that accepts connections and never answers. */
async function muteServer(): Promise<string> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => void sockets.add(socket.on('error', () => undefined)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`
}

async function failureOf(asking: Promise<unknown>): Promise<unknown> {
  const error = await asking.then(
    () => undefined,
    (reason: unknown) => reason as Error,
  )
  return error === undefined
    ? 'no error'
    : [describeError(error), error.cause === undefined ? '' : describeError(error.cause as Error)]
}

const short = { headersTimeout: 60, bodyTimeout: 60, connectTimeout: 1_000 }

describe('hangRequests on undici', () => {
  const ways: Readonly<Record<string, (origin: string, dispatcher: Dispatcher) => Promise<unknown>>> = {
    request: (origin, dispatcher) => request(origin, { dispatcher }),
    'fetch of undici': (origin, dispatcher) => undiciFetch(origin, { dispatcher }),
    'the built-in fetch': (origin, dispatcher) => fetch(origin, { dispatcher: dispatcher as never }),
    stream: (origin, dispatcher) => stream(origin, { dispatcher, method: 'GET' }, () => new PassThrough()),
    pipeline: (origin, dispatcher) =>
      text(Readable.from([]).pipe(pipeline(origin, { dispatcher, method: 'GET' }, ({ body }) => body))),
    'a body of 300 kB': (origin, dispatcher) =>
      request(origin, {
        dispatcher,
        method: 'POST',
        body: Readable.from([Buffer.alloc(150_000), Buffer.alloc(150_000)]),
      }),
  }

  it('lets headersTimeout act as a mute server does, however a request is made', async () => {
    const outcomes = async (origin: string): Promise<unknown> => {
      const agent = new Agent(short)
      onTestFinished(() => agent.destroy())
      return Promise.all(Object.entries(ways).map(async ([name, ask]) => [name, await failureOf(ask(origin, agent))]))
    }
    const [server, mute] = [await serve(), await muteServer()]
    await withFault(hangRequests(), globalThis, { only: `* ${server.origin}/` }, async (injection) => {
      const [real, injected] = await Promise.all([outcomes(mute), outcomes(server.origin)])
      expect(injected).toEqual(real)
      expect(JSON.stringify(real).match(/UND_ERR_HEADERS_TIMEOUT/g)?.length).toBeGreaterThanOrEqual(6)
      expect([injection.affected, injection.held]).toEqual([6, 0])
    })
    expect(server.requests).toEqual([])
  })

  const dispatchers: Readonly<Record<string, (origin: string) => Dispatcher>> = {
    Agent: () => new Agent(),
    'Agent with one connection': () => new Agent({ connections: 1 }),
    Pool: (origin) => new Pool(origin, { connections: 1 }),
    Client: (origin) => new Client(origin),
    BalancedPool: (origin) => new BalancedPool(origin),
    RetryAgent: () => new RetryAgent(new Agent()),
    EnvHttpProxyAgent: () => new EnvHttpProxyAgent(),
    'an agent with interceptors': () => new Agent().compose(interceptors.retry(), interceptors.redirect()),
  }

  describe.each(Object.entries(dispatchers))('through %s', (_name, make) => {
    it.each(['itself', 'globalThis'])('holds its requests with %s as target, and no others', async (which) => {
      const server = await serve()
      const [dispatcher, other] = [make(server.origin), new Agent()]
      onTestFinished(async () => {
        await Promise.all([dispatcher.close(), other.close()])
      })
      const answered = async (by: Dispatcher): Promise<string> => {
        const { body } = await by.request({ origin: server.origin, path: '/items', method: 'GET' })
        return body.text()
      }
      expect(await answered(dispatcher)).toBe('answer')
      const injection = await inject(hangRequests(), which === 'itself' ? dispatcher : globalThis, {
        only: 'GET */items',
      })
      const asking = [answered(dispatcher), answered(dispatcher)]
      await vi.waitFor(() => expect(injection.held).toBeGreaterThan(0))
      if (which === 'itself') expect(await answered(other)).toBe('answer')
      await injection.rollback()
      expect(await Promise.all(asking)).toEqual(['answer', 'answer'])
    })

    it('answers in place of a service that does not run', async () => {
      const origin = 'http://127.0.0.1:2'
      const dispatcher = make(origin)
      onTestFinished(() => dispatcher.destroy())
      if (dispatcher instanceof RetryAgent || dispatcher instanceof EnvHttpProxyAgent) return
      await withFault(answerRequests({ answer: 'http/401', body: 'sorry' }), dispatcher, async () => {
        const { statusCode, body } = await dispatcher.request({ origin, path: '/', method: 'POST', body: 'x' })
        expect([statusCode, await body.text()]).toEqual([401, 'sorry'])
      })
    })
  })

  it('reaches requests of an agent that was composed before', async () => {
    const server = await serve()
    const agent = new Agent()
    onTestFinished(() => agent.close())
    const composed = agent.compose(interceptors.retry())
    await withFault(answerRequests({ answer: 'http/429', retryAfterMs: 0 }), agent, { limit: 1 }, async (injection) => {
      const { statusCode } = await composed.request({ origin: server.origin, path: '/', method: 'GET' })
      expect([statusCode, injection.affected, server.requests.length]).toEqual([200, 1, 1])
    })
  })

  it('reaches a global dispatcher that is set meanwhile', async () => {
    const server = await serve()
    const [before, agent] = [getGlobalDispatcher(), new Agent(short)]
    onTestFinished(() => {
      setGlobalDispatcher(before)
      return agent.destroy()
    })
    await withFault(hangRequests(), globalThis, async () => {
      setGlobalDispatcher(agent)
      expect(JSON.stringify(await failureOf(fetch(server.origin)))).toContain('UND_ERR_HEADERS_TIMEOUT')
      expect(JSON.stringify(await failureOf(request(server.origin)))).toContain('UND_ERR_HEADERS_TIMEOUT')
    })
    expect(getGlobalDispatcher()).toBe(agent)
    // Its time is short in health too: a machine that stalls may need more than one request.
    await vi.waitFor(async () => expect(await (await fetch(server.origin)).text()).toBe('answer'))
    expect(server.requests).toHaveLength(1)
  })

  it('keeps pipelined requests in order, and leaves the connection as it was', async () => {
    const server = await serve()
    const sockets: net.Socket[] = []
    const client = new Client(server.origin, { pipelining: 4 })
    onTestFinished(() => client.close())
    server.server.on('connection', (socket: net.Socket) => sockets.push(socket))
    const ask = async (path: string): Promise<string> => (await client.request({ path, method: 'GET' })).body.text()
    await ask('/first')
    const injection = await inject(hangRequests(), client, { only: 'GET */held' })
    const all = Promise.all([ask('/held'), ask('/behind')])
    await vi.waitFor(() => expect(injection.held).toBe(1))
    await injection.rollback()
    await all
    await ask('/last')
    expect(server.requests).toEqual(['GET /first', 'GET /held', 'GET /behind', 'GET /last'])
    expect(sockets).toHaveLength(1)
  })

  it('leaves nothing on the dispatcher or its connections', async () => {
    const server = await serve()
    const client = new Client(server.origin)
    onTestFinished(() => client.close())
    const ask = async (): Promise<string> => (await client.request({ path: '/', method: 'GET' })).body.text()
    await ask()
    const socket = (process as unknown as { _getActiveHandles: () => unknown[] })
      ._getActiveHandles()
      .find(
        (one): one is net.Socket => one instanceof net.Socket && one.remotePort === Number(new URL(server.origin).port),
      )
    const state = (): unknown =>
      [client, socket].map((one) => [Reflect.ownKeys(one as object), Object.getPrototypeOf(one) as unknown])
    const listeners = socket?.eventNames().map((name) => socket.listenerCount(name))
    const before = state()
    const injection = await inject(hangRequests(), client)
    const asking = ask()
    await vi.waitFor(() => expect(injection.held).toBe(1))
    await injection.rollback()
    await asking
    expect(state()).toEqual(before)
    expect(socket?.eventNames().map((name) => socket.listenerCount(name))).toEqual(listeners)
  })
})

describe('answerRequests on undici', () => {
  it.each(['HEAD', 'CONNECT'] as const)('answers %s without a body, and the connection goes on', async (method) => {
    const server = await serve()
    const client = new Client(server.origin)
    onTestFinished(() => client.destroy())
    await withFault(answerRequests({ answer: 'http/429' }), globalThis, { limit: 1 }, async (injection) => {
      if (method === 'HEAD') {
        const { statusCode, body } = await client.request({ path: '/', method })
        expect([statusCode, await body.text()]).toEqual([429, ''])
      } else {
        const { statusCode } = await client.connect({ path: '127.0.0.1:1' })
        expect(statusCode).toBe(429)
      }
      expect(injection.affected).toBe(1)
    })
    expect(await (await client.request({ path: '/', method: 'GET' })).body.text()).toBe('answer')
  })
})

it('lets what follows a successful CONNECT of undici pass', async () => {
  const server = await serve()
  server.server.on('connect', (_request, socket: net.Socket) => {
    socket.on('error', () => undefined).on('data', (data) => socket.write(data))
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    onTestFinished(() => void socket.destroy())
  })
  const client = new Client(server.origin)
  onTestFinished(() => client.destroy())
  await withFault(hangResponses({ afterBytes: 1 }), client, async (injection) => {
    const { socket } = await client.connect({ path: 'service.test:80' })
    const heard = once(socket, 'data')
    socket.write('through the tunnel')
    expect(String((await heard)[0])).toBe('through the tunnel')
    expect([injection.affected, injection.held]).toEqual([1, 0])
  })
})

describe('a mock of undici', () => {
  it.each(['itself', 'globalThis'])('gets no request that is answered, with %s as target', async (which) => {
    const before = getGlobalDispatcher()
    const mock = new MockAgent()
    mock.disableNetConnect()
    const pool = mock.get('http://mock.test')
    pool.intercept({ path: '/items', method: 'HEAD' }).reply(200, '').persist()
    pool.intercept({ path: '/items', method: 'GET' }).reply(200, 'mocked').persist()
    setGlobalDispatcher(mock)
    onTestFinished(() => {
      setGlobalDispatcher(before)
      return mock.close()
    })
    const got = vi.spyOn(pool, 'dispatch')
    await withFault(answerRequests(), which === 'itself' ? mock : globalThis, { limit: 2 }, async () => {
      const response = await fetch('http://mock.test/items', { method: 'HEAD' })
      expect([response.status, await response.text()]).toEqual([503, ''])
      expect((await request('http://mock.test/items')).statusCode).toBe(503)
    })
    expect(got).not.toHaveBeenCalled()
    const clock = manualClock()
    const injection = await inject(delayRequests({ delayMs: 50 }), which === 'itself' ? mock : globalThis, { clock })
    const asking = fetch('http://mock.test/items')
    await vi.waitFor(() => expect(injection.held).toBe(1))
    expect(got).not.toHaveBeenCalled()
    await clock.advance(50)
    expect(await (await asking).text()).toBe('mocked')
    await injection.rollback()
    expect(Object.hasOwn(mock, 'dispatch')).toBe(false)
    expect(await (await fetch('http://mock.test/items')).text()).toBe('mocked')
  })
})

describe('a global dispatcher that is set during a fault', () => {
  const captured = fetch
  const ways: Readonly<Record<string, (url: string) => Promise<string>>> = {
    'a `fetch` that was captured before': async (url) => {
      const response = await captured(url)
      return `${response.status} ${await response.text()}`
    },
    '`request` of undici': async (url) => {
      const { statusCode, body } = await request(url)
      return `${statusCode} ${await body.text()}`
    },
  }

  it.each(Object.entries(ways))('is a mock that the fault stands in front of, with %s', async (_way, ask) => {
    const before = getGlobalDispatcher()
    const mock = new MockAgent()
    mock.disableNetConnect()
    mock.get('http://mock.test').intercept({ path: '/', method: 'GET' }).reply(200, 'mocked').persist()
    onTestFinished(() => {
      setGlobalDispatcher(before)
      return mock.close()
    })
    const { defineProperty } = Object
    await withFault(answerRequests({ body: 'sorry' }), globalThis, { limit: 1 }, async (injection) => {
      setGlobalDispatcher(mock)
      expect(await ask('http://mock.test/')).toBe('503 sorry')
      expect(injection.affected).toBe(1)
    })
    expect(await ask('http://mock.test/')).toBe('200 mocked')
    expect(Object.hasOwn(mock, 'dispatch')).toBe(false)
    expect(Object.defineProperty).toBe(defineProperty)
  })

  it.each(Object.entries(ways))('is answered for although no service runs, with %s', async (_way, ask) => {
    const before = getGlobalDispatcher()
    const agent = new Agent()
    onTestFinished(() => {
      setGlobalDispatcher(before)
      return agent.close()
    })
    await withFault(answerRequests({ body: 'sorry' }), globalThis, async () => {
      setGlobalDispatcher(agent)
      expect(await ask('http://127.0.0.1:2/')).toBe('503 sorry')
    })
  })

  it.each([1, 2])('is found under the symbol of version %s of its interface', async (version) => {
    const key = Symbol.for(`undici.globalDispatcher.${version}`)
    const before = Object.getOwnPropertyDescriptor(globalThis, key)
    const mock = new MockAgent()
    mock.disableNetConnect()
    onTestFinished(async () => {
      Object.defineProperty(globalThis, key, { value: before?.value as unknown })
      await mock.close()
    })
    await withFault(answerRequests({ body: 'sorry' }), globalThis, async () => {
      Object.defineProperty(globalThis, key, { value: mock, writable: true })
      const { statusCode } = await mock.request({ origin: 'http://mock.test', path: '/', method: 'GET' })
      expect(statusCode).toBe(503)
    })
  })
})

it('damages bodies beneath interceptors, with any dispatcher', async () => {
  const server = await serve()
  const pool = new Pool(server.origin)
  onTestFinished(() => pool.close())
  await withFault(corruptResponses({ damage: 'empty' }), globalThis, async () => {
    expect(await (await pool.request({ path: '/', method: 'GET' })).body.text()).toBe('')
    expect(await (await fetch(server.origin)).text()).toBe('')
  })
})

it('accepts the global object of a sandbox, whose fetch is that of Node.js', async () => {
  const sandbox = createContext({ fetch, console })
  const global = runInContext('globalThis', sandbox) as typeof globalThis
  await withFault(answerRequests({ body: 'sorry' }), global, async () => {
    const asked = runInContext(
      "fetch('http://127.0.0.1:2/').then((response) => response.text())",
      sandbox,
    ) as Promise<string>
    expect(await asked).toBe('sorry')
  })
})
