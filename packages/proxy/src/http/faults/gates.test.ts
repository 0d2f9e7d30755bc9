import http from 'node:http'
import { manualClock } from '@chaos/core/testing'
import { expect, it, onTestFinished, vi } from 'vitest'
import { codeOf, httpInForce, raw, request, settled, startHttpScene } from '../../../test/http.js'
import {
  abortRequests,
  answerRequests,
  changeHeaders,
  delayRequests,
  delayResponses,
  hangRequests,
  type RequestInfo,
} from '../index.js'

const WAIT = { timeout: 30_000, interval: 2 }

it('answers in place of the service, with the headers given, on a connection that goes on', async () => {
  const { service, proxy } = await startHttpScene()
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const headers = { 'Retry-After': 2, 'content-type': 'application/json' }
  await httpInForce(answerRequests({ statusCode: 429, headers, body: '{}' }), proxy, { only: 'POST /items' })
  for (let n = 0; n < 2; n += 1) {
    const answer = await request(proxy.port, { agent, method: 'POST', path: '/items?x=1', body: 'y'.repeat(200_000) })
    expect([answer.statusCode, answer.message.statusMessage, String(answer.body)]).toEqual([
      429,
      'Too Many Requests',
      '{}',
    ])
    expect(answer.headers).toMatchObject({
      'retry-after': '2',
      'content-type': 'application/json',
      'content-length': '2',
      connection: 'keep-alive',
    })
    expect(answer.headers.date).toBeDefined()
  }
  expect((await request(proxy.port, { agent, path: '/items' })).statusCode).toBe(200)
  await settled(proxy)
  expect(service.got).toEqual(['GET /items'])
  expect(proxy.counters).toMatchObject({ accepted: 1, requests: 3, outcomes: { answered: 1, injected: 2 } })
  expect(proxy.counters.upstream).toMatchObject({ bytesIn: 400_000, bytesDropped: 400_000, bytesOut: 0 })
})

it('answers after the service has handled the request, and goes on with the next at once', async () => {
  let handled = 0
  const { proxy } = await startHttpScene((_incoming, response) => {
    handled += 1
    // An answer that never ends.
    if (handled === 1) response.write('event')
    else response.end('next')
  })
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  await httpInForce(answerRequests({ statusCode: 500, reached: 'upstream' }), proxy, { limit: 1 })
  const answer = await request(proxy.port, { agent })
  expect([answer.statusCode, handled]).toEqual([500, 1])
  expect(String((await request(proxy.port, { agent })).body)).toBe('next')
  await settled(proxy)
  expect(proxy.counters).toMatchObject({ accepted: 1, outcomes: { injected: 1, answered: 1 } })
})

