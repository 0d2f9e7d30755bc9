import { createSocket } from 'node:dgram'
import dns from 'node:dns'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { createChaos, inject, isChaosError } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { infoOf, inForceOn, isBalancedUdp, openClient, openEndpoint, startUdpScene, until } from '../../test/udp.js'
import { tcpFaults, udpFaults } from '../faults.js'
import { createProxy, delayData } from '../index.js'
import { corruptDatagrams, createUdpProxy, delayDatagrams, loseDatagrams, type UdpProxy } from './index.js'

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

/** A port of the loopback interface where nothing listens. */
async function freePort(): Promise<number> {
  const endpoint = await openEndpoint()
  await endpoint.close()
  return endpoint.port
}

/** A proxy that is closed when the test ends. */
async function proxyTo(upstream: string, options: Partial<Parameters<typeof createUdpProxy>[0]> = {}) {
  const proxy = await createUdpProxy({ upstream, ...options })
  onTestFinished(() => proxy.close())
  return proxy
}

/** A client that is closed when the test ends. */
async function clientOf(proxy: UdpProxy) {
  const client = await openClient(proxy)
  onTestFinished(client.close)
  return client
}

describe('a UDP proxy', () => {
  it('carries datagrams both ways, and each answer to its own client', async () => {
    const { proxy, client, connect } = await startUdpScene()
    const other = await connect()
    await client.send('a', 'b', '')
    await other.send('c')
    expect([await client.receives(3), await other.receives(1)]).toEqual([['a', 'b', ''], ['c']])
    const { upstream, downstream, opened, open } = proxy.counters
    expect([opened, open]).toEqual([2, 2])
    for (const account of [upstream, downstream])
      expect(account).toMatchObject({ datagramsIn: 4, datagramsOut: 4, datagramsDropped: 0, datagramsHeld: 0 })
    expect(proxy.sessions()).toMatchObject([
      { ordinal: 1, client: `127.0.0.1:${client.port}`, status: 'open', upstream: { datagramsOut: 3 } },
      { ordinal: 2, client: `127.0.0.1:${other.port}`, downstream: { datagramsIn: 1 } },
    ])
  })

  it('takes the longest datagram', async () => {
    const { client } = await startUdpScene()
    const longest = 'x'.repeat(65_507)
    await client.send(longest)
    expect(await client.receives(1)).toEqual([longest])
  })

  it('listens on the loopback interface, at a free port', async () => {
    const { proxy } = await startUdpScene()
    expect(proxy.listen).toBe(`127.0.0.1:${proxy.port}`)
    expect(proxy.port).toBeGreaterThan(0)
  })

  it.runIf(hasIpv6)('carries from IPv6 to IPv4, and counts what is too long for it', async () => {
    const { proxy, client, server } = await startUdpScene({ listen: '[::1]:0' })
    expect(proxy.listen).toBe(`[::1]:${proxy.port}`)
    // IPv6 carries 20 bytes more.
    await client.send('x'.repeat(65_520), 'fits')
    expect(await client.receives(1)).toEqual(['fits'])
    expect(server.received).toEqual(['fits'])
    expect(proxy.counters).toMatchObject({
      upstream: { datagramsIn: 2, datagramsOut: 1, datagramsDropped: 1, datagramsHeld: 0 },
      dropped: { unsent: 1 },
    })
    expect(proxy.sessions()[0]?.client).toBe(`[::1]:${client.port}`)
  })

  it('looks the server up for each session, and drops what has no address to go to', async () => {
    const server = await openEndpoint('127.0.0.1', (bytes, reply) => reply(bytes))
    onTestFinished(server.close)
    const proxy = await proxyTo(`server.test:${server.port}`)
    const client = await clientOf(proxy)
    const answers: ((...answer: unknown[]) => void)[] = []
    vi.spyOn(dns, 'lookup').mockImplementation(((_host: string, _options: object, found: () => void) =>
      answers.push(found)) as never)
    await client.send('lost', 'lost too')
    await until(() => expect(proxy.counters.upstream.datagramsHeld).toBe(2))
    expect(proxy.sessions()).toMatchObject([{ ordinal: 1, status: 'opening' }])
    answers[0]?.(new Error('getaddrinfo ENOTFOUND server.test'))
    await until(() => expect(proxy.counters.dropped.unsent).toBe(2))
    expect(proxy.counters).toMatchObject({ open: 0, upstream: { datagramsHeld: 0, datagramsDropped: 2 } })

    await client.send('waits')
    await until(() => expect(answers).toHaveLength(2))
    answers[1]?.(null, [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ])
    expect(await client.receives(1)).toEqual(['waits'])
  })

  it('counts refusals of a port where no server listens, and gets through as soon as one does', async () => {
    const port = await freePort()
    const proxy = await proxyTo(`127.0.0.1:${port}`)
    const client = await clientOf(proxy)
    for (let sent = 1; sent <= 3; sent += 1) {
      await client.send('refused')
      await until(() => expect(proxy.counters.upstream).toMatchObject({ datagramsIn: sent, datagramsHeld: 0 }))
    }
    await until(() => expect(proxy.counters.refused).toBeGreaterThan(0))
    const server = createSocket('udp4').bind(port, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const arrived = once(server, 'message')
    await client.send('arrives')
    expect(String((await arrived)[0])).toBe('arrives')
    expect(proxy.counters).toMatchObject({ open: 1, opened: 1, upstream: { datagramsIn: 4, datagramsHeld: 0 } })
  })

  it('turns datagrams of new clients away beyond its limit', async () => {
    const { proxy, client, connect } = await startUdpScene({ maxSessions: 1 })
    await client.send('in')
    await client.receives(1)
    const late = await connect()
    await late.send('out')
    await until(() => expect(proxy.counters.dropped.turnedAway).toBe(1))
    await client.send('still in')
    expect(await client.receives(2)).toEqual(['in', 'still in'])
    expect(late.received).toEqual([])
    expect(proxy.counters).toMatchObject({
      open: 1,
      upstream: { datagramsIn: 3, datagramsOut: 2, datagramsDropped: 1, datagramsHeld: 0 },
    })
  })

  it('closes a session that is idle, and opens another one for the next datagram', async () => {
    const clock = manualClock()
    const { proxy, client } = await startUdpScene({ clock, idleMs: 1_000 })
    await client.send('a')
    await client.receives(1)
    await clock.advance(900)
    await client.send('b')
    await client.receives(2)
    await clock.advance(999)
    expect(proxy.counters).toMatchObject({ open: 1, expired: 0 })
    await clock.advance(1)
    expect(proxy.counters).toMatchObject({ open: 0, expired: 1 })
    expect(clock.pending).toBe(0)
    await client.send('c')
    expect(await client.receives(3)).toEqual(['a', 'b', 'c'])
    expect(proxy.sessions()).toMatchObject([{ ordinal: 2 }])
  })

  it('keeps a session while it holds datagrams', async () => {
    const clock = manualClock()
    const { proxy, client, sends } = await startUdpScene({ clock, idleMs: 1_000 })
    await inForceOn(delayDatagrams({ delayMs: 5_000, stream: 'upstream' }), proxy, { clock, leaseMs: 100_000 })
    await sends('late')
    await clock.advance(4_999)
    expect(proxy.counters).toMatchObject({ open: 1, expired: 0 })
    await clock.advance(1)
    expect(await client.receives(1)).toEqual(['late'])
    await clock.advance(2_000)
    expect(proxy.counters).toMatchObject({ open: 0, expired: 1 })
  })

  it.each([
    ['datagrams', { maxHeldDatagrams: 3 }, ['1', '2', '3', '4', '5'], ['1', '2', '3']],
    ['bytes', { maxHeldBytes: 65_536 }, ['a'.repeat(60_000), 'b'.repeat(6_000), 'c'], ['a'.repeat(60_000), 'c']],
  ])('drops what it has no room to hold, in %s', async (_what, limits, sent, kept) => {
    const { proxy, server, sends } = await startUdpScene(limits)
    const injection = await inForceOn(delayDatagrams({ delayMs: 50_000, stream: 'upstream' }), proxy)
    await sends(...sent)
    const dropped = sent.length - kept.length
    expect(proxy.counters).toMatchObject({
      upstream: { datagramsIn: sent.length, datagramsDropped: dropped, datagramsHeld: kept.length },
      dropped: { queueFull: dropped },
    })
    expect(injection.account).toMatchObject({ datagramsDropped: dropped, datagramsHeld: kept.length })
    await injection.rollback()
    expect(await server.receives(kept.length)).toEqual(kept)
    // The room is free again.
    const next = await inForceOn(delayDatagrams({ delayMs: 50_000, stream: 'upstream' }), proxy)
    await sends(...kept)
    expect(next.account).toMatchObject({ datagramsDropped: 0, datagramsHeld: kept.length })
  })

  it('drops what it holds when it is closed, and says so', async () => {
    const { proxy, sends } = await startUdpScene()
    const injection = await inForceOn(delayDatagrams({ delayMs: 50_000 }), proxy)
    await sends('a', 'b')
    await proxy.close()
    const account = { datagramsIn: 2, datagramsDuplicated: 0, datagramsOut: 0, datagramsDropped: 2, datagramsHeld: 0 }
    expect(proxy.counters).toMatchObject({ open: 0, upstream: account, dropped: { closed: 2 } })
    expect(injection.account).toEqual(account)
    await injection.rollback()
    await expect(inject(loseDatagrams(), proxy)).rejects.toSatisfy((error) => isChaosError(error, 'CHAOS_PROXY_CLOSED'))
    await expect(proxy.enable()).rejects.toSatisfy((error) => isChaosError(error, 'CHAOS_PROXY_CLOSED'))
    await proxy.close()
  })

  it('lets the system refuse datagrams while it is disabled, and keeps its port and faults', async () => {
    const { proxy, client } = await startUdpScene()
    const injection = await inForceOn(loseDatagrams(), proxy, { rate: 0 })
    const { port } = proxy
    await client.send('a')
    await client.receives(1)
    await proxy.disable()
    expect([proxy.enabled, proxy.counters.open]).toEqual([false, 0])
    const connected = createSocket('udp4')
    onTestFinished(() => void connected.close())
    connected.connect(port, '127.0.0.1')
    await once(connected, 'connect')
    const refused = once(connected, 'error')
    connected.send('b')
    expect((await refused)[0]).toMatchObject({ code: 'ECONNREFUSED' })
    await proxy.enable()
    await proxy.enable()
    expect([proxy.enabled, proxy.port]).toEqual([true, port])
    await client.send('c')
    expect(await client.receives(2)).toEqual(['a', 'c'])
    expect([injection.seen, injection.status]).toEqual([4, 'active'])
  })

  it('says that its port is taken', async () => {
    const { proxy } = await startUdpScene()
    await expect(createUdpProxy({ upstream: '127.0.0.1:9', listen: proxy.listen })).rejects.toThrow(
      /^Cannot listen on 127\.0\.0\.1:\d+: bind EADDRINUSE.* Free the address, or pass another `listen`/,
    )
    await expect(createUdpProxy({ upstream: '127.0.0.1:9', listen: '192.0.2.1:0' })).rejects.toSatisfy((error) =>
      isChaosError(error, 'CHAOS_LISTEN_FAILED'),
    )
  })

  it.each([
    [{ upstream: 'nowhere' }, /`upstream` to be a host and a port from 1/],
    [{ upstream: '127.0.0.1:53', maxSessions: 0 }, /`maxSessions`.* whole number from 1 to 65535/],
    [{ upstream: '127.0.0.1:53', idleMs: -1 }, /`idleMs`/],
    [{ upstream: '127.0.0.1:53', connectTimeoutMs: 1 }, /Unknown option "connectTimeoutMs"/],
  ])('refuses %o', async (options, message) => {
    await expect(createUdpProxy(options)).rejects.toThrow(message)
  })
})

describe('the listener', () => {
  it('moves to another port and another server, with its faults, and closes its sessions', async () => {
    const { proxy, client } = await startUdpScene()
    const other = await openEndpoint('127.0.0.1', (_bytes, reply) => reply(Buffer.from('other')))
    onTestFinished(other.close)
    const injection = await inForceOn(delayDatagrams({ delayMs: 100_000, stream: 'upstream' }), proxy, { limit: 1 })
    await client.send('held')
    await until(() => expect(injection.held).toBe(1))
    const { port } = proxy
    await proxy.move({ listen: proxy.listen, upstream: proxy.upstream })
    expect(proxy.counters.open).toBe(1)
    await proxy.move({ listen: '127.0.0.1:0', upstream: `127.0.0.1:${other.port}` })
    expect([proxy.port === port, proxy.counters.open, proxy.counters.dropped.closed]).toEqual([false, 0, 1])
    const next = await openClient(proxy)
    onTestFinished(next.close)
    await next.send('x')
    expect(await next.receives(1)).toEqual(['other'])
  })

  it('stays as it is if it cannot move', async () => {
    const { proxy, client } = await startUdpScene()
    const { proxy: other } = await startUdpScene()
    const { listen, upstream } = proxy
    await expect(proxy.move({ listen: other.listen, upstream: '127.0.0.1:1' })).rejects.toMatchObject({
      code: 'CHAOS_LISTEN_FAILED',
    })
    expect(() => proxy.move({ upstream: 'nowhere' })).toThrow('Expected `upstream`')
    expect([proxy.listen, proxy.upstream]).toEqual([listen, upstream])
    await client.send('x')
    expect(await client.receives(1)).toEqual(['x'])
  })

  it('may begin disabled', async () => {
    const proxy = await createUdpProxy({ upstream: '127.0.0.1:9', enabled: false })
    onTestFinished(() => proxy.close())
    expect([proxy.enabled, proxy.listen]).toEqual([false, '127.0.0.1:0'])
    await proxy.enable()
    expect(proxy.port).toBeGreaterThan(0)
  })
})

describe('faults on datagrams', () => {
  it('work by name from a controller, and name the datagrams of each client that they hit', async () => {
    const { proxy, client, connect } = await startUdpScene()
    const chaos = createChaos({ environment: 'test', seed: 1 })
    onTestFinished(() => chaos.close().then(() => undefined))
    chaos.target('dns', proxy, udpFaults)
    const injection = await chaos.controller.inject('dns', 'lose-datagrams', { stream: 'downstream' }, { skip: 1 })
    await client.send('a', 'b')
    const other = await connect()
    await other.send('c')
    await until(() => expect(proxy.counters.dropped.byFault).toBe(2))
    expect(await client.receives(1)).toEqual(['a'])
    expect(proxy.sessions().map(({ hits }) => hits)).toEqual([
      [{ id: injection.id, fault: 'proxy/lose-datagrams', datagrams: 1 }],
      [{ id: injection.id, fault: 'proxy/lose-datagrams', datagrams: 1 }],
    ])
    await chaos.stopAll()
    await client.send('d')
    expect(await client.receives(2)).toEqual(['a', 'd'])
  })

  it('are remembered by each session when they have ended', async () => {
    const { proxy, client, server } = await startUdpScene()
    const lost = await inForceOn(loseDatagrams({ stream: 'upstream' }), proxy, { id: 'lost' })
    const idle = await inForceOn(delayDatagrams({ delayMs: 1 }), proxy, { id: 'idle', rate: 0 })
    await client.send('a', 'b')
    await until(() => expect(proxy.counters.dropped.byFault).toBe(2))
    await lost.rollback()
    await idle.rollback()
    await inForceOn(corruptDatagrams({ bits: 1, stream: 'upstream' }), proxy, { id: 'corrupted' })
    await client.send('c')
    await server.receives(1)
    expect(proxy.sessions().map(({ hits }) => hits)).toEqual([
      [
        { id: 'lost', fault: 'proxy/lose-datagrams', datagrams: 2 },
        { id: 'corrupted', fault: 'proxy/corrupt-datagrams', datagrams: 1 },
      ],
    ])
  })

  it('refuse TCP proxies, as faults on bytes refuse UDP proxies', async () => {
    const { proxy } = await startUdpScene()
    const tcp = await createProxy({ upstream: '127.0.0.1:9' })
    onTestFinished(() => tcp.close())
    await expect(inject(delayData({ delayMs: 1 }) as never, proxy)).rejects.toThrow(
      'Expected the target of proxy/delay-data to be a TCP proxy, made by `createProxy`, got a UDP proxy, made by `createUdpProxy`.',
    )
    await expect(inject(loseDatagrams() as never, tcp)).rejects.toThrow(
      'Expected the target of proxy/lose-datagrams to be a UDP proxy, made by `createUdpProxy`, got a TCP proxy, made by `createProxy`.',
    )
    const chaos = createChaos({ environment: 'test' })
    onTestFinished(() => chaos.close().then(() => undefined))
    expect(() => chaos.target('dns', proxy, tcpFaults as never)).toThrow(
      'to be a TCP proxy, made by `createProxy`, got a UDP proxy, made by `createUdpProxy`.',
    )
    expect(() => chaos.target('dns', {} as never, tcpFaults)).toThrow('made by `createProxy`, got an object.')
  })

  it('are chosen by client, direction and bytes', async () => {
    const { proxy, client, connect } = await startUdpScene()
    const other = await connect()
    const infos: unknown[] = []
    await inForceOn(loseDatagrams(), proxy, {
      only(args) {
        const { payload, ...info } = infoOf(args)
        infos.push(info)
        return String(payload) === 'b' && info.stream === 'upstream'
      },
    })
    const elsewhere = await inForceOn(loseDatagrams(), proxy, { only: '10.*' })
    await client.send('a', 'b', 'c')
    expect(await client.receives(2)).toEqual(['a', 'c'])
    await other.send('d')
    await other.receives(1)
    expect(infos).toContainEqual({
      ordinal: 2,
      clientAddress: '127.0.0.1',
      clientPort: other.port,
      stream: 'downstream',
    })
    expect([proxy.counters.dropped.byFault, elsewhere.seen]).toEqual([1, 0])
    expect(isBalancedUdp(proxy.counters.upstream)).toBe(true)
  })

  it('form a chain in the order in which they came, and what one holds goes on to those behind it', async () => {
    const { proxy, server, sends } = await startUdpScene()
    const first = await inForceOn(delayDatagrams({ delayMs: 50_000, stream: 'upstream' }), proxy)
    const second = await inForceOn(loseDatagrams({ stream: 'upstream' }), proxy, { every: 2 })
    await sends('a', 'b', 'c')
    expect([first.account['datagramsHeld'], second.seen]).toEqual([3, 0])
    await first.rollback()
    expect(await server.receives(1)).toEqual(['b'])
    expect(second.account).toMatchObject({ datagramsIn: 3, datagramsOut: 1, datagramsDropped: 2 })
  })
})
