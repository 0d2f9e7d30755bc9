import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket } from 'ws'
import { ChaosError, inject, isChaosError, type ChaosController } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import {
  ask,
  dropEvents,
  isEnd,
  mounted,
  nextEntry,
  rawConnection,
  testChaos,
  TOKEN,
  type Answer,
} from '../../test/support.js'
import { connect } from '../client/connect.js'
import { createHandler } from './create-handler.js'

const code = (answer: Answer): string => (answer.json() as { readonly error: { readonly code: string } }).error.code
const base64url = (text: string): string => Buffer.from(text).toString('base64url')

/** How an attempt to open the event stream ends. */
function tryStream(
  url: string,
  protocols: readonly string[],
  headers: Record<string, string> = {},
): Promise<{ readonly status: number; readonly protocol?: string }> {
  const socket = new WebSocket(url.replace('http:', 'ws:'), [...protocols], { headers })
  onTestFinished(() => socket.terminate())
  return new Promise((resolve) => {
    socket.on('error', () => undefined)
    socket.on('open', () => resolve({ status: 101, protocol: socket.protocol }))
    socket.on('unexpected-response', (_req, res) => resolve({ status: res.statusCode ?? 0 }))
  })
}

describe('what is not below the base path', () => {
  it.each([
    '/app',
    '/',
    '/chaosx/info',
    '/CHAOS/info',
    '//chaos/info',
    '/app/../chaos/info',
    '/%63haos/info',
    '/chaos%2Finfo',
    '/chaos;x/info',
  ])('leaves %s to the app', async (path) => {
    const { port } = await mounted(testChaos().controller)
    expect((await ask(`http://127.0.0.1:${port}${path}`)).text).toBe(`the app, ${path}`)
  })

  it('touches neither request nor response of it', () => {
    const untouchable = <T extends object>(of: Partial<T>): T =>
      new Proxy(of as T, {
        get: (object, key) =>
          key in object ? (Reflect.get(object, key) as unknown) : expect.fail(`touched ${String(key)}`),
      })
    const handler = createHandler(testChaos().controller, { token: TOKEN })
    expect(handler.handle(untouchable<IncomingMessage>({ url: '/app' }), untouchable<ServerResponse>({}))).toBe(false)
    expect(handler.upgrade(untouchable<IncomingMessage>({ url: '/app' }), untouchable({}), Buffer.alloc(0))).toBe(false)
  })

  it('does not let dots lead out of the base path, nor into another route', async () => {
    const { url } = await mounted(testChaos().controller)
    for (const path of [
      '/../app',
      '/x/../info',
      '/./info',
      '//info',
      '/info/',
      '/injections/a/b',
      '/injections/%ZZ',
      '/info%00',
    ]) {
      expect((await ask(`${url}${path}`)).status, path).toBe(404)
    }
  })

  it('takes a base path of its own', async () => {
    const { url, port } = await mounted(testChaos().controller, { basePath: '/internal/break.it' })
    expect((await ask(`${url}/targets`)).status).toBe(200)
    expect((await ask(`http://127.0.0.1:${port}/chaos/targets`)).text).toBe('the app, /chaos/targets')
  })
})

