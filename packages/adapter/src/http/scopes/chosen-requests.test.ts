import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { text } from 'node:stream/consumers'
import { currentScope, inject, mintScope, withScope, type ScopePredicate } from '@chaos/core'
import { mintScopeWith, needScopes, withScopeMember } from '@chaos/core/authoring'
import { request as undiciRequest } from 'undici'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { serve } from '../../../test/http.js'
import { refuseCalls } from '../../calls/index.js'
import { scopes } from '../../register.js'
import { httpScopes, type HttpScopesOptions } from '../http-scopes.js'

/** An app: a server that reads its store for each request. */
async function app(options?: HttpScopesOptions) {
  const opened = await httpScopes(options)
  onTestFinished(() => opened.stop())
  const store = { read: (): Promise<string> => Promise.resolve('value') }
  const { origin } = await serve((_request, response) => {
    void store.read().then(
      (value) => response.end(value),
      () => response.writeHead(500).end(),
    )
  })
  return {
    origin,
    /** Breaks the store for chosen requests. */
    async breakFor(scope: string | ScopePredicate) {
      const injection = await inject(refuseCalls({ methods: 'read' }), store, { scope })
      onTestFinished(async () => {
        await injection.rollback()
      })
      return injection
    },
    get: async (path: string, headers: Readonly<Record<string, string>> = {}): Promise<number> =>
      (await fetch(origin + path, { headers })).status,
  }
}

