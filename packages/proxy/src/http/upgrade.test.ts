import { once } from 'node:events'
import type http from 'node:http'
import { connect, type Socket } from 'node:net'
import { expect, it, onTestFinished, vi } from 'vitest'
import { httpInForce, raw, settled, startHttpScene, type HttpScene } from '../../test/http.js'
import { abortRequests, answerRequests, changeHeaders, delayResponses, hangRequests } from './index.js'

const WAIT = { timeout: 30_000, interval: 2 }
const ASK = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n'
const AGREED = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: shout\r\nConnection: Upgrade\r\n\r\n'

/** A server of a protocol that sends everything back in capitals. */
async function startShouting(): Promise<HttpScene & { readonly upgraded: Socket[] }> {
  const scene = await startHttpScene()
  const upgraded: Socket[] = []
  scene.service.server.on('upgrade', (_request: http.IncomingMessage, socket: Socket, head: Buffer) => {
    upgraded.push(socket)
    socket.on('error', () => undefined)
    socket.write(`${AGREED}HI `)
    const shout = (bytes: Buffer): void => void socket.write(String(bytes).toUpperCase())
    shout(head)
    socket.on('data', shout).on('end', () => socket.end(' BYE'))
  })
  return { ...scene, upgraded }
}

interface Caller {
  readonly socket: Socket
  readonly received: () => string
}

function call(port: number, bytes: string): Caller {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  let received = ''
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1'))).on('error', () => undefined)
  socket.write(bytes)
  return { socket, received: () => received }
}

const gets = ({ received }: Caller, text: string): Promise<void> =>
  vi.waitFor(() => expect(received()).toContain(text), WAIT)

it('passes the bytes of an upgraded connection, also those sent with the head, and each end by itself', async () => {
  const { proxy } = await startShouting()
  const caller = call(proxy.port, `${ASK}early `)
  await gets(caller, 'HI EARLY ')
  expect(caller.received().startsWith(AGREED)).toBe(true)
  expect(proxy.requests()).toMatchObject([{ status: 'tunnel', upstream: { bytesOut: 6 } }])
  caller.socket.end('late')
  await once(caller.socket, 'end')
  expect(caller.received().endsWith('HI EARLY LATE BYE')).toBe(true)
  await settled(proxy)
  const { outcomes, upstream, downstream } = proxy.counters
  expect([outcomes.tunnelled, upstream.bytesOut, downstream.bytesOut]).toEqual([1, 10, 17])
})

it('passes a reset through an upgraded connection, either way', async () => {
  const { proxy, upgraded } = await startShouting()
  const codes: (string | undefined)[] = []
  const note = (socket: Socket | undefined): unknown =>
    socket?.on('error', ({ code }: NodeJS.ErrnoException) => codes.push(code))
  for (const side of ['client', 'server']) {
    const caller = call(proxy.port, ASK)
    await gets(caller, 'HI')
    const server = upgraded.at(-1)
    note(side === 'client' ? server : caller.socket)
    ;(side === 'client' ? caller.socket : server)?.resetAndDestroy()
    await settled(proxy)
    await vi.waitFor(() => expect(codes.at(-1)).toBe('ECONNRESET'), WAIT)
  }
  expect(codes).toEqual(['ECONNRESET', 'ECONNRESET'])
})

it('gives the ordinary answer of an upstream that does not upgrade, and closes the connection behind it', async () => {
  const { proxy } = await startHttpScene((request, response) => {
    response.setHeader('x-method', request.method ?? '')
    request.pipe(response)
  })
  const body = 'POST /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 4\r\n\r\nbody'
  const answer = await raw(proxy.port, body)
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(answer).toContain('x-method: POST')
  expect(answer).toContain('Connection: close')
  expect(answer).toContain('body')
  await settled(proxy)
  expect(proxy.counters.outcomes.answered).toBe(1)
})