describe('where chaos is not switched on', () => {
  it('answers everything as an unknown path is answered', async () => {
    const refused = await mounted(testChaos({ environment: 'production' }).controller)
    const on = await mounted(testChaos().controller)
    const unknown = await ask(`${on.url}/no-such-thing`)
    expect(unknown).toMatchObject({ status: 404, text: 'Not Found' })
    const asking = [
      ask(`${refused.url}/info`),
      ask(`${refused.url}/info`, { headers: { authorization: '' } }),
      ask(`${refused.url}/info`, { headers: { host: 'evil.example' } }),
      ask(`${refused.url}/events`),
      ask(`${refused.url}/injections`, {
        method: 'POST',
        body: { target: 'bus', fault: 'ring', options: { times: 1 } },
      }),
      ask(`${refused.url}/injections`, { method: 'DELETE' }),
      ask(`${refused.url}/info`, {
        method: 'OPTIONS',
        headers: { origin: 'http://evil.example', 'access-control-request-method': 'GET' },
      }),
    ]
    for (const answer of await Promise.all(asking)) {
      expect({ ...answer.headers, date: '' }).toEqual({ ...unknown.headers, date: '' })
      expect(answer).toMatchObject({ status: 404, text: 'Not Found' })
    }
    expect(await tryStream(`${refused.url}/events`, ['chaos.v1'], { authorization: `Bearer ${TOKEN}` })).toEqual({
      status: 404,
    })
  })

  it('leaves the app alone, and answers 404 in its own way', async () => {
    const notFound = (_req: IncomingMessage, res: ServerResponse): void =>
      void res.writeHead(404).end('the app knows no such page')
    const { url, port } = await mounted(testChaos({ environment: 'production' }).controller, { notFound })
    expect((await ask(`http://127.0.0.1:${port}/app`)).text).toBe('the app, /app')
    expect((await ask(`${url}/info`)).text).toBe('the app knows no such page')
  })

  it('disappears as soon as chaos is switched off, and when the controller does not answer', async () => {
    const { controller } = testChaos()
    const { url } = await mounted(controller)
    expect((await ask(`${url}/info`)).status).toBe(200)
    vi.stubEnv('CHAOS_DISABLED', '1')
    expect((await ask(`${url}/info`)).status).toBe(404)
    const mute: ChaosController = { ...controller, info: () => Promise.reject(new Error('no idea')) }
    expect((await ask(`${(await mounted(mute)).url}/info`)).status).toBe(404)
  })
})

describe('where chaos is switched off while something is in force', () => {
  /** A controller that is switched off by hand, and ends nothing by itself then. */
  function switchable() {
    const { chaos, controller } = testChaos()
    let isOff = false
    const switched: ChaosController = {
      ...controller,
      info: async () => ({ ...(await controller.info()), ...(isOff ? { refusal: 'It is switched off.' } : {}) }),
      inject: (...given) =>
        isOff ? Promise.reject(new ChaosError('CHAOS_DISABLED', 'It is switched off.')) : controller.inject(...given),
    }
    return { chaos, controller: switched, off: () => void (isOff = true) }
  }

  it('can be seen and stopped, and nothing can be injected, until nothing is in force any more', async () => {
    const { chaos, controller, off } = switchable()
    const { url } = await mounted(controller)
    const client = await connect({ url, token: TOKEN })
    onTestFinished(() => client.close())
    const kept = await chaos.inject('bus', 'drop-events', {}, { id: 'kept' })
    off()
    expect((await ask(`${url}/injections`)).status).toBe(200)
    expect(
      (await ask(`${url}/injections`, { method: 'POST', body: { target: 'bus', fault: 'drop-events' } })).status,
    ).toBe(403)
    expect((await ask(`${url}/injections`, { headers: { authorization: '' } })).status).toBe(401)
    // The command line connects before it stops.
    const late = await connect({ url, token: TOKEN })
    expect((await late.stopAll()).stopped).toMatchObject([{ id: 'kept' }])
    await late.close()
    expect(kept.status).toBe('ended')
    expect((await ask(`${url}/injections`)).status).toBe(404)
    expect((await ask(`${url}/injections`, { method: 'DELETE' })).status).toBe(404)
  })

  it('stops one by its id', async () => {
    const { chaos, controller, off } = switchable()
    const { url } = await mounted(controller)
    await chaos.inject('bus', 'drop-events', {}, { id: 'one' })
    off()
    expect((await ask(`${url}/injections/one`, { method: 'DELETE' })).json()).toMatchObject({
      id: 'one',
      outcome: 'stopped',
    })
  })

  it('stops injections without a controller, only for clients with the token', async () => {
    const { controller, off } = switchable()
    const { url } = await mounted(controller)
    const bare = await inject(dropEvents(), new EventEmitter())
    off()
    expect(
      (
        await ask(`${url}/injections`, {
          method: 'DELETE',
          headers: { authorization: 'Bearer of-something-else-entirely' },
        })
      ).text,
    ).toBe('Not Found')
    expect(bare.status).toBe('active')
    expect((await ask(`${url}/injections`, { method: 'DELETE' })).json()).toMatchObject({
      stopped: [{ fault: 'test/drop-events' }],
    })
    expect(bare.status).toBe('ended')
  })
})

