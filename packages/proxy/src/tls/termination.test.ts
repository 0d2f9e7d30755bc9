import { spawn } from 'node:child_process'
import { once } from 'node:events'
import https from 'node:https'
import { connect as connectTcp } from 'node:net'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { inForce, isBalanced, startScene, startUpstream, type Scene } from '../../test/tcp.js'
import { clientHello, connectTls, startTlsClient, testAuthority } from '../../test/tls.js'
import { createProxy, delayData, limitData, resetConnections, type Proxy, type ProxyOptions } from '../index.js'
import { createAuthority } from './index.js'

/** A plain server behind a proxy that speaks TLS to clients. */
async function startTerminated(
  { tls, ...options }: Partial<ProxyOptions> = {},
  onConnection?: Parameters<typeof startScene>[1],
): Promise<Scene> {
  const authority = await testAuthority()
  return startScene({ tls: { authority, ...tls }, ...options }, onConnection)
}

const settled = (proxy: Proxy): Promise<void> => vi.waitFor(() => expect(proxy.counters.open).toBe(0))

describe('a proxy that speaks TLS to clients', () => {
  it('has a certificate for each server name, and for its own address', async () => {
    const { proxy } = await startTerminated()
    for (const servername of ['localhost', 'db.test', 'localhost']) {
      const client = await connectTls(proxy.port, { servername })
      expect(client.getPeerCertificate().subjectaltname).toBe(`DNS:${servername}`)
      client.write(servername)
      expect(String(await once(client, 'data'))).toBe(servername)
      expect(proxy.connections().at(-1)).toMatchObject({ serverName: servername, status: 'open' })
    }
    const unnamed = await connectTls(proxy.port, { servername: '' })
    expect(unnamed.getPeerCertificate().subjectaltname).toBe('IP Address:127.0.0.1, DNS:localhost')
  })

  it('is refused by a client that does not trust its authority, or wants another name', async () => {
    const { proxy } = await startTerminated()
    const stranger = await startTlsClient(proxy.port, { ca: [] })
    await expect(once(stranger, 'secureConnect')).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
    const { serverIdentity } = await testAuthority()
    const fixed = await startScene({ tls: serverIdentity('db.test') })
    const misled = await startTlsClient(fixed.proxy.port, { servername: 'localhost' })
    await expect(once(misled, 'secureConnect')).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    for (const each of [proxy, fixed.proxy]) await settled(each)
  })

  it('shows an expired certificate if it is given one', async () => {
    const { serverIdentity } = await testAuthority()
    const { proxy } = await startScene({
      tls: serverIdentity('localhost', { validUntil: new Date(0), validFrom: new Date(0) }),
    })
    const client = await startTlsClient(proxy.port)
    await expect(once(client, 'secureConnect')).rejects.toMatchObject({ code: 'CERT_HAS_EXPIRED' })
  })

  it('counts the plain bytes, and has faults act on them', async () => {
    const { proxy } = await startTerminated()
    const client = await connectTls(proxy.port)
    const sent = Buffer.alloc(2_000_000, 'plain bytes ')
    const clock = manualClock()
    const injection = await inForce(delayData({ delayMs: 100 }), proxy, { clock })
    const chunks: Buffer[] = []
    client.on('data', (bytes: Buffer) => chunks.push(bytes))
    client.end(sent)
    await vi.waitFor(() => expect(proxy.counters.downstream.bytesHeld).toBe(sent.length))
    expect(chunks).toEqual([])
    const closed = once(client, 'close')
    await clock.advance(100)
    await closed
    expect(Buffer.concat(chunks).equals(sent)).toBe(true)
    await settled(proxy)
    const whole = { bytesIn: sent.length, bytesOut: sent.length, bytesDropped: 0, bytesHeld: 0 }
    expect(proxy.counters).toMatchObject({ upstream: whole, downstream: whole })
    expect(injection.affected).toBe(1)
  })

  it('carries an end in one direction, while the other goes on', async () => {
    const { proxy } = await startTerminated({}, (socket) => {
      socket.on('end', () => socket.write('late', () => socket.end())).resume()
    })
    const client = await connectTls(proxy.port)
    client.allowHalfOpen = true
    client.end('request')
    expect(String(await once(client, 'data'))).toBe('late')
    await once(client, 'close')
    await settled(proxy)
  })

  it('closes and resets as faults ask for, with and without the end of TLS', async () => {
    const { proxy } = await startTerminated({}, (socket) => void socket.on('data', () => socket.write('0123456789')))
    const closed = await connectTls(proxy.port)
    const limit = await inForce(limitData({ bytes: 4 }), proxy)
    closed.write('x')
    expect(String(await once(closed, 'data'))).toBe('0123')
    await once(closed, 'end')
    await limit.rollback()
    const reset = await connectTls(proxy.port)
    await inForce(resetConnections(), proxy)
    reset.write('x')
    await expect(once(reset, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' })
    await settled(proxy)
    for (const stream of ['upstream', 'downstream'] as const) expect(isBalanced(proxy.counters[stream])).toBe(true)
  })

  it('carries resets of either side', async () => {
    const errors: unknown[] = []
    const { proxy, upstream } = await startTerminated({}, (socket) => {
      socket.on('error', ({ code }: NodeJS.ErrnoException) => errors.push(code)).resume()
    })
    const first = await connectTls(proxy.port)
    first.write('x')
    await vi.waitFor(() => expect(upstream.accepted).toHaveLength(1))
    upstream.accepted[0]?.resetAndDestroy()
    await expect(once(first, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' })
    const { certificate } = await testAuthority()
    const raw = connectTcp(proxy.port, '127.0.0.1')
    await once(raw, 'connect')
    const second = await startTlsClient(proxy.port, { socket: raw, ca: certificate })
    await once(second, 'secureConnect')
    await vi.waitFor(() => expect(proxy.connections()).toMatchObject([{ status: 'open' }]))
    raw.resetAndDestroy()
    await vi.waitFor(() => expect(errors).toEqual(['ECONNRESET']))
    await settled(proxy)
    expect(proxy.counters.tls).toMatchObject({ failedClients: 0, failedUpstreams: 0 })
  })

  it('negotiates the protocols that it is given for a plain server, and none without them', async () => {
    const { proxy } = await startTerminated({ tls: { alpnProtocols: ['h2', 'http/1.1'] } })
    const h1 = await connectTls(proxy.port, { ALPNProtocols: ['http/1.1', 'foo'] })
    expect(h1.alpnProtocol).toBe('http/1.1')
    const other = await startTerminated()
    const none = await connectTls(other.proxy.port, { ALPNProtocols: ['h2'] })
    expect(none.alpnProtocol).toBe(false)
  })

  it('resumes sessions', async () => {
    const { proxy } = await startTerminated()
    const first = await startTlsClient(proxy.port, { maxVersion: 'TLSv1.2' })
    const [session] = (await once(first, 'session')) as [Buffer]
    const second = await connectTls(proxy.port, { maxVersion: 'TLSv1.2', session })
    expect(second.isSessionReused()).toBe(true)
  })

  it('serves HTTPS', async () => {
    const { proxy } = await startTerminated(
      {},
      (socket) => void socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')),
    )
    const { certificate: ca } = await testAuthority()
    const request = https.get({ host: 'localhost', port: proxy.port, ca, family: 4 })
    const [response] = (await once(request, 'response')) as [AsyncIterable<Buffer>]
    const body: Buffer[] = []
    for await (const bytes of response) body.push(bytes)
    expect(String(Buffer.concat(body))).toBe('ok')
  })
})

describe('certificates of clients', () => {
  it('are asked for and verified', async () => {
    const { certificate: clientCa, clientIdentity } = await testAuthority()
    const { proxy } = await startTerminated({ tls: { clientCa } })
    const alice = await connectTls(proxy.port, clientIdentity('alice'))
    alice.write('hello')
    expect(String(await once(alice, 'data'))).toBe('hello')
    expect(proxy.counters.tls).toEqual({ failedClients: 0, failedUpstreams: 0, lastFailure: undefined })
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('are refused if there is none or a wrong one, in %s', async (version) => {
    const { certificate: clientCa, clientIdentity, serverIdentity } = await testAuthority()
    const { proxy } = await startTerminated({ tls: { clientCa } })
    const stranger = await createAuthority()
    const wrong = [
      {},
      stranger.clientIdentity('mallory'),
      clientIdentity('late', { validFrom: new Date(0), validUntil: new Date(1) }),
    ]
    for (const [n, identity] of [...wrong, serverIdentity('localhost')].entries()) {
      const client = await startTlsClient(proxy.port, { ...identity, minVersion: version, maxVersion: version })
      const received = vi.fn()
      client
        .on('data', received)
        .on('error', () => undefined)
        .write('hello')
      await once(client, 'close').catch(() => undefined)
      await vi.waitFor(() => expect(proxy.counters.tls?.failedClients).toBe(n + 1))
      expect(received).not.toHaveBeenCalled()
    }
    expect(proxy.counters.upstream.bytesIn).toBe(0)
    await settled(proxy)
    expect(proxy.counters.tls?.lastFailure).toContain('client: ')
  })
})

describe('handshakes with clients that fail', () => {
  const failedClients = (proxy: Proxy, count: number): Promise<void> =>
    vi.waitFor(() => expect(proxy.counters).toMatchObject({ open: 0, tls: { failedClients: count } }))

  it('end for a client that speaks something else', async () => {
    const { proxy, connect } = await startTerminated()
    const client = await connect()
    client.socket.write('GET / HTTP/1.1\r\n\r\n')
    await vi.waitFor(() => expect(client.events).toEqual(['end']))
    await failedClients(proxy, 1)
    expect(proxy.counters.tls?.lastFailure).toMatch(/^client: .*(http request|wrong version|packet length)/i)
  })

  it('are counted for a client that leaves, says nothing or stops', async () => {
    const clock = manualClock()
    const { proxy, connect } = await startTerminated({ clock, connectTimeoutMs: 500 })
    ;(await connect()).socket.end()
    await failedClients(proxy, 1)
    ;(await connect()).socket.resetAndDestroy()
    await failedClients(proxy, 2)
    await connect()
    await vi.waitFor(() => expect(proxy.counters.open).toBe(1))
    await clock.advance(500)
    await failedClients(proxy, 3)
    expect(proxy.counters.tls?.lastFailure).toBe('client: It sent no whole hello in time.')
    // It sends its hello, and its end.
    ;(await connect()).socket.end(await clientHello({ servername: 'localhost' }))
    await failedClients(proxy, 4)
    // It sends its hello, and never answers to what it gets.
    const stuck = await connect()
    stuck.socket.write(await clientHello({ servername: 'localhost' }))
    await vi.waitFor(() => expect(stuck.received().length).toBeGreaterThan(500))
    await clock.advance(499)
    expect(proxy.counters.open).toBe(1)
    await clock.advance(1)
    await failedClients(proxy, 5)
    expect(proxy.counters.tls?.lastFailure).toBe('client: The handshake took too long.')
    expect(clock.pending).toBe(0)
  })

  it('are none of the client if the server refuses', async () => {
    const gone = await startUpstream()
    await gone.close()
    const proxy = await createProxy({ upstream: gone.address, tls: { authority: await testAuthority() } })
    onTestFinished(() => proxy.close())
    const client = await startTlsClient(proxy.port)
    await expect(once(client, 'secureConnect')).rejects.toMatchObject({ code: 'ECONNRESET' })
    await settled(proxy)
    expect(proxy.counters.tls).toEqual({ failedClients: 0, failedUpstreams: 0, lastFailure: undefined })
  })

  it('say what OpenSSL says', async () => {
    const { proxy } = await startTerminated({ tls: { clientCa: (await testAuthority()).certificate } })
    const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${proxy.port}`, '-servername', 'localhost'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [client.stdout, client.stderr]) stream.on('data', (text) => (output += String(text)))
    await once(client, 'close')
    expect(output).toContain('alert certificate required')
    await failedClients(proxy, 1)
  })
})