it('connects to where a client asks it to if the upstream does', async () => {
  const { service, proxy } = await startHttpScene()
  service.server.on('connect', (request: http.IncomingMessage, socket: Socket) => {
    socket.on('error', () => undefined)
    socket.write(`HTTP/1.1 200 Connected\r\nX-To: ${request.url}\r\n\r\n`)
    socket.pipe(socket)
  })
  const caller = call(proxy.port, 'CONNECT db.test:5432 HTTP/1.1\r\nHost: db.test:5432\r\n\r\n')
  await gets(caller, 'X-To: db.test:5432\r\n\r\n')
  caller.socket.write('hello')
  await gets(caller, 'hello')
})

it('affects a request for an upgrade as any other', async () => {
  const { proxy, upgraded } = await startShouting()
  const answered = await httpInForce(answerRequests({ statusCode: 503 }), proxy)
  expect(await raw(proxy.port, ASK)).toMatch(/^HTTP\/1\.1 503 [^]*Connection: close[^]*Service Unavailable$/i)
  await answered.rollback()
  const late = await httpInForce(answerRequests({ statusCode: 502, reached: 'upstream' }), proxy)
  expect(await raw(proxy.port, ASK)).toMatch(/^HTTP\/1\.1 502 /)
  await late.rollback()
  expect(upgraded.length).toBe(1)
  const aborted = await httpInForce(abortRequests(), proxy)
  expect(await raw(proxy.port, ASK)).toBe('')
  await aborted.rollback()
  await settled(proxy)
  expect(proxy.counters.outcomes).toMatchObject({ injected: 2, cut: 1, tunnelled: 0 })
})

it('holds an upgrade on its way back, and lets it go on when the fault ends', async () => {
  const { proxy, upgraded } = await startShouting()
  const hung = await httpInForce(hangRequests({ reached: 'upstream' }), proxy)
  const delayed = await httpInForce(delayResponses({ delayMs: 1 }), proxy)
  const changed = await httpInForce(changeHeaders({ set: { 'x-chaos': 1 } }), proxy)
  const caller = call(proxy.port, ASK)
  await vi.waitFor(() => expect([upgraded.length, hung.held]).toEqual([1, 1]), WAIT)
  expect(caller.received()).toBe('')
  await hung.rollback()
  await gets(caller, 'x-chaos: 1\r\n\r\nHI')
  expect([delayed.affected, changed.affected]).toEqual([1, 1])
})

it('leaves nothing open when a client goes away while its upgrade is held', async () => {
  const { proxy, upgraded } = await startShouting()
  const hung = await httpInForce(hangRequests({ reached: 'upstream' }), proxy)
  const caller = call(proxy.port, ASK)
  await vi.waitFor(() => expect([upgraded.length, hung.held]).toEqual([1, 1]), WAIT)
  caller.socket.destroy()
  await settled(proxy)
  expect([proxy.counters.open, hung.held]).toEqual([0, 0])
  await vi.waitFor(() => expect(upgraded[0]?.destroyed).toBe(true), WAIT)
})

it('reaches no service for a client that goes away while its upgrade waits for its turn or at a fault', async () => {
  const { proxy, service, upgraded } = await startShouting()
  for (const [waits, bytes] of [
    ['at a fault', ASK],
    ['at a fault, with bytes behind it', `${ASK}early`],
    ['behind a request', `GET /first HTTP/1.1\r\nHost: a\r\n\r\n${ASK}`],
  ] as const) {
    const hung = await httpInForce(hangRequests(), proxy)
    const caller = call(proxy.port, bytes)
    await vi.waitFor(() => expect(hung.held, waits).toBe(1), WAIT)
    caller.socket.end()
    await settled(proxy)
    await hung.rollback()
  }
  expect([proxy.counters.outcomes.abandoned, service.got, upgraded]).toEqual([4, [], []])
})

it('upgrades behind the answers to the requests before it', async () => {
  const { proxy, service } = await startShouting()
  const caller = call(proxy.port, `GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n${ASK}early `)
  await gets(caller, 'HI EARLY ')
  expect(caller.received().match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 101'])
  expect(service.got).toEqual(['GET /1', 'GET /2'])
  caller.socket.end()
  await settled(proxy)
  expect(proxy.counters.outcomes).toMatchObject({ answered: 2, tunnelled: 1 })
})