describe('what is too long', () => {
  it.each(['GET', 'DELETE', 'PUT'])('is refused early and never said back: %s', async (method) => {
    const { chaos, controller } = testChaos()
    const { url } = await mounted(controller)
    for (let n = 0; n < 120; n += 1)
      await chaos.inject(
        'bus',
        'drop-events',
        {},
        { id: `a-rather-long-name-of-an-injection-that-somebody-chose-${n}` },
      )
    for (const path of [
      `/injections/${'x'.repeat(15_000)}`,
      `/injections/${'x'.repeat(400)}`,
      `/${'x'.repeat(2_000)}`,
    ]) {
      const answer = await ask(`${url}${path}`, { method })
      expect([answer.status, (answer.json() as { error: { code: string } }).error.code]).toEqual([
        414,
        'CHAOS_URL_TOO_LONG',
      ])
      expect(answer.text.length).toBeLessThan(300)
    }
    expect(
      (await ask(`${url}/injections?${'x'.repeat(2_000)}`, { method: method === 'PUT' ? 'GET' : method })).status,
    ).toBe(414)
  })

  it('is cut where a message repeats it', async () => {
    const { url } = await mounted(testChaos().controller)
    const long = 'y'.repeat(30_000)
    const bodies = [
      { target: long, fault: 'ring' },
      { target: 'bus', fault: long },
      { target: 'bus', fault: 'ring', [long]: 1 },
      { target: 'bus', fault: 'ring', options: { [long]: long } },
      { target: 'bus', fault: 'ring', connection: long },
      { target: 'bus', fault: 'ring', id: long },
    ]
    for (const body of bodies) {
      const answer = await ask(`${url}/injections`, { method: 'POST', body })
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.text.length).toBeLessThan(5_000)
    }
    expect(
      (await ask(`${url}/injections`, { method: 'POST', headers: { 'content-type': 'z'.repeat(10_000) }, body: '{}' }))
        .text.length,
    ).toBeLessThan(1_000)
  })
})

