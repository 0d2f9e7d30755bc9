import { once } from 'node:events'
import http, { type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { expect, it, onTestFinished, vi } from 'vitest'
import { codeOf, flood, raw, request, settled, startHttpScene } from '../../test/http.js'
import { startUpstream } from '../../test/tcp.js'
import { createHttpProxy, type HttpProxy } from './index.js'

const WAIT = { timeout: 30_000, interval: 2 }

/** A proxy before a server that speaks for itself, in bytes. */
async function beforeBytes(onConnection: (socket: Socket) => void): Promise<HttpProxy> {
  const upstream = await startUpstream(onConnection)
  const proxy = await createHttpProxy({ upstream: `http://${upstream.address}` })
  onTestFinished(async () => {
    await proxy.close()
    await upstream.close()
  })
  return proxy
}

/** Answers whatever comes with these bytes, then ends if told to. */
const says =
  (bytes: string, isLast = false) =>
  (socket: Socket): void =>
    void socket.once('data', () => (isLast ? socket.end(bytes, 'latin1') : socket.write(bytes, 'latin1')))

it('keeps the case, the order and the duplicates of headers, both ways', async () => {
  const proxy = await beforeBytes((socket) =>
    socket.once('data', (bytes) => {
      const head = bytes.toString('latin1')
      const answer = 'HTTP/1.1 299 Fine By Me\r\nX-One: \xe4\r\nset-COOKIE: a\r\nSet-Cookie: b\r\nx-one: 2\r\n'
      socket.end(`${answer}Content-Length: ${head.length}\r\nConnection: close\r\n\r\n${head}`, 'latin1')
    }),
  )
  const answer = await raw(proxy.port, 'GET /x?y=%20 HTTP/1.1\r\nhOST: a\r\nX-B: 1\r\nx-a: \xe9\r\nX-B: 2\r\n\r\n')
  const [head, body] = answer.split('\r\n\r\n')
  expect(head?.split('\r\n')).toEqual([
    'HTTP/1.1 299 Fine By Me',
    'X-One: \xe4',
    'set-COOKIE: a',
    'Set-Cookie: b',
    'x-one: 2',
    expect.stringMatching(/^Content-Length: \d+$/) as string,
    'Connection: close',
  ])
  expect(body?.split('\r\n')).toEqual([
    'GET /x?y=%20 HTTP/1.1',
    `hOST: ${proxy.upstream.slice('http://'.length)}`,
    'X-B: 1',
    'x-a: \xe9',
    'X-B: 2',
    'Connection: keep-alive',
  ])
})

it('passes more headers than Node.js keeps by default', async () => {
  const lines = Array.from({ length: 3_000 }, (_, n) => `x-${n}: 1\r\n`).join('')
  const proxy = await beforeBytes((socket) => {
    let head = ''
    socket.on('data', (bytes) => {
      head += String(bytes)
      if (!head.endsWith('\r\n\r\n')) return
      const count = head.match(/^x-/gm)?.length ?? 0
      socket.end(`HTTP/1.1 200 OK\r\nX-Count: ${count}\r\n${lines}Connection: close\r\n\r\n`)
    })
  })
  const answer = await raw(proxy.port, `GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`)
  expect([answer.includes('X-Count: 3000'), answer.match(/^x-\d/gm)?.length]).toEqual([true, 3_000])
})

it('removes the headers that are for one connection', async () => {
  const { proxy } = await startHttpScene((incoming, response) => {
    response.setHeader('connection', 'x-hop, keep-alive')
    response.setHeader('x-hop', '1')
    response.end(JSON.stringify(incoming.rawHeaders))
  })
  const { headers, body } = await request(proxy.port, {
    headers: { connection: 'close, x-secret', 'x-secret': '1', 'proxy-connection': 'close', te: 'gzip', 'x-kept': '2' },
  })
  expect(JSON.parse(String(body))).toEqual([
    'connection',
    'close',
    'x-kept',
    '2',
    'Host',
    proxy.upstream.slice('http://'.length),
  ])
  expect([headers['x-hop'], headers.connection]).toEqual([undefined, 'close'])
})

it('gives the upstream the Host of the client if told to', async () => {
  const { proxy } = await startHttpScene((incoming, response) => response.end(incoming.headers.host), {
    hostHeader: 'client',
  })
  expect(String((await request(proxy.port, { headers: { host: 'shop.test' } })).body)).toBe('shop.test')
})

it('streams both ways: each piece arrives before the next is sent', async () => {
  const { proxy } = await startHttpScene((incoming, response) => {
    response.flushHeaders()
    incoming.pipe(response)
  })
  const sent = http.request({ port: proxy.port, host: '127.0.0.1', agent: false, method: 'POST' })
  sent.flushHeaders()
  const [answer] = (await once(sent, 'response')) as [http.IncomingMessage]
  for (const piece of ['one', 'two', 'three']) {
    sent.write(piece)
    expect(String((await once(answer, 'data'))[0])).toBe(piece)
  }
  sent.end()
  answer.resume()
  await once(answer, 'end')
})

it('slows the sender of a body whose receiver does not read', async () => {
  const { handler, isStill } = flood()
  const { proxy } = await startHttpScene(handler)
  const sent = http.get({ port: proxy.port, host: '127.0.0.1', agent: false })
  sent.on('error', () => undefined)
  const [answer] = (await once(sent, 'response')) as [http.IncomingMessage]
  answer.on('error', () => undefined)
  await isStill()
  const { bytesIn, bytesOut, bytesHeld } = proxy.counters.downstream
  expect(bytesHeld).toBeLessThan(1_048_576)
  expect(bytesIn).toBe(bytesOut + bytesHeld)
  sent.destroy()
  await settled(proxy)
})

it('asks a client to go on with its body only if the upstream does', async () => {
  const { service, proxy } = await startHttpScene()
  service.server.on('checkContinue', (incoming: http.IncomingMessage, response: ServerResponse) => {
    if (incoming.url === '/no') {
      response.writeHead(417).end()
      return
    }
    response.writeContinue()
    incoming.pipe(response)
  })
  const ask = (path: string): http.ClientRequest => {
    const headers = { expect: '100-continue', 'content-length': 4 }
    const asked = http.request({ port: proxy.port, host: '127.0.0.1', agent: false, method: 'PUT', path, headers })
    asked.flushHeaders()
    return asked
  }
  const welcome = ask('/yes')
  await once(welcome, 'continue')
  welcome.end('body')
  const [answer] = (await once(welcome, 'response')) as [http.IncomingMessage]
  expect(String((await once(answer, 'data'))[0])).toBe('body')
  const refused = ask('/no')
  refused.on('error', () => undefined)
  refused.on('continue', () => expect.unreachable('The upstream did not say so.'))
  const [refusal] = (await once(refused, 'response')) as [http.IncomingMessage]
  expect(refusal.statusCode).toBe(417)
  refused.destroy()
})

it('passes interim answers', async () => {
  const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-Hint: 1\r\n\r\n'
  const final = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'
  const proxy = await beforeBytes(says(`${hint}HTTP/1.1 102 Processing\r\n\r\n${final}`, true))
  expect(await raw(proxy.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toBe(
    `${hint}HTTP/1.1 102 Processing\r\n\r\n${final}`,
  )
})

it('drops interim answers that a client does not read', async () => {
  const hint = `HTTP/1.1 103 Early Hints\r\nLink: ${'x'.repeat(60_000)}\r\n\r\n`
  const hints = 500
  const final = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'
  let isSaid = false
  const proxy = await beforeBytes((socket) => {
    socket.once('data', () => {
      for (let n = 0; n < hints; n += 1) socket.write(hint, 'latin1')
      socket.end(final, 'latin1', () => (isSaid = true))
    })
  })
  const client = connect({ port: proxy.port, host: '127.0.0.1' })
  onTestFinished(() => void client.destroy())
  client.pause().write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await vi.waitFor(() => expect(isSaid && proxy.requests()).toMatchObject([{ status: 'answering' }]), WAIT)
  let received = ''
  for await (const bytes of client) received = `${received}${String(bytes)}`.slice(-1_000)
  expect(received.endsWith(final)).toBe(true)
  expect(client.bytesRead).toBeLessThan(hint.length * hints)
})

it('passes trailers both ways', async () => {
  const { proxy } = await startHttpScene((incoming, response) => {
    response.writeHead(200, { trailer: 'X-Sum' })
    incoming.resume().on('end', () => {
      response.write('body')
      response.addTrailers([['X-Sum', String(incoming.trailers['x-up'])]])
      response.end()
    })
  })
  const sent = http.request({ port: proxy.port, host: '127.0.0.1', agent: false, method: 'POST' })
  sent.setHeader('trailer', 'X-Up')
  sent.write('body')
  sent.addTrailers({ 'X-Up': '42' })
  sent.end()
  const [answer] = (await once(sent, 'response')) as [http.IncomingMessage]
  answer.resume()
  await once(answer, 'end')
  expect(answer.rawTrailers).toEqual(['X-Sum', '42'])
})

it('passes answers without a body, with the length that they state', async () => {
  const { proxy } = await startHttpScene((incoming, response) => {
    if (incoming.method === 'HEAD') response.writeHead(200, { 'content-length': 1_000_000 }).end()
    else response.writeHead(incoming.url === '/304' ? 304 : 204, { etag: '"1"' }).end()
  })
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const head = await request(proxy.port, { agent, method: 'HEAD' })
  expect([head.headers['content-length'], head.body.length]).toEqual(['1000000', 0])
  for (const status of [204, 304]) {
    const { statusCode, headers } = await request(proxy.port, { agent, path: `/${status}` })
    expect([statusCode, headers.etag, headers['transfer-encoding']]).toEqual([status, '"1"', undefined])
  }
  expect(proxy.counters.accepted).toBe(1)
})

it('sends a request without a body as one with an empty body, not in chunks', async () => {
  const { proxy } = await startHttpScene((incoming, response) => response.end(JSON.stringify(incoming.headers)))
  const answer = await raw(proxy.port, 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  expect(answer).toContain('"content-length":"0"')
  expect(answer).not.toContain('"transfer-encoding"')
})

it('answers pipelined requests in order, and sends them one after the other', async () => {
  let underWay = 0
  const { service, proxy } = await startHttpScene((incoming, response) => {
    expect((underWay += 1)).toBe(1)
    const last = incoming.url === '/3'
    setTimeout(() => {
      underWay -= 1
      response.writeHead(200, last ? { connection: 'close' } : {}).end(`answer ${incoming.url}`)
    }, 5)
  })
  const answers = await raw(proxy.port, [1, 2, 3].map((n) => `GET /${n} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''))
  expect(answers.match(/answer \/\d/g)).toEqual(['answer /1', 'answer /2', 'answer /3'])
  expect([service.sockets.length, proxy.counters.accepted]).toEqual([1, 1])
})

it('speaks HTTP/1.0 with clients that do, without chunks', async () => {
  const { proxy } = await startHttpScene((incoming, response) => {
    response.write(`${incoming.httpVersion} `)
    response.end(incoming.headers.host)
  })
  const answer = await raw(proxy.port, 'GET / HTTP/1.0\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(answer).not.toMatch(/transfer-encoding/i)
  expect(answer.endsWith(`\r\n\r\n1.1 127.0.0.1:${proxy.upstream.split(':').at(-1)}`)).toBe(true)
})

it('passes a body that ends with its connection', async () => {
  const proxy = await beforeBytes(says('HTTP/1.0 200 OK\r\nX-A: 1\r\n\r\nall of it', true))
  const { headers, body } = await request(proxy.port)
  expect([headers['x-a'], headers.connection, String(body)]).toEqual(['1', 'close', 'all of it'])
})

it('passes an answer that comes before the request has ended', async () => {
  const { proxy } = await startHttpScene((incoming, response) => {
    response.writeHead(413).end('too large')
    incoming.resume()
  })
  const agent = new http.Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  const sent = http.request({ port: proxy.port, host: '127.0.0.1', agent, method: 'POST' })
  sent.write('part')
  const [answer] = (await once(sent, 'response')) as [http.IncomingMessage]
  expect([answer.statusCode, String((await once(answer, 'data'))[0])]).toEqual([413, 'too large'])
  expect(proxy.counters.live).toBe(1)
  sent.end('rest')
  await settled(proxy)
  expect(proxy.counters.upstream).toMatchObject({ bytesIn: 8, bytesOut: 8 })
})

it('gives a request up at the upstream when its client does', async () => {
  const closed = vi.fn()
  const { service, proxy } = await startHttpScene((incoming, response) => {
    response.on('close', () => void closed(response.writableFinished, incoming.url))
  })
  const sent = http.get({ port: proxy.port, host: '127.0.0.1', agent: false, path: '/slow' })
  sent.on('error', () => undefined)
  await vi.waitFor(() => expect(service.got).toEqual(['GET /slow']), WAIT)
  expect(proxy.requests()).toMatchObject([{ method: 'GET', url: '/slow', status: 'sent', hits: [] }])
  sent.destroy()
  await vi.waitFor(() => expect(closed).toHaveBeenCalledWith(false, '/slow'), WAIT)
  await settled(proxy)
  expect(proxy.counters.outcomes.abandoned).toBe(1)
})

it.each([
  ['ECONNRESET', 'resets', (socket: Socket) => void socket.resetAndDestroy()],
  ['socket hang up', 'closes', (socket: Socket) => socket.destroySoon()],
])('ends with %s if the upstream %s the connection before it answers', async (outcome, _how, end) => {
  const proxy = await beforeBytes((socket) => socket.once('data', () => end(socket)))
  const sent = request(proxy.port)
  const error = await sent.then(
    () => undefined,
    (caught: unknown) => caught as NodeJS.ErrnoException,
  )
  expect([error?.code, error?.message.includes(outcome)]).toEqual(['ECONNRESET', true])
  await settled(proxy)
  expect(proxy.counters.outcomes.failed).toBe(1)
})

it.each(['Content-Length: 10', 'Transfer-Encoding: chunked'])(
  'breaks an answer off where the upstream does (%s)',
  async (length) => {
    const start = length.endsWith('chunked') ? '4\r\npart\r\n' : 'part'
    const proxy = await beforeBytes(says(`HTTP/1.1 200 OK\r\n${length}\r\n\r\n${start}`, true))
    const answer = await raw(proxy.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(answer.split('\r\n\r\n')[1]).toContain('part')
    expect(answer.endsWith('0\r\n\r\n')).toBe(false)
    expect(await codeOf(request(proxy.port))).toBe('ECONNRESET')
    await settled(proxy)
    expect(proxy.counters.outcomes.failed).toBe(2)
  },
)

it('resets the client when the upstream resets in the middle of an answer', async () => {
  const upstreams: Socket[] = []
  const proxy = await beforeBytes((socket) => {
    upstreams.push(socket)
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart'))
  })
  const socket = connect(proxy.port, '127.0.0.1')
  const failed = once(socket, 'error')
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  let received = ''
  socket.on('data', (bytes) => (received += String(bytes)))
  await vi.waitFor(() => expect(received).toContain('part'), WAIT)
  upstreams[0]?.resetAndDestroy()
  expect(((await failed)[0] as NodeJS.ErrnoException).code).toBe('ECONNRESET')
  await settled(proxy)
  expect(proxy.counters.outcomes.failed).toBe(1)
})

it('is reset when nothing listens at the upstream', async () => {
  const { service, proxy } = await startHttpScene()
  await service.close()
  expect(await codeOf(request(proxy.port))).toBe('ECONNRESET')
  await settled(proxy)
  expect(proxy.counters.outcomes.failed).toBe(1)
})

it('closes the connection of a client whose upstream closes its own between two requests', async () => {
  const { service, proxy } = await startHttpScene()
  const agent = new http.Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  await request(proxy.port, { agent })
  await settled(proxy)
  expect(proxy.counters.open).toBe(1)
  service.sockets[0]?.end()
  await vi.waitFor(() => expect(proxy.counters.open).toBe(0), WAIT)
  expect((await request(proxy.port, { agent })).statusCode).toBe(200)
})

it('refuses what is no request, as Node.js does', async () => {
  const { service, proxy } = await startHttpScene(undefined, { maxHeaderBytes: 1_024 })
  expect(await raw(proxy.port, 'HELO there\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  const long = `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(2_000)}\r\n\r\n`
  expect(await raw(proxy.port, long)).toMatch(/^HTTP\/1\.1 431 /)
  expect([service.got, proxy.counters.invalid, proxy.counters.requests]).toEqual([[], 2, 0])
})

it('answers 408 to a client whose headers are late', async () => {
  const { proxy } = await startHttpScene(undefined, { headersTimeoutMs: 50 })
  expect(await raw(proxy.port, 'GET / HTTP/1.1\r\nHost: a\r\n')).toMatch(/^HTTP\/1\.1 408 /)
})
