import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { text } from 'node:stream/consumers'
import { createChaos, currentScope, inject, withScope, type Scope } from '@chaos/core'
import { needScopes, scopeOfMember } from '@chaos/core/authoring'
import { shapeDifference, shapeOf } from '@chaos/core/testing'
import { Pool, request as undiciRequest } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import { serve, type HttpServer } from '../../test/http.js'
import { refuseCalls } from '../calls/index.js'
import { answerRequests } from './faults/answer-requests.js'
import { delayRequests } from './faults/delay-requests.js'
import { httpScopes, type HttpScopesOptions } from './http-scopes.js'

/** What a server was asked, and on whose behalf it works. */
interface Asked {
  readonly path: string | undefined
  readonly baggage: unknown
}

async function carried(options?: HttpScopesOptions): Promise<{ readonly stop: () => Promise<void> }> {
  const leave = needScopes()
  onTestFinished(leave)
  const scopes = await httpScopes(options)
  onTestFinished(() => scopes.stop())
  return scopes
}

/** A server that answers with its scope and the header. */
async function echo(): Promise<HttpServer> {
  return serve((request, response) => {
    response.end(JSON.stringify({ path: currentScope()?.path, baggage: request.headers['baggage'] } satisfies Asked))
  })
}

const asked = async (answer: AsyncIterable<Uint8Array>): Promise<Asked> => JSON.parse(await text(answer)) as Asked

function get(url: string, options: http.RequestOptions = {}): Promise<Asked> {
  return new Promise((resolve, reject) => {
    http.get(url, options, (response) => void asked(response).then(resolve, reject)).on('error', reject)
  })
}

const CLIENTS: Readonly<Record<string, (url: string) => Promise<Asked>>> = {
  'http.get': (url) => get(url, { headers: { baggage: 'user=alice' } }),
  'http.get with a list of headers': (url) =>
    get(url, { headers: ['host', new URL(url).host, 'baggage', 'user=alice'] as never }),
  'http.get with pairs of headers': (url) =>
    get(url, {
      headers: [
        ['host', new URL(url).host],
        ['baggage', 'user=alice'],
      ] as never,
    }),
  fetch: async (url) => (await (await fetch(url, { headers: { baggage: 'user=alice' } })).json()) as Asked,
  undici: async (url) => asked((await undiciRequest(url, { headers: { baggage: 'user=alice' } })).body),
}

