import { once } from 'node:events'
import type { TLSSocket } from 'node:tls'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { connectTo, inForce, startUpstream, type Client } from '../../test/tcp.js'
import { connectTls, startTlsClient, startTlsUpstream, testAuthority } from '../../test/tls.js'
import { createProxy, delayData, resetConnections, type Proxy, type ProxyOptions } from '../index.js'
import { createAuthority } from './index.js'

async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const proxy = await createProxy(options)
  onTestFinished(() => proxy.close())
  return proxy
}

/** A plain client of a proxy, destroyed when the test ends. */
async function connectPlain({ port }: Proxy): Promise<Client> {
  const client = await connectTo(port)
  onTestFinished(() => void client.socket.destroy())
  return client
}

/** The name that a server was asked for. Its type lacks the property. */
const nameAsked = (socket: TLSSocket): unknown => Reflect.get(socket, 'servername')

const failedUpstreams = (proxy: Proxy, count: number): Promise<void> =>
  vi.waitFor(() => expect(proxy.counters).toMatchObject({ open: 0, tls: { failedUpstreams: count, failedClients: 0 } }))

describe('a proxy that speaks TLS to the server', () => {
  it('carries plain bytes of clients, each counted once', async () => {
    const { certificate: ca } = await testAuthority()
    const { address } = await startTlsUpstream()
    const proxy = await startProxy({ upstream: address, upstreamTls: { ca } })
    const client = await connectPlain(proxy)
    const sent = Buffer.alloc(2_000_000, 'plain bytes ')
    client.socket.end(sent)
    expect((await client.receives(sent.length)).equals(sent)).toBe(true)
    await client.closed
    expect(client.events).toEqual(['end', 'close'])
    await vi.waitFor(() => expect(proxy.counters.open).toBe(0))
    const whole = { bytesIn: sent.length, bytesOut: sent.length, bytesDropped: 0, bytesHeld: 0 }
    expect(proxy.counters).toMatchObject({ upstream: whole, downstream: whole })
  })

  it('carries what a server says first, an end in one direction, and a reset', async () => {
    const { certificate: ca } = await testAuthority()
    const { address, accepted } = await startTlsUpstream({}, (socket) => {
      socket.write('220 ready')
      socket.on('end', () => socket.end('late')).resume()
    })
    const proxy = await startProxy({ upstream: address, upstreamTls: { ca } })
    const first = await connectPlain(proxy)
    expect(String(await first.receives(9))).toBe('220 ready')
    first.socket.end('request')
    expect(String(await first.receives(13))).toBe('220 readylate')
    await first.closed
    const second = await connectPlain(proxy)
    await second.receives(9)
    await inForce(resetConnections({ stream: 'upstream' }), proxy)
    const error = once(accepted[1] as (typeof accepted)[number], 'error')
    second.socket.write('x')
    expect(await error).toMatchObject([{ code: 'ECONNRESET' }])
    await second.closed
    expect(second.events).toEqual(['ECONNRESET', 'close'])
  })

  it('asks for the host of `upstream`, or for another name, and offers protocols', async () => {
    const { certificate: ca, serverIdentity } = await testAuthority()
    const { address, accepted } = await startTlsUpstream({
      ALPNProtocols: ['h2'],
      ...serverIdentity(['localhost', 'db.test']),
    })
    const port = address.split(':')[1] ?? ''
    const named = await startProxy({ upstream: `localhost:${port}`, upstreamTls: { ca, alpnProtocols: ['h2'] } })
    const other = await startProxy({ upstream: address, upstreamTls: { ca, serverName: 'db.test' } })
    for (const proxy of [named, other]) {
      const client = await connectPlain(proxy)
      client.socket.write('x')
      await client.receives(1)
    }
    expect(accepted.map((socket) => [nameAsked(socket), socket.alpnProtocol])).toEqual([
      ['localhost', 'h2'],
      ['db.test', false],
    ])
  })

  it('presents a certificate to a server that asks for one', async () => {
    const { certificate: ca, clientIdentity } = await testAuthority()
    const { address, accepted } = await startTlsUpstream({ ca, requestCert: true })
    const proxy = await startProxy({ upstream: address, upstreamTls: { ca, ...clientIdentity('proxy') } })
    const client = await connectPlain(proxy)
    client.socket.write('x')
    await client.receives(1)
    expect(accepted[0]?.getPeerCertificate().subject.CN).toBe('proxy')
  })
})