it('answers without a body where the status or the method allows none', async () => {
  const { proxy } = await startHttpScene()
  await httpInForce(answerRequests({ statusCode: 204 }), proxy, { only: 'GET *' })
  await httpInForce(answerRequests({ statusCode: 503 }), proxy, { only: 'HEAD *' })
  expect(await raw(proxy.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1\.1 204 No Content\r\n(?!.*content-length)[^]*\r\n\r\n$/i,
  )
  const head = await request(proxy.port, { method: 'HEAD' })
  expect([head.statusCode, head.headers['content-length'], head.body.length]).toEqual([503, '19', 0])
})

it('answers after a time, or when the fault ends, whichever is first', async () => {
  const { proxy } = await startHttpScene()
  const clock = manualClock()
  const injection = await httpInForce(answerRequests({ afterMs: 500 }), proxy, { clock })
  const first = request(proxy.port)
  await vi.waitFor(() => expect(injection.held).toBe(1), WAIT)
  await clock.advance(500)
  expect((await first).statusCode).toBe(503)
  const second = request(proxy.port)
  await vi.waitFor(() => expect(injection.held).toBe(1), WAIT)
  await injection.rollback()
  expect((await second).statusCode).toBe(503)
})

it.each(['location: /\r\nx', 'content-length', 'Transfer-Encoding'])('refuses the header %j', (name) => {
  expect(() => answerRequests({ headers: { [name]: 1 } })).toThrow(/Expected `headers` to hold/)
  expect(() => changeHeaders({ set: { [name]: 1 } })).toThrow(/Expected `set` to hold/)
})

it('refuses to change nothing, or headers of the framing', () => {
  expect(() => changeHeaders()).toThrow('Expected `remove`, `set` or `add` of proxy/change-headers, got none.')
  expect(() => changeHeaders({ remove: ['x-a', 'Connection'] })).toThrow(/Expected `remove` to hold no header/)
})

it.each([
  ['never', 0],
  ['upstream', 1],
] as const)('ends connections, reached: %s', async (reached, handled) => {
  const { service, proxy } = await startHttpScene()
  const reset = await httpInForce(abortRequests({ reached }), proxy)
  const error = await request(proxy.port).then(String, (caught: unknown) => caught as NodeJS.ErrnoException)
  expect(error).toMatchObject({ code: 'ECONNRESET', syscall: 'read' })
  await reset.rollback()
  await httpInForce(abortRequests({ reached, how: 'close' }), proxy)
  expect(await request(proxy.port).then(String, String)).toBe('Error: socket hang up')
  await settled(proxy)
  expect([service.got.length, proxy.counters.outcomes.cut, proxy.counters.open]).toEqual([2 * handled, 2, 0])
})

it('holds requests before the service, and lets them go on in order when the fault ends', async () => {
  const { service, proxy } = await startHttpScene()
  const injection = await httpInForce(hangRequests(), proxy)
  const answers = []
  for (const n of [1, 2, 3]) {
    answers.push(request(proxy.port, { path: `/${n}` }))
    await vi.waitFor(() => expect(injection.held).toBe(n), WAIT)
  }
  const { signal, abort } = abortable()
  const givenUp = codeOf(request(proxy.port, { path: '/4', signal }))
  await vi.waitFor(() => expect(injection.held).toBe(4), WAIT)
  expect(proxy.requests().map(({ status, hits }) => [status, hits[0]?.fault])).toEqual(
    [1, 2, 3, 4].map(() => ['waiting', 'proxy/hang-requests']),
  )
  abort()
  expect(await givenUp).toBe('ABORT_ERR')
  await vi.waitFor(() => expect(injection.held).toBe(3), WAIT)
  expect(service.got).toEqual([])
  await injection.rollback()
  for (const answer of answers) expect((await answer).statusCode).toBe(200)
  await settled(proxy)
  expect([...service.got].sort()).toEqual(['GET /1', 'GET /2', 'GET /3'])
  expect(proxy.counters.outcomes).toMatchObject({ answered: 3, abandoned: 1 })
})

it('is remembered by the live requests that it has affected', async () => {
  const { proxy } = await startHttpScene()
  const first = await httpInForce(hangRequests(), proxy, { id: 'first' })
  const second = await httpInForce(hangRequests(), proxy, { id: 'second' })
  const third = await httpInForce(hangRequests(), proxy, { id: 'third' })
  const answer = request(proxy.port)
  await vi.waitFor(() => expect(first.held).toBe(1), WAIT)
  await first.rollback()
  await vi.waitFor(() => expect(second.held).toBe(1), WAIT)
  await third.rollback()
  expect(proxy.requests().map(({ hits }) => hits)).toEqual([
    [
      { id: 'first', fault: 'proxy/hang-requests' },
      { id: 'second', fault: 'proxy/hang-requests' },
    ],
  ])
  await second.rollback()
  expect((await answer).statusCode).toBe(200)
})

it('holds answers of a service that has handled the request', async () => {
  const { service, proxy } = await startHttpScene()
  const injection = await httpInForce(hangRequests({ reached: 'upstream' }), proxy)
  const answer = request(proxy.port, { method: 'POST', body: 'x' })
  await vi.waitFor(() => expect(injection.held).toBe(1), WAIT)
  expect([service.got, proxy.requests()[0]?.status]).toEqual([['POST /'], 'sent'])
  await injection.rollback()
  expect(String((await answer).body)).toBe('x')
})

it('delays requests and answers, never early, one after the other', async () => {
  const { service, proxy } = await startHttpScene()
  const clock = manualClock()
  const there = await httpInForce(delayRequests({ delayMs: 100 }), proxy, { clock })
  const back = await httpInForce(delayResponses({ delayMs: 50 }), proxy, { clock })
  const answered = vi.fn()
  const answer = request(proxy.port).then(answered)
  await vi.waitFor(() => expect(there.held).toBe(1), WAIT)
  await clock.advance(99)
  expect(service.got).toEqual([])
  await clock.advance(1)
  await vi.waitFor(() => expect([service.got.length, back.held]).toEqual([1, 1]), WAIT)
  await clock.advance(49)
  expect(proxy.requests()[0]?.status).toBe('sent')
  expect(answered).not.toHaveBeenCalled()
  await clock.advance(1)
  await answer
})

it('changes the headers of requests: removes by glob, sets in place, adds beside', async () => {
  const { proxy } = await startHttpScene((incoming, response) => response.end(JSON.stringify(incoming.rawHeaders)))
  const change = { remove: ['x-trace-*', 'authorization'], set: { accept: 'text/html' }, add: { 'X-A': 2 } }
  await httpInForce(changeHeaders({ ...change, stream: 'upstream' }), proxy)
  const answer = await raw(
    proxy.port,
    'GET / HTTP/1.1\r\nX-A: 1\r\nX-Trace-Id: 1\r\nAccept: */*\r\nAuthorization: x\r\nHost: a\r\nConnection: close\r\n\r\n',
  )
  expect(JSON.parse(answer.split('\r\n\r\n')[1]?.replace(/^\w+\r\n|\r\n.*$/g, '') ?? '')).toEqual([
    'X-A',
    '1',
    'Accept',
    'text/html',
    'Host',
    proxy.upstream.slice('http://'.length),
    'Connection',
    'close',
    'X-A',
    '2',
  ])
})

it('changes the headers of answers, and leaves their framing alone whatever a glob covers', async () => {
  const { proxy } = await startHttpScene((_incoming, response) => {
    response.writeHead(200, { 'content-length': 2, 'x-a': 1, 'set-cookie': ['a', 'b'] }).end('ok')
  })
  await httpInForce(changeHeaders({ remove: '*', add: { 'X-B': 'yes' } }), proxy)
  const { headers, body } = await request(proxy.port)
  expect([headers, String(body)]).toEqual([{ 'content-length': '2', connection: 'close', 'x-b': 'yes' }, 'ok'])
})

it('decides by method and path, or by a predicate that sees the request', async () => {
  const { proxy } = await startHttpScene()
  const only = (args: ArrayLike<unknown>): boolean => {
    const { url, headers, method, clientAddress } = args[0] as RequestInfo
    return method === 'GET' && url.includes('page=2') && headers['x-user'] === '7' && clientAddress === '127.0.0.1'
  }
  const injection = await httpInForce(answerRequests(), proxy, { only })
  const statuses = []
  for (const path of ['/a?page=1', '/a?page=2'])
    for (const user of ['7', '8'])
      statuses.push((await request(proxy.port, { path, headers: { 'x-user': user } })).statusCode)
  expect([statuses, injection.affected]).toEqual([[200, 200, 503, 200], 1])
  const named = await httpInForce(answerRequests({ statusCode: 500 }), proxy, { only: ['DELETE /a/*'] })
  const origin = `${proxy.upstream}/a/1?x`
  for (const path of ['/a/1', origin, '/b/1']) await request(proxy.port, { method: 'DELETE', path })
  expect(named.affected).toBe(2)
})

function abortable(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}
