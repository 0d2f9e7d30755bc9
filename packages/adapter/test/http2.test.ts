import { inject, withFault } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { hasPrograms } from '@chaos/test-servers'
import { once } from 'node:events'
import http2 from 'node:http2'
import type net from 'node:net'
import { Agent, request } from 'undici'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  answerRequests,
  corruptResponses,
  cutResponses,
  delayRequests,
  hangRequests,
  hangResponses,
  slowResponses,
  type HttpTarget,
} from '../src/http/index.js'
import { makeCertificates } from './certificates.js'
import { describeError } from './describe-error.js'

/** How a server answers. */
type OnStream = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void

interface Service {
  readonly origin: string
  /** The requests that the server got, each with its body once that is complete. */
  readonly requests: readonly string[]
  readonly bodies: readonly string[]
  /** Beneath TLS. */
  readonly connections: readonly net.Socket[]
}

/** A client of one server. */
interface Client {
  /** @param onData Called with each piece of the body */
  readonly ask: (path: string, options?: AskOptions) => Promise<string>
}

interface AskOptions {
  readonly method?: 'GET' | 'POST' | 'HEAD'
  readonly body?: string
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  readonly onData?: (piece: string) => void
}

interface Kind {
  readonly target: () => HttpTarget
  readonly connect: (origin: string) => Client
}

const { own } = hasPrograms('openssl') ? makeCertificates() : { own: undefined as never }

const answering =
  (body = 'hello, world'): OnStream =>
  (stream, headers) => {
    stream.respond({ ':status': 200, 'x-from': 'service' }, { endStream: headers[':method'] === 'HEAD' })
    if (headers[':method'] !== 'HEAD') stream.end(body)
  }