describe('who is let in', () => {
  it('lets in clients with the token only', async () => {
    const { url } = await mounted(testChaos().controller)
    expect((await ask(`${url}/info`)).status).toBe(200)
    for (const authorization of [
      '',
      'Bearer',
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(1)}`,
      `Basic ${TOKEN}`,
      `Bearer ${TOKEN} x`,
      `Bearer ${'x'.repeat(4_000)}`,
      TOKEN,
    ]) {
      const answer = await ask(`${url}/info`, { headers: { authorization } })
      expect(answer.status, authorization).toBe(401)
      expect(answer.headers['www-authenticate']).toBe('Bearer')
      expect(answer.text).not.toContain(TOKEN)
    }
    expect((await ask(`${url}/info?token=${TOKEN}`, { headers: { authorization: '' } })).status).toBe(401)
  })

  it('tells a stranger nothing of which paths there are', async () => {
    const { url } = await mounted(testChaos().controller)
    const [known, unknown] = await Promise.all(
      ['/info', '/no-such-thing'].map((path) => ask(`${url}${path}`, { headers: { authorization: '' } })),
    )
    expect(unknown?.text).toBe(known?.text)
    expect(unknown?.status).toBe(401)
  })

  it.each([
    'evil.example',
    'localhost.evil.example',
    'localhost:80:80',
    'evil.example:127.0.0.1',
    '127.0.0.1.',
    '0x7f.1',
    '[::1',
    ',',
  ])('refuses the Host %j', async (host) => {
    const { url } = await mounted(testChaos().controller)
    const answer = await ask(`${url}/info`, { headers: { host } })
    expect([answer.status, code(answer)]).toEqual([403, 'CHAOS_FORBIDDEN'])
  })

  it('refuses a request without a Host', async () => {
    const { port } = await mounted(testChaos().controller)
    const { socket, answer } = await rawConnection(port)
    socket.write(`GET /chaos/info HTTP/1.0\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`)
    expect(await answer).toMatch(/^HTTP\/1.1 403/)
  })

  it('takes the names of this machine, and further ones that were named', async () => {
    const { url } = await mounted(testChaos().controller, { allowedHosts: ['Dev.example', 'other.example:8080'] })
    for (const host of [
      'localhost',
      'LOCALHOST:3000',
      '127.0.0.1:1',
      '[::1]:3000',
      'dev.example:3000',
      'other.example:8080',
    ]) {
      expect((await ask(`${url}/info`, { headers: { host } })).status, host).toBe(200)
    }
    expect((await ask(`${url}/info`, { headers: { host: 'other.example:8081' } })).status).toBe(403)
  })

  it('refuses pages of other origins, whatever they send', async () => {
    const { url, port } = await mounted(testChaos().controller)
    for (const origin of [
      'http://evil.example',
      'null',
      `http://127.0.0.1:${port + 1}`,
      `http://127.0.0.1:${port}.evil.example`,
      `ftp://127.0.0.1:${port}`,
    ]) {
      for (const method of ['GET', 'DELETE'])
        expect((await ask(`${url}/injections`, { method, headers: { origin } })).status, origin).toBe(403)
      expect(
        await tryStream(`${url}/events`, ['chaos.v1', `chaos.token.${base64url(TOKEN)}`], { origin }),
        origin,
      ).toEqual({ status: 403 })
    }
    expect((await ask(`${url}/info`, { headers: { origin: `http://127.0.0.1:${port}` } })).status).toBe(200)
  })

  it('answers a preflight of an allowed origin, and of no other', async () => {
    const { url } = await mounted(testChaos().controller, { allowedOrigins: ['http://localhost:5173'] })
    const preflight = {
      method: 'OPTIONS',
      headers: { authorization: '', origin: 'http://localhost:5173', 'access-control-request-method': 'POST' },
    }
    expect(await ask(`${url}/injections`, preflight)).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': 'http://localhost:5173',
        'access-control-allow-methods': 'GET, POST, DELETE',
      },
    })
    const named = await ask(`${url}/info`, { headers: { origin: 'http://localhost:5173' } })
    expect(named).toMatchObject({
      status: 200,
      headers: { 'access-control-allow-origin': 'http://localhost:5173', vary: 'origin' },
    })
    expect(
      (
        await ask(`${url}/injections`, {
          ...preflight,
          headers: { ...preflight.headers, origin: 'http://localhost:5174' },
        })
      ).status,
    ).toBe(403)
    expect((await ask(`${url}/info`)).headers).not.toHaveProperty('access-control-allow-origin')
  })

  it.each(['10.0.0.7', '::ffff:10.0.0.7', '128.0.0.1', 'fe80::1', '::ffff:127.0.0.1.evil', undefined])(
    'refuses the address %s, unless it was told to take others',
    async (remoteAddress) => {
      const near = await mounted(testChaos().controller)
      const far = await mounted(testChaos().controller, { loopbackOnly: false })
      for (const { server } of [near, far])
        server.prependListener(
          'request',
          ({ socket }) =>
            void Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress, configurable: true }),
        )
      const answer = await ask(`${near.url}/info`)
      expect([answer.status, code(answer)]).toEqual([403, 'CHAOS_FORBIDDEN'])
      expect((await ask(`${far.url}/info`)).status).toBe(200)
    },
  )

  it('refuses what a proxy on this machine has passed on', async () => {
    const near = await mounted(testChaos().controller)
    const far = await mounted(testChaos().controller, { loopbackOnly: false })
    const headers = [
      'X-Forwarded-For',
      'Forwarded',
      'X-Real-IP',
      'Via',
      'X-Forwarded-Host',
      'X-Forwarded-Proto',
      'X-Forwarded-Prefix',
      'CF-Connecting-IP',
      'CF-Ray',
      'True-Client-IP',
      'Fastly-Client-IP',
      'X-Client-IP',
      'X-Cluster-Client-IP',
      'X-Azure-ClientIP',
      'X-Envoy-External-Address',
      'CDN-Loop',
      'Fly-Client-IP',
      'X-Amz-Cf-Id',
    ]
    for (const header of headers) {
      expect((await ask(`${near.url}/info`, { headers: { [header]: '127.0.0.1' } })).status, header).toBe(403)
      expect((await ask(`${far.url}/info`, { headers: { [header]: '10.0.0.7' } })).status, header).toBe(200)
    }
  })

  it('lets a browser into the event stream by a subprotocol, and never says the token back', async () => {
    const { url } = await mounted(testChaos().controller)
    expect(await tryStream(`${url}/events`, ['chaos.v1', `chaos.token.${base64url(TOKEN)}`])).toEqual({
      status: 101,
      protocol: 'chaos.v1',
    })
    expect(
      await tryStream(`${url}/events`, ['chaos.v1', `chaos.token.${base64url('another-token-just-as-long')}`]),
    ).toEqual({ status: 401 })
    expect(await tryStream(`${url}/events`, ['chaos.v1'])).toEqual({ status: 401 })
    expect(await tryStream(`${url}/events`, ['chaos.v1'], { authorization: `Bearer ${TOKEN}` })).toEqual({
      status: 101,
      protocol: 'chaos.v1',
    })
    expect(await tryStream(`${url}/nothing`, ['chaos.v1'], { authorization: `Bearer ${TOKEN}` })).toEqual({
      status: 404,
    })
    // Only there: a plain request has a header for it.
    expect(
      (
        await ask(`${url}/info`, {
          headers: { authorization: '', 'sec-websocket-protocol': `chaos.token.${base64url(TOKEN)}` },
        })
      ).status,
    ).toBe(401)
  })
})