/** The status of an answer to a client that no layer of this process is over. */
async function statusOf(origin: string, baggage: string): Promise<number> {
  const socket = net.connect(Number(new URL(origin).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.write(`GET / HTTP/1.1\r\nhost: app\r\nbaggage: ${baggage}\r\nconnection: close\r\n\r\n`)
  return Number((await text(socket)).split(' ')[1])
}

describe('a request with a minted header', () => {
  it('is hit by a fault for its scope, and no other request is', async () => {
    const { breakFor, get } = await app()
    const [minted, other] = [mintScope(), mintScope()]
    await breakFor(minted.id)
    const statuses = await Promise.all([
      get('/items', { baggage: `user=alice,${minted.header};note=mine` }),
      get('/items', { baggage: minted.header }),
      get('/items', { baggage: other.header }),
      get('/items'),
    ])
    expect(statuses).toEqual([500, 500, 200, 200])
  })

  it('is hit no more once the scope has ended, nor if the header is forged, malformed or too long', async () => {
    const { breakFor, get } = await app()
    const { id, header } = mintScope({ id: 'minted' })
    const injection = await breakFor(id)
    const [value = ''] = header.split('=').slice(1)
    for (const baggage of [
      // Signed with the key of another process.
      mintScopeWith('another key', { id }).header,
      `${header}A`,
      header.slice(0, -1),
      `chaos=${value.replace('.', '..')}`,
      `${header},${'a=b,'.repeat(64)}`,
      `${'a=b,'.repeat(2_048)}${header}`,
    ])
      expect(await get('/items', { baggage })).toBe(200)
    const past = Date.now() - 3_600_000
    vi.stubEnv('CHAOS_SCOPE_KEY', 'a key')
    onTestFinished(() => void vi.unstubAllEnvs())
    expect(await get('/items', { baggage: mintScopeWith('a key', { id }, past).header })).toBe(200)
    expect(injection.seen).toBe(0)
    expect(await get('/items', { baggage: mintScopeWith('a key', { id }).header })).toBe(500)
  })
})

describe('a predicate on requests', () => {
  it('chooses them by their routes without being told more, and reads no header for it', async () => {
    const { breakFor, get } = await app()
    await breakFor({ route: 'GET /items/*' })
    await breakFor({ user: '*' })
    expect(await Promise.all(['/items/7?page=1', '/items', '/users/7'].map((path) => get(path)))).toEqual([
      500, 200, 200,
    ])
    expect(await get('/users/7', { 'x-user-id': 'alice', authorization: 'Basic YWxpY2U6eA==', cookie: 'sid=1' })).toBe(
      200,
    )
  })

  it.each([
    ['names of headers and a cookie', { user: 'X-User-Id', tenant: 'x-tenant', session: 'sid' }],
    [
      'a function',
      ({ headers }: { readonly headers: http.IncomingHttpHeaders }) => ({
        user: headers['x-user-id'] as string,
        tenant: headers['x-tenant'] as string,
        session: headers.cookie?.split('sid=')[1],
      }),
    ],
  ])('chooses them by who has sent them: %s', async (_, identify) => {
    const { breakFor, get } = await app({ identify })
    await breakFor({ route: '* /items', user: 'alice', tenant: 'a*' })
    await breakFor({ route: '* /users', sessions: 0.5 })
    expect(await get('/items', { 'x-user-id': 'alice', 'x-tenant': 'acme' })).toBe(500)
    expect(await get('/items', { 'x-user-id': 'alice', 'x-tenant': 'other' })).toBe(200)
    expect(await get('/items', { 'x-user-id': 'x'.repeat(2_000), 'x-tenant': 'acme' })).toBe(200)
    const visit = (): Promise<readonly number[]> =>
      Promise.all(Array.from({ length: 30 }, (_one, at) => get('/users', { cookie: `a=b; sid=${at}` })))
    const first = await visit()
    // The choice rests on the ids alone, so it is the same in each process.
    expect(first.filter((status) => status === 500)).toHaveLength(14)
    expect(await visit()).toEqual(first)
    expect(await get('/users')).toBe(200)
  })

  it('lets requests pass, and warns once, if nobody can tell who has sent them', async () => {
    const warnings = vi.spyOn(process, 'emitWarning').mockReturnValue()
    onTestFinished(() => warnings.mockRestore())
    const { breakFor, get } = await app({
      identify: () => {
        throw new Error('no database')
      },
    })
    await breakFor({ user: '*' })
    const injection = await breakFor({ route: 'GET /items' })
    expect([await get('/users'), await get('/users'), await get('/items')]).toEqual([200, 200, 500])
    expect(injection.affected).toBe(1)
    expect(warnings).toHaveBeenCalledTimes(1)
    expect(warnings.mock.calls[0]?.[0]).toContain('threw: no database')
  })

  it('lets requests pass, warns once and fails nothing, if it is told by a promise who has sent them', async () => {
    const warnings = vi.spyOn(process, 'emitWarning').mockReturnValue()
    onTestFinished(() => warnings.mockRestore())
    const { breakFor, get } = await app({
      // What users without TypeScript may pass.
      identify: (() => Promise.reject(new Error('no database'))) as never,
    })
    await breakFor({ user: '*' })
    expect([await get('/'), await get('/')]).toEqual([200, 200])
    expect(warnings).toHaveBeenCalledTimes(1)
    expect(warnings.mock.calls[0]?.[0]).toContain('It returned a promise')
  })

  it('ignores a session that is longer than 1,024 characters', async () => {
    const { breakFor, get } = await app({ identify: { session: 'sid' } })
    await breakFor({ sessions: 1 })
    expect(await get('/', { cookie: `sid=${'x'.repeat(1_024)}` })).toBe(500)
    expect(await get('/', { cookie: `sid=${'x'.repeat(1_025)}` })).toBe(200)
  })

  it('keeps no session in a scope, and sends none of who is known in a header', async () => {
    onTestFinished(needScopes())
    const opened = await httpScopes({ identify: { user: 'x-user-id', session: 'sid' } })
    onTestFinished(() => opened.stop())
    const seen: unknown[] = []
    const { origin } = await serve((request, response) => {
      seen.push(currentScope(), request.headers['baggage'])
      if (request.url === '/b') response.end()
      else void fetch(`${origin}/b`).then(() => response.end())
    })
    await fetch(`${origin}/a`, { headers: { 'x-user-id': 'alice', cookie: 'sid=secret' } })
    expect(seen[0]).toMatchObject({
      route: 'GET /a',
      attributes: { user: 'alice', session: expect.stringMatching(/^[\w-]{22}$/) as string },
    })
    // In this process it is known who works, as the scope is nested in that of the first request.
    expect(seen[2]).toMatchObject({ route: 'GET /b', attributes: { user: 'alice' } })
    expect(JSON.stringify(seen)).not.toContain('secret')
    expect(seen[3]).not.toContain('alice')
  })

  it('gets what a preload is told by environment variables', async () => {
    const opened = (await scopes({
      CHAOS_SCOPES_USER: 'x-user-id',
      CHAOS_SCOPES_SESSION: '',
      CHAOS_SCOPES_ACCEPT: 'any',
    })) as { readonly stop: () => Promise<void> }
    onTestFinished(() => opened.stop())
    const { breakFor, get } = await app()
    await breakFor({ user: 'alice' })
    expect([await get('/', { 'x-user-id': 'alice' }), await get('/')]).toEqual([500, 200])
    await expect(scopes({ CHAOS_SCOPES_ACCEPT: 'mintd' })).rejects.toThrow(/`accept` of httpScopes to be one of/)
    await expect(scopes({ CHAOS_SCOPES_USER: 'a b' })).rejects.toThrow(
      /`identify.user` of httpScopes to be the name of a header/,
    )
  })
})

describe('the edge of a system', () => {
  /** What a header of a server outside is, after the app has passed on the given one. */
  const CLIENTS: Readonly<Record<string, (origin: string, baggage: string) => Promise<unknown>>> = {
    fetch: (origin, baggage) => fetch(origin, { headers: { baggage } }).then((answer) => answer.text()),
    undici: async (origin, baggage) => (await undiciRequest(origin, { headers: { baggage } })).body.text(),
    'http.get': (origin, baggage) => getBy(origin, { baggage }),
    'http.get with a list of headers': (origin, baggage) =>
      getBy(origin, ['host', new URL(origin).host, 'Baggage', baggage] as never),
    'http.get with pairs of headers': (origin, baggage) =>
      getBy(origin, [
        ['host', new URL(origin).host],
        ['baggage', baggage],
      ] as never),
  }
  async function getBy(origin: string, headers: http.OutgoingHttpHeaders): Promise<void> {
    const [answer] = (await once(http.get(origin, { headers }), 'response')) as [http.IncomingMessage]
    await text(answer)
  }

  it('accepts what was minted, and no scope that another process was in', async () => {
    onTestFinished(needScopes())
    const { origin, breakFor, get } = await app({ accept: 'minted' })
    const { id, header } = mintScope()
    await breakFor(id)
    await breakFor('another scope > *')
    expect(await get('/', { baggage: header })).toBe(500)
    const value = withScope('another scope', (scope) => withScopeMember(scope))
    expect(await statusOf(origin, header)).toBe(500)
    expect(await statusOf(origin, value)).toBe(200)
  })

  it.each(Object.keys(CLIENTS))('passes no member on to others: %s', async (client) => {
    const send = CLIENTS[client]
    const [inside, outside] = [await recorder(), await recorder()]
    const opened = await httpScopes({ to: inside.origin })
    onTestFinished(() => opened.stop())
    // While nobody needs scopes as well.
    for (const origin of [inside.origin, outside.origin]) await send?.(origin, 'a=b, chaos=x.y')
    onTestFinished(needScopes())
    await withScope('a test', () => send?.(outside.origin, 'chaos=x.y'))
    await withScope('a test', () => send?.(inside.origin, 'a=b'))
    await send?.(outside.origin, 'a=b')
    expect(outside.headers).toEqual(['a=b', undefined, 'a=b'])
    expect(inside.headers).toEqual(['a=b, chaos=x.y', expect.stringMatching(/^a=b, ?chaos=[\w-]+\.[\w-]{22}$/)])
  })

  it.each(Object.keys(CLIENTS))('passes on no member of a stranger inside either: %s', async (client) => {
    const inside = await recorder()
    const opened = await httpScopes({ accept: 'minted' })
    onTestFinished(() => opened.stop())
    await CLIENTS[client]?.(inside.origin, 'a=b,chaos=x.y')
    expect(inside.headers).toEqual(['a=b'])
  })

  it('passes none on by HTTP/2', async () => {
    const opened = await httpScopes({ to: 'http://inside' })
    onTestFinished(() => opened.stop())
    const headers: unknown[] = []
    const server = http2.createServer((request, response) => {
      headers.push(request.headers['baggage'])
      response.end()
    })
    server.listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const session = http2.connect(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`)
    onTestFinished(() => session.destroy())
    for (const baggage of ['a=b,chaos=x.y', 'chaos=x.y', 'a=b']) await text(session.request({ ':path': '/', baggage }))
    expect(headers).toEqual(['a=b', undefined, 'a=b'])
  })

  /** A server that keeps the header of each request. */
  async function recorder(): Promise<{ readonly origin: string; readonly headers: readonly unknown[] }> {
    const headers: unknown[] = []
    const { origin } = await serve((request, response) => {
      headers.push(request.headers['baggage'])
      response.end()
    })
    return { origin, headers }
  }
})