async function serve(onStream: OnStream = answering(), isSecure = true): Promise<Service> {
  const requests: string[] = []
  const bodies: string[] = []
  const server = isSecure ? http2.createSecureServer(own) : http2.createServer()
  const connections: net.Socket[] = []
  server.on('connection', (connection: net.Socket) => connections.push(connection))
  const sessions = new Set<http2.ServerHttp2Session>()
  server.on('session', (session) => void sessions.add(session.on('error', () => undefined)))
  server.on('stream', (stream: http2.ServerHttp2Stream, headers) => {
    requests.push(`${String(headers[':method'])} ${String(headers[':path'])}`)
    let body = ''
    stream.on('error', () => undefined)
    stream.on('data', (piece) => (body += String(piece))).on('end', () => bodies.push(body))
    onStream(stream, headers)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  const { port } = server.address() as net.AddressInfo
  return { origin: `${isSecure ? 'https' : 'http'}://127.0.0.1:${port}`, requests, bodies, connections }
}

async function textOf(body: AsyncIterable<Uint8Array>, onData: AskOptions['onData']): Promise<string> {
  let text = ''
  for await (const chunk of body) {
    const piece = Buffer.from(chunk).toString()
    text += piece
    onData?.(piece)
  }
  return text
}

const said = (status: unknown, from: unknown, text: string): string => [status, from ?? 'fault', text].join(' ')

const kinds: Readonly<Record<string, Kind>> = {
  'an agent of undici': {
    target: () => globalThis,
    connect(origin) {
      const dispatcher = new Agent({ allowH2: true, connect: { ca: own.cert } })
      onTestFinished(() => dispatcher.destroy())
      return {
        async ask(path, { method = 'GET', body, timeoutMs, signal, onData } = {}) {
          const response = await request(origin + path, {
            dispatcher,
            method,
            body: body ?? null,
            ...(signal === undefined ? {} : { signal }),
            headersTimeout: timeoutMs ?? null,
            bodyTimeout: timeoutMs ?? null,
          })
          return said(response.statusCode, response.headers['x-from'], await textOf(response.body, onData))
        },
      }
    },
  },
  'the built-in fetch': {
    target: () => globalThis,
    connect(origin) {
      const make = (timeoutMs?: number): Agent =>
        new Agent({
          allowH2: true,
          connect: { ca: own.cert },
          ...(timeoutMs === undefined ? {} : { headersTimeout: timeoutMs, bodyTimeout: timeoutMs }),
        })
      const patient = make()
      const all = [patient]
      onTestFinished(async () => {
        await Promise.all(all.map((agent) => agent.destroy()))
      })
      return {
        async ask(path, { method = 'GET', body, timeoutMs, signal, onData } = {}) {
          const dispatcher = timeoutMs === undefined ? patient : make(timeoutMs)
          all.push(dispatcher)
          const response = await fetch(origin + path, {
            dispatcher: dispatcher as never,
            method,
            body: body ?? null,
            ...(signal === undefined ? {} : { signal }),
          })
          const text = response.body === null ? '' : await textOf(response.body as never, onData)
          return said(response.status, response.headers.get('x-from'), text)
        },
      }
    },
  },
  'node:http2': {
    target: () => http2,
    connect(origin) {
      const session = http2.connect(origin, { ca: own.cert }).on('error', () => undefined)
      onTestFinished(() => session.destroy())
      return {
        async ask(path, { method = 'GET', body, timeoutMs, signal, onData } = {}) {
          const stream = session.request(
            { ':path': path, ':method': method },
            { endStream: body === undefined, ...(signal === undefined ? {} : { signal }) },
          )
          if (timeoutMs !== undefined)
            stream.setTimeout(timeoutMs, () => stream.destroy(new Error(`Nothing came for ${timeoutMs} ms.`)))
          if (body !== undefined) stream.end(body)
          const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
          return said(headers[':status'], headers['x-from'], await textOf(stream, onData))
        },
      }
    },
  },
}

/** The error of a call and its causes. */
async function failureOf(asking: Promise<unknown>): Promise<unknown> {
  const error = await asking.then(
    (value) => value,
    (reason: unknown) => reason,
  )
  const described = (reason: unknown): unknown[] =>
    reason instanceof Error ? [describeError(reason), ...described(reason.cause)] : []
  return error instanceof Error
    ? JSON.parse(
        JSON.stringify(described(error)).replaceAll(/"(localPort|remotePort|socket|bytes[A-Za-z]+)":[^,}]+/g, '"$1":0'),
      )
    : error
}

/**
 * What a client with a short time hears once it has come so far. A machine that stalls for as long lets it give up before that: of such a request
 * there is nothing to compare, and the next one tells.
 */
async function heardAfter<Heard>(ask: () => Promise<Heard>, isSoFar: (heard: Heard) => boolean): Promise<Heard> {
  for (;;) {
    const heard = await ask()
    if (isSoFar(heard)) return heard
  }
}

const LONG = 'x'.repeat(40_000)

describe.runIf(hasPrograms('openssl'))('faults of HTTP over HTTP/2 (skipped without `openssl`)', () => {
  describe.each(Object.entries(kinds))('with %s', (_kind, { target, connect }) => {
    it('answers without a fault', async () => {
      const { origin, requests } = await serve()
      expect(await connect(origin).ask('/items')).toBe('200 service hello, world')
      expect(requests).toEqual(['GET /items'])
    })

    it('holds a request, and no other of its session', async () => {
      const { origin, requests, bodies } = await serve()
      const client = connect(origin)
      await client.ask('/first')
      const clock = manualClock()
      const injection = await inject(delayRequests({ delayMs: 50 }), target(), { clock, only: '* */held' })
      const asking = client.ask('/held?of=1', { method: 'POST', body: LONG })
      await vi.waitFor(() => expect(injection.held).toBe(1))
      expect(await client.ask('/other')).toBe('200 service hello, world')
      expect(requests).toEqual(['GET /first', 'GET /other'])
      await clock.advance(50)
      expect(await asking).toBe('200 service hello, world')
      expect([requests.at(-1), bodies.at(-1)]).toEqual(['POST /held?of=1', LONG])
      expect([injection.affected, injection.held]).toEqual([1, 0])
      await injection.rollback()
    })

    it.each(['GET', 'POST'] as const)('meets the timeouts of a %s as a mute service does', async (method) => {
      const mute = await serve(() => undefined)
      const { origin, requests } = await serve()
      const options = { method, timeoutMs: 80, ...(method === 'POST' ? { body: 'x' } : {}) }
      const real = await heardAfter(
        () => failureOf(connect(mute.origin).ask('/items', options)),
        () => mute.requests.length > 0,
      )
      await withFault(hangRequests(), target(), async (injection) => {
        const heard = await heardAfter(
          () => failureOf(connect(origin).ask('/items', options)),
          () => injection.affected > 0,
        )
        expect(heard).toEqual(real)
        await vi.waitFor(() => expect(injection.held).toBe(0))
        expect(injection.affected).toBe(1)
      })
      expect(real).not.toBeTypeOf('string')
      expect(requests).toEqual([])
    })

    it('lets a caller give up, and the connection go on', async () => {
      const { origin, requests } = await serve()
      const client = connect(origin)
      await client.ask('/first')
      const injection = await inject(hangRequests(), target(), { only: '* */held' })
      const asking = failureOf(client.ask('/held', { signal: AbortSignal.timeout(20) }))
      expect(JSON.stringify(await asking)).toMatch(/Abort|Timeout/)
      await vi.waitFor(() => expect(injection.held).toBe(0))
      await injection.rollback()
      expect(await client.ask('/last')).toBe('200 service hello, world')
      expect(requests).toEqual(['GET /first', 'GET /last'])
    })

    it.each(['GET', 'POST', 'HEAD'] as const)('answers a %s in place of the service', async (method) => {
      const { origin, requests } = await serve()
      const client = connect(origin)
      await client.ask('/first')
      await withFault(answerRequests({ body: 'sorry' }), target(), async (injection) => {
        const asking = client.ask('/items', { method, ...(method === 'POST' ? { body: LONG } : {}) })
        expect(await asking).toBe(`503 fault ${method === 'HEAD' ? '' : 'sorry'}`)
        expect(injection.affected).toBe(1)
      })
      expect(await client.ask('/last')).toBe('200 service hello, world')
      expect(requests).toEqual(['GET /first', 'GET /last'])
    })

    it('delays a response piece by piece', async () => {
      const { origin } = await serve()
      const client = connect(origin)
      await client.ask('/first')
      const clock = manualClock()
      const injection = await inject(slowResponses({ delayMs: 10, pieceBytes: 6 }), target(), { clock })
      const pieces: string[] = []
      let isOver = false
      const asking = client.ask('/items', { onData: (piece) => pieces.push(piece) }).finally(() => (isOver = true))
      await vi.waitFor(() => expect(injection.held).toBeGreaterThanOrEqual(3))
      await clock.advance(10)
      expect([isOver, pieces]).toEqual([false, []])
      await clock.advance(10)
      await vi.waitFor(() => expect(pieces).toEqual(['hello,']))
      expect(isOver).toBe(false)
      await clock.advance(10)
      expect(await asking).toBe('200 service hello, world')
      expect(pieces).toEqual(['hello,', ' world'])
      expect(injection.affected).toBe(1)
      await injection.rollback()
    })

    it.each([0, 5])('stalls a response after %s bytes as a service does', async (afterBytes) => {
      const stalled = await serve((stream) => {
        if (afterBytes === 0) return
        stream.respond({ ':status': 200, 'x-from': 'service' })
        stream.write('hello')
      })
      const { origin, requests } = await serve()
      const heard = (service: Pick<Service, 'origin' | 'requests'>): Promise<unknown> =>
        heardAfter(
          async () => {
            const pieces: string[] = []
            const failure = await failureOf(
              connect(service.origin).ask('/', { timeoutMs: 100, onData: (piece) => pieces.push(piece) }),
            )
            return [pieces, failure] as const
          },
          ([pieces]) => service.requests.length > 0 && (afterBytes === 0 || pieces.length > 0),
        )
      const real = await heard(stalled)
      await withFault(hangResponses({ afterBytes }), target(), async () => {
        expect(await heard({ origin, requests })).toEqual(real)
      })
      expect(new Set(requests)).toEqual(new Set(['GET /']))
    })

    it('gives a stalled response at the end of the fault', async () => {
      const { origin } = await serve()
      const client = connect(origin)
      const injection = await inject(hangResponses(), target())
      const asking = client.ask('/')
      await vi.waitFor(() => expect(injection.held).toBeGreaterThan(0))
      await injection.rollback()
      expect(await asking).toBe('200 service hello, world')
    })

    it.each([0, 5])('resets the connection after %s bytes as a service that crashes does', async (afterBytes) => {
      const reset = (): void => {
        for (const connection of crashing.connections) connection.resetAndDestroy()
      }
      const crashing: Service = await serve((stream) => {
        if (afterBytes === 0) reset()
        else {
          stream.respond({ ':status': 200, 'x-from': 'service' })
          stream.write('hello')
        }
      })
      const { origin } = await serve()
      const heard = async (url: string, onData?: () => void): Promise<unknown> => {
        const pieces: string[] = []
        const asking = connect(url).ask('/', {
          onData(piece) {
            pieces.push(piece)
            if (onData !== undefined) setImmediate(onData)
          },
        })
        return [pieces, await failureOf(asking)]
      }
      // Once the client has read: a reset takes along what it has not.
      const real = await heard(crashing.origin, reset)
      await withFault(cutResponses({ afterBytes }), target(), async (injection) => {
        expect(await heard(origin)).toEqual(real)
        expect(injection.affected).toBe(1)
      })
    })

    it('is held by each of two faults, until both let it go', async () => {
      const { origin, requests } = await serve()
      const client = connect(origin)
      const clock = manualClock()
      const slow = await inject(delayRequests({ delayMs: 50 }), target(), { clock })
      const hung = await inject(hangRequests(), target())
      const asking = client.ask('/')
      await vi.waitFor(() => expect([slow.held, hung.held]).toEqual([1, 1]))
      await hung.rollback()
      expect(requests).toEqual([])
      await clock.advance(50)
      expect(await asking).toBe('200 service hello, world')
      await slow.rollback()
    })

    it('damages the body of a response', async () => {
      const { origin } = await serve()
      const client = connect(origin)
      await withFault(corruptResponses({ damage: 'truncate' }), target(), async (injection) => {
        expect(await client.ask('/')).toBe('200 service hello,')
        expect(injection.affected).toBe(1)
      })
      expect(await client.ask('/')).toBe('200 service hello, world')
    })
  })

  it('closes a stream in a later turn than its late response ends, so that a reader can begin', async () => {
    const { origin } = await serve()
    const session = http2.connect(origin, { ca: own.cert })
    onTestFinished(() => session.destroy())
    const clock = manualClock()
    const injection = await inject(slowResponses({ delayMs: 10 }), http2, { clock })
    const stream = session.request({ ':path': '/' })
    await vi.waitFor(() => expect(injection.held).toBeGreaterThanOrEqual(3))
    const [isClosed] = await Promise.all([once(stream, 'response').then(() => stream.closed), clock.advance(10)])
    expect(isClosed).toBe(false)
    await once(stream.resume(), 'close')
    await injection.rollback()
  })

  it('ends a late response whose reader has paused, as gRPC does', async () => {
    const { origin } = await serve()
    const session = http2.connect(origin, { ca: own.cert })
    onTestFinished(() => session.destroy())
    const clock = manualClock()
    const injection = await inject(slowResponses({ delayMs: 10 }), http2, { clock })
    const stream = session.request({ ':path': '/' })
    stream.on('data', () => stream.pause())
    await vi.waitFor(() => expect(injection.held).toBeGreaterThanOrEqual(3))
    await Promise.all([once(stream, 'end'), clock.advance(10)])
    await injection.rollback()
  })

  it('leaves nothing on sessions and streams', async () => {
    const { origin } = await serve()
    const session = http2.connect(origin, { ca: own.cert })
    onTestFinished(() => session.destroy())
    await once(session, 'connect')
    const ask = (): http2.ClientHttp2Stream => session.request({ ':path': '/' }).on('error', () => undefined)
    const stateOf = (one: object): unknown => [Reflect.ownKeys(one), Reflect.get(one, 'request')]
    const plain = ask()
    await once(plain, 'response')
    const before = stateOf(session)
    const [hang, stall] = [await inject(hangRequests(), http2), await inject(hangResponses(), http2)]
    const stream = ask()
    await vi.waitFor(() => expect(hang.held).toBe(1))
    await hang.rollback()
    await vi.waitFor(() => expect(stall.held).toBeGreaterThan(1))
    await stall.rollback()
    expect(stateOf(session)).toEqual(before)
    expect(Reflect.ownKeys(stream).filter((key) => !Reflect.ownKeys(plain).includes(key))).toEqual([])
    expect(stream.eventNames().filter((name) => !plain.eventNames().includes(name))).toEqual([])
    await once(stream.resume(), 'close')
    expect([stream.closed, stream.rstCode]).toEqual([true, 0])
  })
})
