import { once } from 'node:events'
import https from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { expect, it, onTestFinished, vi } from 'vitest'
import { codeOf, echo, httpInForce, raw, settled, startHttpScene } from '../../test/http.js'
import { testAuthority } from '../../test/tls.js'
import { abortRequests, answerRequests, createHttpProxy, cutBodies, type HttpProxy, type RequestInfo } from './index.js'

const WAIT = { timeout: 30_000, interval: 2 }

/** Starts a service of HTTPS. */
async function startSecureService(options: https.ServerOptions = {}) {
  const { serverIdentity } = await testAuthority()
  const server = https.createServer({ ...serverIdentity(['localhost', '127.0.0.1']), ...options }, echo)
  const sockets: TLSSocket[] = []
  server.on('secureConnection', (socket) => sockets.push(socket.on('error', () => undefined)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { server, sockets, origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** A proxy that speaks TLS on both sides. */
async function startSecureScene() {
  const authority = await testAuthority()
  const service = await startSecureService()
  const proxy = await createHttpProxy({
    upstream: service.origin,
    tls: { authority },
    upstreamTls: { ca: authority.certificate },
  })
  onTestFinished(() => proxy.close())
  return { ...service, proxy }
}

async function request(
  proxy: HttpProxy,
  options: https.RequestOptions & { readonly body?: string } = {},
): Promise<string> {
  const { certificate: ca } = await testAuthority()
  const { body, ...rest } = options
  const sent = https.request({ host: '127.0.0.1', port: proxy.port, ca, agent: false, method: 'POST', ...rest })
  sent.end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  return `${answer.statusCode} ${(await answer.toArray()).join('')}`
}

it('speaks TLS to clients and to the service, and shows the name that a client asks for', async () => {
  const { proxy } = await startSecureScene()
  expect(proxy.url).toBe(`https://127.0.0.1:${proxy.port}`)
  expect(await request(proxy, { body: 'hello' })).toBe('200 hello')
  const only = (args: ArrayLike<unknown>): boolean => (args[0] as RequestInfo).serverName === 'shop.test'
  const injection = await httpInForce(answerRequests(), proxy, { only })
  expect(await request(proxy, { servername: 'shop.test' })).toBe('503 Service Unavailable')
  expect(await request(proxy, { servername: 'other.test' })).toBe('200 ')
  expect(injection.affected).toBe(1)
  await settled(proxy)
  expect(proxy.counters).toMatchObject({ accepted: 3, invalid: 0, outcomes: { answered: 2, injected: 1 } })
})

it('speaks TLS to clients of a plain service, with a certificate given', async () => {
  const { serverIdentity } = await testAuthority()
  const { proxy } = await startHttpScene(echo, { tls: serverIdentity('127.0.0.1') })
  expect(await request(proxy, { body: 'plain' })).toBe('200 plain')
})

it('speaks TLS to the service for plain clients', async () => {
  const { certificate: ca } = await testAuthority()
  const { origin } = await startSecureService()
  const proxy = await createHttpProxy({ upstream: origin.replace('127.0.0.1', 'localhost'), upstreamTls: { ca } })
  onTestFinished(() => proxy.close())
  const answer = await fetch(proxy.url, { method: 'POST', body: 'hello' })
  expect(await answer.text()).toBe('hello')
})

it('resets and cuts connections beneath TLS', async () => {
  const { proxy } = await startSecureScene()
  const reset = await httpInForce(abortRequests(), proxy)
  expect(await request(proxy).catch((error: unknown) => error)).toMatchObject({ code: 'ECONNRESET', syscall: 'read' })
  await reset.rollback()
  await httpInForce(cutBodies({ afterBytes: 2, how: 'close' }), proxy)
  expect(await codeOf(request(proxy, { body: 'hello' }))).toBe('ECONNRESET')
  await settled(proxy)
  expect(proxy.counters).toMatchObject({ open: 0, outcomes: { cut: 2 } })
})

it('passes a reset of the service on', async () => {
  const { server, proxy } = await startSecureScene()
  const carriers: Socket[] = []
  server.on('connection', (socket: Socket) => carriers.push(socket))
  const agent = new https.Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  // What TLS itself sends behind a handshake has been read when the first answer has.
  expect(await request(proxy, { agent })).toBe('200 ')
  server.removeAllListeners('request').on('request', () => void carriers.at(-1)?.resetAndDestroy())
  const reset = request(proxy, { agent }).catch((error: unknown) => error)
  expect(await reset).toMatchObject({ code: 'ECONNRESET', syscall: 'read' })
  await settled(proxy)
  expect(proxy.counters.outcomes.failed).toBe(1)
})

it('does not trust a service whose certificate it cannot verify', async () => {
  const { origin } = await startSecureService()
  const { certificate: ca } = await testAuthority()
  for (const upstreamTls of [{}, { ca, serverName: 'other.test' }]) {
    const proxy = await createHttpProxy({ upstream: origin, upstreamTls })
    onTestFinished(() => proxy.close())
    const failed = await fetch(proxy.url).catch((error: unknown) => (error as Error).cause)
    expect(failed).toMatchObject({ code: 'ECONNRESET' })
    await settled(proxy)
    expect(proxy.counters.outcomes.failed).toBe(1)
  }
})

it('asks clients for a certificate, and presents one to the service', async () => {
  const authority = await testAuthority()
  const { certificate: ca } = authority
  const { origin } = await startSecureService({ ca, requestCert: true })
  const proxy = await createHttpProxy({
    upstream: origin,
    tls: { authority, clientCa: ca },
    upstreamTls: { ca, ...authority.clientIdentity('the proxy') },
  })
  onTestFinished(() => proxy.close())
  expect(await request(proxy, { body: 'hello', ...authority.clientIdentity('a client') })).toBe('200 hello')
  expect(await codeOf(request(proxy))).toMatch(/ECONNRESET|ERR_SSL/)
  await vi.waitFor(() => expect(proxy.counters).toMatchObject({ open: 0, requests: 1, invalid: 1 }), WAIT)
})

it('closes a client that speaks no TLS, and one that is silent for too long', async () => {
  const authority = await testAuthority()
  const { proxy } = await startHttpScene(echo, { tls: { authority }, connectTimeoutMs: 200 })
  expect(await raw(proxy.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).not.toContain('200')
  expect(await raw(proxy.port, '')).toBe('')
  await vi.waitFor(() => expect(proxy.counters).toMatchObject({ open: 0, requests: 0, invalid: 2 }), WAIT)
})

it('passes the bytes of an upgraded connection', async () => {
  const { server, proxy } = await startSecureScene()
  server.on('upgrade', (_request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    socket.write(head)
    socket.pipe(socket)
  })
  const { certificate: ca } = await testAuthority()
  const client = connectTls({ host: '127.0.0.1', port: proxy.port, ca })
  onTestFinished(() => void client.destroy())
  let received = ''
  client.on('data', (bytes) => (received += String(bytes))).on('error', () => undefined)
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello')
  await vi.waitFor(() => expect(received).toMatch(/^HTTP\/1\.1 101 [^]*\r\n\r\nhello$/), WAIT)
  client.destroy()
  await settled(proxy)
  expect(proxy.counters).toMatchObject({ open: 0, outcomes: { tunnelled: 1 } })
})

it.each([
  [{ upstream: 'http://127.0.0.1:1', upstreamTls: {} }, 'Expected `upstream` to begin with `https:`'],
  [{ tls: {} }, 'Expected the option `tls` of createHttpProxy to have either `authority`, or `cert` and `key`.'],
  [{ tls: { cert: 'x', key: 'y' } }, 'Expected the certificates and the key of `tls` to be in PEM'],
  [{ tls: { cert: 'x', key: 'y', alpnProtocols: ['h2'] } }, 'to have no `alpnProtocols`'],
  [{ upstreamTls: { ca: 1 } }, 'the option `upstreamTls` of createHttpProxy'],
])('refuses %j', async (options, message) => {
  await expect(createHttpProxy({ upstream: 'https://127.0.0.1:1', ...options } as never)).rejects.toThrow(message)
})
