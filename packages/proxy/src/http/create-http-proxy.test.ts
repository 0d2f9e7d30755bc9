import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { inject } from '@chaos/core'
import { expect, it, onTestFinished, vi } from 'vitest'
import { codeOf, httpInForce, raw, request, settled, startHttpScene } from '../../test/http.js'
import { startUpstream } from '../../test/tcp.js'
import { delayData } from '../index.js'
import { createProxy } from '../index.js'
import { answerRequests, createHttpProxy, hangRequests, type HttpProxyTarget } from './index.js'

const WAIT = { timeout: 30_000, interval: 2 }

it.each([
  ['upstream', '127.0.0.1:3000', 'Expected `upstream` to be an origin'],
  ['upstream', 'https://127.0.0.1:3000/path', 'Expected `upstream` to be an origin'],
  ['upstream', 'http://user@127.0.0.1', 'Expected `upstream` to be an origin'],
  ['listen', '127.0.0.1', 'Expected `listen` to be a host and a port'],
  ['hostHeader', 'both', 'Expected `hostHeader` of createHttpProxy to be one of'],
  ['maxHeaderBytes', 1, 'Expected `maxHeaderBytes` of createHttpProxy to be a whole number from 1024'],
  ['upsteam', 'x', 'Unknown option "upsteam" of createHttpProxy. Did you mean "upstream"?'],
])('refuses %s: %j', async (name, value, message) => {
  const options = { upstream: 'http://127.0.0.1:1', [name]: value }
  await expect(createHttpProxy(options as never)).rejects.toThrow(message)
})

it('says that its address is taken', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void taken.close())
  await once(taken, 'listening')
  const listen = `127.0.0.1:${(taken.address() as AddressInfo).port}`
  await expect(createHttpProxy({ upstream: 'http://127.0.0.1:1', listen })).rejects.toMatchObject({
    code: 'CHAOS_LISTEN_FAILED',
  })
})

it('describes itself, with the default port of the scheme', async () => {
  const proxy = await createHttpProxy({ upstream: 'http://localhost', enabled: false })
  expect(proxy).toMatchObject({ name: 'http://localhost', upstream: 'http://localhost', enabled: false, port: 0 })
  await proxy.enable()
  expect(proxy.url).toBe(`http://127.0.0.1:${proxy.port}`)
  await proxy.close()
  await expect(proxy.enable()).rejects.toMatchObject({ code: 'CHAOS_PROXY_CLOSED' })
  await expect(inject(answerRequests(), proxy)).rejects.toMatchObject({ code: 'CHAOS_PROXY_CLOSED' })
})

it('refuses clients while it is disabled, and listens at the same port again', async () => {
  const { proxy } = await startHttpScene()
  const { port } = proxy
  const injection = await httpInForce(hangRequests(), proxy)
  const held = codeOf(request(port))
  await vi.waitFor(() => expect(injection.held).toBe(1), WAIT)
  await proxy.disable()
  expect(await held).toBe('ECONNRESET')
  expect([proxy.counters.open, proxy.counters.live, proxy.enabled]).toEqual([0, 0, false])
  expect(await codeOf(request(port))).toBe('ECONNREFUSED')
  await injection.rollback()
  await proxy.enable()
  expect((await request(port)).statusCode).toBe(200)
  expect(proxy.counters.outcomes).toMatchObject({ abandoned: 1, answered: 1 })
})

it('moves to another port and another service, and closes live connections', async () => {
  const { proxy } = await startHttpScene()
  const other = await startHttpScene((_request, response) => void response.end('other'))
  const { port } = proxy
  const injection = await httpInForce(hangRequests(), proxy, { limit: 1 })
  const held = codeOf(request(port))
  await vi.waitFor(() => expect(injection.held).toBe(1), WAIT)
  await proxy.move({ listen: proxy.listen, upstream: proxy.upstream })
  expect(injection.held).toBe(1)
  await proxy.move({ listen: '127.0.0.1:0', upstream: other.service.origin })
  expect(await held).toBe('ECONNRESET')
  expect([proxy.port === port, proxy.upstream, proxy.counters.open]).toEqual([false, other.service.origin, 0])
  expect(await codeOf(request(port))).toBe('ECONNREFUSED')
  expect(String((await request(proxy.port)).body)).toBe('other')
})

it('stays as it is if it cannot move', async () => {
  const { proxy, service } = await startHttpScene()
  const { proxy: other } = await startHttpScene()
  const { listen } = proxy
  await expect(proxy.move({ listen: other.listen, upstream: other.url })).rejects.toMatchObject({
    code: 'CHAOS_LISTEN_FAILED',
  })
  expect(() => proxy.move({ upstream: '127.0.0.1:3000' })).toThrow('Expected `upstream` to be an origin')
  expect(() => proxy.move({ listen: 'nowhere' })).toThrow('Expected `listen` to be a host and a port')
  expect([proxy.listen, proxy.upstream, proxy.enabled]).toEqual([listen, service.origin, true])
  expect((await request(proxy.port)).statusCode).toBe(200)
  await proxy.close()
  await expect(proxy.move({ listen: '127.0.0.1:0' })).rejects.toMatchObject({ code: 'CHAOS_PROXY_CLOSED' })
})

it('turns connections away beyond its limit', async () => {
  const { proxy } = await startHttpScene(undefined, { maxConnections: 1 })
  const injection = await httpInForce(hangRequests(), proxy)
  const held = request(proxy.port)
  await vi.waitFor(() => expect(injection.held).toBe(1), WAIT)
  expect(await raw(proxy.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toBe('')
  expect(proxy.counters).toMatchObject({ open: 1, accepted: 1, turnedAway: 1 })
  await injection.rollback()
  await held
})

it('gives an upstream up that does not accept in time', async () => {
  const waits: number[] = []
  // The time is up before the system can have connected.
  const after = (ms: number, run: () => void): (() => void) => {
    waits.push(ms)
    queueMicrotask(run)
    return () => undefined
  }
  const { service, proxy } = await startHttpScene(undefined, { clock: { now: () => 0, after }, connectTimeoutMs: 7 })
  expect(await codeOf(request(proxy.port))).toBe('ECONNRESET')
  await settled(proxy)
  expect([waits, service.got, proxy.counters.outcomes.failed]).toEqual([[7], [], 1])
})

it('is no target of the faults on connections, nor is a TCP proxy one of those on requests', async () => {
  const { proxy } = await startHttpScene()
  const upstream = await startUpstream()
  const tcp = await createProxy({ upstream: upstream.address })
  onTestFinished(async () => {
    await tcp.close()
    await upstream.close()
  })
  await expect(inject(delayData({ delayMs: 1 }), proxy as never)).rejects.toThrow(
    /got an HTTP proxy, made by `createHttpProxy`/,
  )
  await expect(inject(answerRequests(), tcp as never as HttpProxyTarget)).rejects.toThrow(
    /got a TCP proxy, made by `createProxy`/,
  )
  // @ts-expect-error A fault on requests is for HTTP proxies.
  expect(() => inject(answerRequests(), tcp)).toBeTypeOf('function')
  // @ts-expect-error A fault on connections is for TCP proxies.
  expect(() => inject(delayData({ delayMs: 1 }), proxy)).toBeTypeOf('function')
})