describe('what is taken', () => {
  const post = (url: string, body: unknown, headers = {}): Promise<Answer> =>
    ask(`${url}/injections`, { method: 'POST', body, headers })

  it('refuses a body that is too large, said or sent', async () => {
    const { url, port } = await mounted(testChaos().controller, { maxBodyBytes: 100 })
    const said = await post(url, { target: 'bus', fault: 'x'.repeat(100) })
    expect([said.status, code(said)]).toEqual([413, 'CHAOS_BODY_TOO_LARGE'])
    const { socket, answer } = await rawConnection(port)
    socket.write(
      `POST /chaos/injections HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    )
    for (let sent = 0; sent < 10; sent += 1) socket.write(`14\r\n${'x'.repeat(20)}\r\n`)
    expect(await answer).toContain('HTTP/1.1 413')
  })

  it('gives a body only so much time, and closes the connection', async () => {
    const clock = manualClock()
    const { port } = await mounted(testChaos().controller, { clock })
    const { socket, answer } = await rawConnection(port)
    socket.write(
      `POST /chaos/injections HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"target"`,
    )
    await vi.waitFor(() => expect(clock.pending).toBe(1))
    await clock.advance(10_000)
    expect(await answer).toMatch(/^HTTP\/1.1 408[^]*CHAOS_BODY_TOO_SLOW/)
    expect(clock.pending).toBe(0)
  })

  it('refuses what is not JSON', async () => {
    const { url } = await mounted(testChaos().controller)
    const deep = `{"target":"bus","fault":"ring","options":{"times":${'['.repeat(40)}${']'.repeat(40)}}}`
    for (const [body, headers, status, expected] of [
      ['{', {}, 400, 'CHAOS_INVALID_REQUEST'],
      ['', { 'content-type': 'application/json' }, 400, 'CHAOS_INVALID_REQUEST'],
      [deep, {}, 400, 'CHAOS_INVALID_REQUEST'],
      ['[]', {}, 400, 'CHAOS_INVALID_OPTION'],
      ['null', {}, 400, 'CHAOS_INVALID_OPTION'],
      ['{"__proto__":{"target":"bus"}}', {}, 400, 'CHAOS_INVALID_OPTION'],
      ['{}', { 'content-type': 'text/plain' }, 415, 'CHAOS_UNSUPPORTED_MEDIA_TYPE'],
      ['{}', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'CHAOS_UNSUPPORTED_MEDIA_TYPE'],
      ['{}', { 'content-encoding': 'gzip' }, 415, 'CHAOS_UNSUPPORTED_MEDIA_TYPE'],
    ] as const) {
      const answer = await post(url, body, headers)
      expect([answer.status, code(answer)], body).toEqual([status, expected])
    }
  })

  it('refuses a key or a query that it does not know, and says which was meant', async () => {
    const { url } = await mounted(testChaos().controller)
    expect((await post(url, { target: 'bus', fualt: 'ring' })).text).toContain('Did you mean \\"fault\\"?')
    expect((await post(url, { target: 'bus', fault: 'ring', options: { tmies: 1 } })).text).toContain(
      'Did you mean \\"times\\"?',
    )
    expect((await post(url, { target: 'bsu', fault: 'ring' })).text).toContain('Did you mean \\"bus\\"?')
    expect((await post(url, { target: 'bus', fault: 'drop-evnets' })).text).toContain('Did you mean \\"drop-events\\"?')
    expect((await post(url, { target: 'bus', fault: 'drop-events', rate: 2 })).text).toContain('a number from 0 to 1')
    const query = await ask(`${url}/injections?proces=true`, { method: 'DELETE' })
    expect(query.status).toBe(400)
    expect(query.text).toContain('Did you mean \\"process\\"?')
    expect((await ask(`${url}/info?x=1`)).status).toBe(400)
  })

  it('answers each failure with the status that fits', async () => {
    const { url } = await mounted(testChaos({ maxLeaseMs: 1_000 }).controller)
    const statusOf = async (body: unknown): Promise<readonly unknown[]> =>
      post(url, body).then((answer) => [answer.status, code(answer)])
    expect(await statusOf({ target: 'no', fault: 'ring' })).toEqual([404, 'CHAOS_UNKNOWN_TARGET'])
    expect(await statusOf({ target: 'bus', fault: 'no' })).toEqual([404, 'CHAOS_UNKNOWN_FAULT'])
    expect(await statusOf({ target: 'bus', fault: 'ring', options: { times: 0 } })).toEqual([
      400,
      'CHAOS_INVALID_OPTION',
    ])
    expect(await statusOf({ target: 'bus', fault: 'drop-events', leaseMs: 1_001 })).toEqual([
      400,
      'CHAOS_INVALID_OPTION',
    ])
    expect(await statusOf({ target: 'bus', fault: 'drop-events', connection: 'guessed' })).toEqual([
      409,
      'CHAOS_UNKNOWN_CONNECTION',
    ])
    expect(await statusOf({ target: 'bus', fault: 'fail' })).toEqual([500, 'CHAOS_INTERNAL_ERROR'])
    for (const method of ['GET', 'DELETE']) expect((await ask(`${url}/injections/no`, { method })).status).toBe(404)
    expect(await ask(`${url}/targets`, { method: 'PUT' })).toMatchObject({ status: 405, headers: { allow: 'GET' } })
    expect(await ask(`${url}/injections`, { method: 'PATCH' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, POST, DELETE' },
    })
    expect((await ask(`${url}/events`)).status).toBe(400)
  })

  it('takes so many requests a second, guesses and preflights apart from the rest, and stopping always', async () => {
    const clock = manualClock()
    const { controller, bus } = testChaos()
    const { url } = await mounted(controller, { clock, maxRequestsPerSecond: 3 })
    const guess = (): Promise<number> =>
      ask(`${url}/info`, { headers: { authorization: 'Bearer wrong' } }).then(({ status }) => status)
    const info = (): Promise<number> => ask(`${url}/info`).then(({ status }) => status)
    expect([await guess(), await guess(), await guess(), await guess(), await guess()]).toEqual([
      401, 401, 401, 429, 429,
    ])
    const mayI = (method: string): Promise<number> =>
      ask(`${url}/injections`, {
        method: 'OPTIONS',
        headers: { origin: new URL(url).origin, 'access-control-request-method': method },
      }).then(({ status }) => status)
    const asked = [await mayI('POST'), await mayI('POST'), await mayI('POST'), await mayI('POST'), await mayI('DELETE')]
    expect(asked).toEqual([204, 204, 204, 429, 204])
    expect((await post(url, { target: 'bus', fault: 'drop-events' })).status).toBe(201)
    expect([await info(), await info(), await info()]).toEqual([200, 200, 429])
    const limited = await ask(`${url}/info`)
    expect(code(limited)).toBe('CHAOS_TOO_MANY_REQUESTS')
    expect((await ask(`${url}/injections`, { method: 'DELETE' })).status).toBe(200)
    expect(Object.getPrototypeOf(bus)).toBe(bus.constructor.prototype)
    await clock.advance(1_000)
    expect([await info(), await guess()]).toEqual([200, 401])
  })
})

describe('what it does', () => {
  it('lists, injects, shows, stops and stops all', async () => {
    const { controller, bus } = testChaos()
    const { url } = await mounted(controller)
    expect((await ask(`${url}/targets`)).json()).toEqual([
      { name: 'bus', faults: ['test/drop-events', 'test/ring', 'test/arm-slowly', 'test/fail'] },
    ])
    const made = await ask(`${url}/injections`, {
      method: 'POST',
      body: { target: 'bus', fault: 'drop-events', leaseMs: 9_000, rate: 1, only: ['tick*'], id: 'one/two#3' },
    })
    expect(made).toMatchObject({ status: 201 })
    expect(made.json()).toMatchObject({ id: 'one/two#3', fault: 'test/drop-events', status: 'active', leaseMs: 9_000 })
    bus.on('tick', () => undefined)
    bus.emit('tick')
    const one = `${url}/injections/${encodeURIComponent('one/two#3')}`
    expect((await ask(one)).json()).toMatchObject({ seen: 1, affected: 1, status: 'active' })
    expect((await ask(one, { method: 'DELETE' })).json()).toMatchObject({ status: 'ended', outcome: 'stopped' })
    expect((await ask(one, { method: 'DELETE' })).status).toBe(200)
    await ask(`${url}/injections`, { method: 'POST', body: { target: 'bus', fault: 'drop-events' } })
    expect((await ask(`${url}/injections`, { method: 'DELETE' })).json()).toMatchObject({
      stopped: [{ fault: 'test/drop-events', outcome: 'stopped' }],
    })
    expect((await ask(`${url}/injections`)).json()).toMatchObject([{ status: 'ended' }, { status: 'ended' }])
  })

  it('carries evidence that JSON has no word for', async () => {
    const { url } = await mounted(testChaos().controller)
    const made = await ask(`${url}/injections`, {
      method: 'POST',
      body: { target: 'bus', fault: 'ring', options: { times: 2 } },
    })
    expect(made.json()).toMatchObject({
      status: 'ended',
      outcome: 'completed',
      evidence: [{ times: 2, big: '18446744073709551616', error: '[Error: rang]' }],
    })
  })

  it('ends every injection of the process, also those of others', async () => {
    const mine = testChaos()
    const other = testChaos()
    const { url } = await mounted(mine.controller)
    await mine.chaos.inject('bus', 'drop-events')
    const theirs = await other.chaos.inject('bus', 'drop-events')
    await ask(`${url}/injections`, { method: 'DELETE' })
    expect(theirs.status).toBe('ended')
  })

  it('arms what comes at the same time, each for itself', async () => {
    const { controller, bus } = testChaos()
    const { url } = await mounted(controller)
    const made = await Promise.all(
      Array.from({ length: 40 }, () =>
        ask(`${url}/injections`, { method: 'POST', body: { target: 'bus', fault: 'drop-events' } }),
      ),
    )
    expect(new Set(made.map((answer) => (answer.json() as { readonly id: string }).id)).size).toBe(40)
    expect((await ask(`${url}/injections`, { method: 'DELETE' })).json()).toMatchObject({ stopped: { length: 40 } })
    expect(Object.getPrototypeOf(bus)).toBe(bus.constructor.prototype)
  })

  it('takes back what was armed for someone who left before the answer', async () => {
    const { controller } = testChaos()
    const { port } = await mounted(controller)
    const armed = nextEntry(controller, ({ type }) => type === 'armed')
    const ended = nextEntry(controller, isEnd())
    const { socket } = await rawConnection(port)
    const body = '{"target":"bus","fault":"arm-slowly"}'
    socket.write(
      `POST /chaos/injections HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    await armed
    socket.destroy()
    expect(await ended).toMatchObject({ injection: { outcome: 'stopped' } })
  })

  it('is gone once it is closed', async () => {
    const { url, handler } = await mounted(testChaos().controller)
    await handler.close()
    expect((await ask(`${url}/info`)).text).toBe('the app, /chaos/info')
  })
})

it('opens no stream any more that was asked for before it was closed', async () => {
  const { controller } = testChaos()
  let letGo: () => void = () => undefined
  const held = new Promise<void>((resolve) => (letGo = resolve))
  const asked = vi.fn()
  const slow: ChaosController = { ...controller, info: () => (asked(), held.then(() => controller.info())) }
  const { port, handler } = await mounted(slow)
  const { socket, answer } = await rawConnection(port)
  socket.write(
    `GET /chaos/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
  )
  await vi.waitFor(() => expect(asked).toHaveBeenCalled())
  await handler.close()
  letGo()
  expect(await answer).toBe('')
})

describe('its options', () => {
  it.each([
    [{ token: 'short' }, 'token'],
    [{ token: 'sixteen but spaces' }, 'token'],
    [{ token: undefined as unknown as string }, 'token'],
    [{ token: TOKEN, basePath: '/' }, 'basePath'],
    [{ token: TOKEN, basePath: '/chaos/' }, 'basePath'],
    [{ token: TOKEN, basePath: '/a/../b' }, 'basePath'],
    [{ token: TOKEN, basePath: 'chaos' }, 'basePath'],
    [{ token: TOKEN, allowedOrigins: ['*'] }, 'allowedOrigins'],
    [{ token: TOKEN, maxBodyBytes: 0 }, 'maxBodyBytes'],
    [{ token: TOKEN, maxRequestsPerSecond: Number.NaN }, 'maxRequestsPerSecond'],
    [{ token: TOKEN, basePaht: '/chaos' }, 'Did you mean "basePath"?'],
  ])('refuses %j', (options, named) => {
    let refused: unknown
    try {
      createHandler(testChaos().controller, options)
    } catch (error) {
      refused = error
    }
    expect(isChaosError(refused, 'CHAOS_INVALID_OPTION')).toBe(true)
    expect(String(refused)).toContain(named)
  })

  it('never shows a token that it refuses', () => {
    expect(() => createHandler(testChaos().controller, { token: 'my-secret' })).not.toThrow('my-secret')
    expect(() => createHandler(testChaos().controller, { token: 'my-secret' })).toThrow('a text of 9')
  })
})