describe('a server that is not to be trusted', () => {
  it('closes the client, and its bytes go nowhere', async () => {
    const { certificate: ca, serverIdentity } = await testAuthority()
    const { address } = await startTlsUpstream()
    const misnamed = await startTlsUpstream(serverIdentity('db.test'))
    const expired = await startTlsUpstream(
      serverIdentity('127.0.0.1', { validFrom: new Date(0), validUntil: new Date(1) }),
    )
    const cases = [
      [{ upstream: address, upstreamTls: {} }, /^upstream: unable to verify the first certificate/],
      [{ upstream: misnamed.address, upstreamTls: { ca } }, /^upstream: Hostname\/IP does not match/],
      [{ upstream: expired.address, upstreamTls: { ca } }, /^upstream: certificate has expired/],
    ] as const
    for (const [options, why] of cases) {
      const proxy = await startProxy(options)
      const client = await connectPlain(proxy)
      client.socket.write('secret')
      await client.closed
      expect(client.events).toEqual(['ECONNRESET', 'close'])
      await failedUpstreams(proxy, 1)
      expect(proxy.counters.tls?.lastFailure).toMatch(why)
      expect(proxy.counters.upstream).toEqual({ bytesIn: 6, bytesOut: 0, bytesDropped: 6, bytesHeld: 0 })
    }
    for (const { accepted } of [misnamed, expired]) for (const socket of accepted) expect(socket.bytesRead).toBe(0)
  })

  it('is taken if the proxy is told so', async () => {
    const { address } = await startTlsUpstream()
    const proxy = await startProxy({ upstream: address, upstreamTls: { rejectUnauthorized: false } })
    const client = await connectPlain(proxy)
    client.socket.write('x')
    await client.receives(1)
  })

  it('may speak no TLS, end at once, or say nothing for too long', async () => {
    const clock = manualClock()
    const { certificate: ca } = await testAuthority()
    const behaviours: readonly Parameters<typeof startUpstream>[0][] = [
      (socket) => void socket.write('220 ready\r\n'),
      (socket) => void socket.end(),
      (socket) => void socket.once('data', () => socket.resetAndDestroy()),
      (socket) => void socket.resume(),
    ]
    for (const behaviour of behaviours) {
      const upstream = await startUpstream(behaviour)
      onTestFinished(() => upstream.close())
      const proxy = await startProxy({ upstream: upstream.address, upstreamTls: { ca }, clock, connectTimeoutMs: 500 })
      const client = await connectPlain(proxy)
      if (behaviour === behaviours.at(-1)) {
        await vi.waitFor(() => expect(upstream.accepted[0]?.bytesRead).toBeGreaterThan(100))
        await clock.advance(500)
      }
      await vi.waitFor(() => expect(client.events[0]).toMatch(/end|ECONNRESET/))
      await failedUpstreams(proxy, 1)
    }
    expect(clock.pending).toBe(0)
  })
})

describe('a proxy that speaks TLS on both sides', () => {
  it('passes on the name and the protocol, as one connection would negotiate them', async () => {
    const authority = await testAuthority()
    const { address, accepted } = await startTlsUpstream({ ALPNProtocols: ['h2', 'http/1.1'] })
    const options = { upstream: address, tls: { authority }, upstreamTls: { ca: authority.certificate } }
    const proxy = await startProxy(options)
    const offers = [['http/1.1', 'h2'], ['http/1.1'], undefined]
    const chosen: unknown[] = []
    for (const offer of offers) {
      const client = await connectTls(proxy.port, offer === undefined ? {} : { ALPNProtocols: offer })
      client.write('x')
      await once(client, 'data')
      chosen.push(client.alpnProtocol)
    }
    expect(chosen).toEqual(['h2', 'http/1.1', false])
    expect(accepted.map((socket) => [socket.alpnProtocol, nameAsked(socket)])).toEqual(
      chosen.map((protocol) => [protocol, 'localhost']),
    )
  })

  it('fails at the client if the server refuses each protocol that it offers', async () => {
    const authority = await testAuthority()
    const { address } = await startTlsUpstream({ ALPNProtocols: ['h2'] })
    const proxy = await startProxy({
      upstream: address,
      tls: { authority },
      upstreamTls: { ca: authority.certificate },
    })
    const client = await startTlsClient(proxy.port, { ALPNProtocols: ['smtp'] })
    await expect(once(client, 'secureConnect')).rejects.toMatchObject({ code: 'ECONNRESET' })
    await failedUpstreams(proxy, 1)
    expect(proxy.counters.tls?.lastFailure).toContain('no application protocol')
  })

  it('wants certificates of clients, and has one of its own for the server', async () => {
    const authority = await testAuthority()
    const clients = await createAuthority({ name: 'Clients' })
    const { certificate: ca } = authority
    const { address, accepted } = await startTlsUpstream({ ca, requestCert: true })
    const proxy = await startProxy({
      upstream: address,
      tls: { authority, clientCa: [clients.certificate] },
      upstreamTls: { ca, ...authority.clientIdentity('proxy') },
    })
    const client = await connectTls(proxy.port, clients.clientIdentity('alice'))
    client.write('hello')
    expect(String(await once(client, 'data'))).toBe('hello')
    expect(accepted[0]?.getPeerCertificate().subject.CN).toBe('proxy')
  })

  it('carries much in both directions at once while faults come and go, and loses nothing', async () => {
    const authority = await testAuthority()
    const { address } = await startTlsUpstream()
    const proxy = await startProxy({
      upstream: address,
      tls: { authority },
      upstreamTls: { ca: authority.certificate },
    })
    const client = await connectTls(proxy.port)
    const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_none, n) => (n * 7 + (n >> 8)) & 255))
    const chunks: Buffer[] = []
    client.on('data', (bytes: Buffer) => chunks.push(bytes))
    for (let at = 0; at < sent.length; at += 100_000) {
      const fault = await inForce(delayData({ delayMs: 5, stream: 'both' }), proxy)
      client.write(sent.subarray(at, at + 100_000))
      await vi.waitFor(() => expect(chunks.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(at))
      await fault.rollback()
    }
    client.end()
    await once(client, 'close')
    expect(Buffer.concat(chunks).equals(sent)).toBe(true)
    await vi.waitFor(() => expect(proxy.counters.open).toBe(0))
    const whole = { bytesIn: sent.length, bytesOut: sent.length, bytesDropped: 0, bytesHeld: 0 }
    expect(proxy.counters).toMatchObject({ upstream: whole, downstream: whole })
  })
})