describe('httpScopes', () => {
  it.each(Object.keys(CLIENTS))('nests the scope of a request in that of its caller: %s', async (client) => {
    await carried()
    const { origin } = await echo()
    const send = CLIENTS[client] ?? get
    const { first, second } = await withScope('a test', async () => ({
      first: await send(`${origin}/items?page=1`),
      second: await send(`${origin}/items?page=2`),
    }))
    expect([first.path, second.path]).toEqual(['a test > GET /items', 'a test > GET /items #2'])
    expect(first.baggage).toMatch(/^user=alice, ?chaos=[\w-]+\.[\w-]+$/)
    expect(await send(`${origin}/items`)).toEqual({ path: 'GET /items', baggage: 'user=alice' })
  })

  it('carries the scope of the caller, though a pool has no free connection for the request', async () => {
    await carried()
    const { origin } = await echo()
    const pool = new Pool(origin, { connections: 1 })
    onTestFinished(() => pool.close())
    const names = ['test 1', 'test 2', 'test 3']
    const answers = await Promise.all(
      names.map((name) => withScope(name, async () => asked((await pool.request({ path: '/', method: 'GET' })).body))),
    )
    expect(answers.map(({ path }) => path)).toEqual(names.map((name) => `${name} > GET /`))
  })

  it('does neither while nobody needs scopes', async () => {
    const scopes = await httpScopes()
    onTestFinished(() => scopes.stop())
    const { origin } = await echo()
    expect(await withScope('a test', () => get(origin))).toEqual({})
  })

  it('ignores a header that this process has not written', async () => {
    await carried()
    const { origin } = await echo()
    const forged = 'chaos=AAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA'
    expect(await get(origin, { headers: { baggage: forged } })).toEqual({ path: 'GET /', baggage: forged })
  })

  it('carries the scope to chosen origins only', async () => {
    const [near, far] = [await echo(), await echo()]
    await carried({ to: near.origin })
    await withScope('a test', async () => {
      for (const client of ['http.get', 'fetch', 'undici'] as const) {
        expect((await CLIENTS[client]?.(near.origin))?.baggage).toContain('chaos=')
        expect((await CLIENTS[client]?.(far.origin))?.baggage).toBe('user=alice')
      }
    })
  })

  it('keeps events of the request and the response in the scope, on a connection that many requests use', async () => {
    await carried()
    const seen: unknown[] = []
    const { origin, server } = await serve((request, response) => {
      const look = (event: string) => () => seen.push([event, currentScope()?.path])
      request.on('data', look('data')).on('end', look('end'))
      response.on('finish', look('finish'))
      request.on('end', () => response.end())
    })
    const connections = new Set()
    server.on('connection', (socket) => connections.add(socket))
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    for (const path of ['/a', '/b']) {
      const request = http.request(origin + path, { method: 'POST', agent })
      request.write('first')
      // The rest comes in a packet of its own, which nobody but the parser reads.
      await once(server, 'request')
      request.end('rest')
      const [response] = (await once(request, 'response')) as [http.IncomingMessage]
      await text(response)
    }
    const all = (path: string): unknown[] => ['data', 'data', 'end', 'finish'].map((event) => [event, `POST ${path}`])
    expect(seen).toEqual([...all('/a'), ...all('/b')])
    expect(connections.size).toBe(1)
  })

  it('gives a scope to upgrades', async () => {
    await carried()
    const { server, origin } = await echo()
    const seen = new Promise((resolve) => {
      server.on('upgrade', (_request, socket) => {
        resolve(currentScope()?.path)
        socket.destroy()
      })
    })
    http.get(`${origin}/live`, { headers: { connection: 'upgrade', upgrade: 'test' } }).on('error', () => undefined)
    expect(await seen).toBe('GET /live')
  })

  it('carries scopes through HTTP/2, for handlers of requests and of streams', async () => {
    await carried()
    const server = http2.createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    const streams: (string | undefined)[] = []
    server.on('stream', (stream) => {
      streams.push(currentScope()?.path)
      stream.on('data', () => streams.push(currentScope()?.path))
    })
    server.on('request', (request, response) => {
      response.end(JSON.stringify({ path: currentScope()?.path, baggage: request.headers['baggage'] }))
    })
    await once(server, 'listening')
    const session = http2.connect(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`)
    onTestFinished(() => session.destroy())
    const answer = await withScope('a test', async () => {
      const stream = session.request({ ':method': 'POST', ':path': '/rpc?x', baggage: 'user=alice' })
      stream.end('body')
      return asked(stream as AsyncIterable<Uint8Array>)
    })
    expect(answer.path).toBe('a test > POST /rpc')
    expect(answer.baggage).toMatch(/^user=alice,chaos=/)
    expect(new Set(streams)).toEqual(new Set(['a test > POST /rpc']))

    const request = (session.request as unknown as (headers: readonly string[]) => http2.ClientHttp2Stream).bind(
      session,
    )
    const askByList = (): Promise<unknown> =>
      withScope('a list', () => {
        const stream = request([':method', 'POST', ':path', '/rpc', 'baggage', 'user=alice'])
        stream.end('body')
        return asked(stream as AsyncIterable<Uint8Array>)
      })
    // Older versions of Node.js take no list of names and values.
    if (Number.parseInt(process.versions.node, 10) < 24) expect(askByList).toThrow('must be of type object')
    else
      expect(await askByList()).toMatchObject({
        path: 'a list > POST /rpc',
        baggage: expect.stringMatching(/^user=alice,chaos=/) as string,
      })
  })

  it('lets a fault affect the requests of one test alone, at the store, at the server and at the client', async () => {
    await carried()
    const store = { read: () => Promise.resolve('value') }
    const { origin, server } = await serve((_request, response) => {
      void store.read().then(
        (value) => response.end(value),
        (error: unknown) => response.writeHead(500).end(String(error)),
      )
    })
    const injections = [
      await inject(refuseCalls({ methods: 'read' }), store, { scope: 'test 1 > *' }),
      await inject(answerRequests({ answer: 'http/502' }), server, { scope: 'test 2 > GET /' }),
      await inject(answerRequests({ answer: 'http/429' }), globalThis, { scope: 'test 3' }),
    ]
    onTestFinished(async () => {
      for (const injection of injections) await injection.rollback()
    })
    const statuses = await Promise.all(
      [1, 2, 3, 4].map((number) => withScope(`test ${number}`, async () => (await fetch(origin)).status)),
    )
    expect(statuses).toEqual([500, 502, 429, 200])
  })

  it('lets a request that a fault holds go on in its scope', async () => {
    await carried()
    const { origin, server } = await echo()
    const held = [
      await inject(delayRequests({ delayMs: 1 }), server, { scope: 'a test > *' }),
      await inject(delayRequests({ delayMs: 1 }), globalThis, { scope: 'a test > *' }),
    ]
    const answer = await withScope('a test', async () => (await (await fetch(origin)).json()) as Asked)
    expect(answer.path).toBe('a test > GET /')
    expect(held.map(({ affected }) => affected)).toEqual([1, 1])
    for (const injection of held) await injection.rollback()
  })

  it('leaves nothing behind, on connections either', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const { origin } = await echo()
    const touched = [net.Server, http.IncomingMessage, http.ServerResponse, http.ClientRequest].map(
      ({ prototype }) => prototype as object,
    )
    const before = [globalThis, ...touched].map(shapeOf)
    const scopes = await carried()
    await withScope('a test', () => get(origin, { agent }))
    await scopes.stop()
    expect([globalThis, ...touched].map((object, at) => shapeDifference(before[at] as never, shapeOf(object)))).toEqual(
      Array(5).fill(undefined),
    )
    expect(await withScope('a test', () => get(origin, { agent }))).toEqual({})
  })

  it('opens one scope for a request, though it is in force twice, ends with all faults, and is back for the next', async () => {
    await carried()
    await carried()
    const { origin } = await echo()
    expect((await withScope('a test', () => get(origin))).path).toBe('a test > GET /')
    await createChaos({ environment: 'test' }).stopAll()
    expect(await withScope('a test', () => get(origin))).toEqual({})
    onTestFinished(needScopes())
    expect((await withScope('a test', () => get(origin))).path).toBe('a test #3 > GET /')
  })

  it('leaves alone what a server of another protocol emits under the same names', async () => {
    await carried()
    const server = net.createServer()
    const seen: unknown[] = []
    for (const event of ['request', 'stream']) server.on(event, (...args: unknown[]) => seen.push([event, ...args]))
    const before = shapeOf(net.Socket.prototype)
    const own = new net.Socket()
    expect(server.emit('stream', { id: 1 }, null)).toBe(true)
    expect(server.emit('stream', own, 'hello')).toBe(true)
    expect(server.emit('request', { url: '/' })).toBe(true)
    expect(seen).toEqual([
      ['stream', { id: 1 }, null],
      ['stream', own, 'hello'],
      ['request', { url: '/' }],
    ])
    expect(shapeDifference(before, shapeOf(net.Socket.prototype))).toBeUndefined()
  })

  it('does not mix up requests that run at once', async () => {
    await carried()
    const seen: (Scope | undefined)[] = []
    const { origin } = await serve((request, response) => {
      const scope = scopeOfMember(request.headers['baggage'] as string)
      setImmediate(() => {
        seen.push(scope)
        response.end(String(currentScope()?.parent?.name))
      })
    })
    const names = Array.from({ length: 50 }, (_, at) => `test ${at}`)
    const answers = await Promise.all(
      names.map((name) => withScope(name, async () => (await fetch(`${origin}/items`)).text())),
    )
    expect(answers).toEqual(names)
    expect(new Set(seen.map((scope) => scope?.path))).toEqual(new Set(names))
  })
})
