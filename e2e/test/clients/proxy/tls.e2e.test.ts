import { inject } from '@chaos/core'
import { createProxy, delayData, limitData, resetConnections, type Proxy, type ProxyOptions } from '@chaos/proxy'
import { createAuthority, type Authority, type Identity } from '@chaos/proxy/tls'
import { freePort, hasPrograms, ownPostgres, ownRedis, SERVER_TIMEOUT_MS, type OwnServer } from '@chaos/test-servers'
import { Redis, type RedisOptions } from 'ioredis'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { Client } from 'undici'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'

let authority: Authority
let folder: string
beforeAll(async () => {
  authority = await createAuthority()
  folder = mkdtempSync(join(tmpdir(), 'chaos-tls-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Writes what a server reads, for a user who is not root if the server does not run as root. */
function written(
  name: string,
  { cert, key }: Identity,
  user?: string,
): { readonly cert: string; readonly key: string } {
  const files = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) }
  writeFileSync(files.cert, cert)
  writeFileSync(files.key, key, { mode: 0o600 })
  if (user !== undefined && process.getuid?.() === 0) {
    const uid = Number(execFileSync('id', ['-u', user]))
    for (const file of [folder, ...Object.values(files)]) chownSync(file, uid, -1)
  }
  return files
}

async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const proxy = await createProxy(options)
  onTestFinished(async () => {
    await proxy.close()
    expect(proxy.counters.open).toBe(0)
  })
  return proxy
}

describe.runIf(hasPrograms('redis-server'))('ioredis and a Redis server (skipped without redis-server)', () => {
  let server: OwnServer
  let tlsPort: number
  beforeAll(async () => {
    tlsPort = await freePort()
    const { cert, key } = written('redis', authority.serverIdentity(['localhost', '127.0.0.1']))
    const ca = join(folder, 'ca.crt')
    writeFileSync(ca, authority.certificate)
    const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', ca]
    server = await ownRedis('--tls-port', String(tlsPort), ...files, '--tls-auth-clients', 'yes')
  }, SERVER_TIMEOUT_MS)
  afterAll(() => server.stop())

  /** Connects a client, which does not connect again. */
  async function connected(options: RedisOptions): Promise<{ client: Redis; errors: unknown[] }> {
    const errors: unknown[] = []
    const client = new Redis({ host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null, ...options })
    client.on('error', ({ code, message }: NodeJS.ErrnoException) => errors.push(code ?? message))
    onTestFinished(() => client.disconnect())
    await client.connect()
    return { client, errors }
  }

  it('speak TLS to each other through the proxy, which knows the server by name', async () => {
    const proxy = await startProxy({ upstream: `127.0.0.1:${tlsPort}`, readServerName: true })
    const tls = { ca: authority.certificate, servername: 'localhost', ...authority.clientIdentity('app') }
    const { client, errors } = await connected({ port: proxy.port, tls })
    expect(await client.set('key', 'value')).toBe('OK')
    expect(proxy.connections()).toMatchObject([{ serverName: 'localhost' }])
    await inject(resetConnections(), proxy, { limit: 1 })
    await expect(client.get('key')).rejects.toThrow()
    expect(errors).toEqual(['ECONNRESET'])
  })

  it('have the proxy end TLS for the client: a fault cuts an answer in the middle', async () => {
    const proxy = await startProxy({ upstream: `127.0.0.1:${server.port}`, tls: { authority } })
    const tls = { ca: authority.certificate, servername: 'cache.test' }
    const { client } = await connected({ port: proxy.port, tls })
    await client.set('key', 'x'.repeat(1_000))
    const late = await inject(delayData({ delayMs: 30 }), proxy)
    const start = performance.now()
    expect(await client.get('key')).toHaveLength(1_000)
    expect(performance.now() - start).toBeGreaterThanOrEqual(30)
    await late.rollback()
    // Node.js tells later than the client that TLS has taken all.
    await vi.waitFor(() => expect(proxy.counters.downstream.bytesHeld).toBe(0))
    const before = proxy.counters.downstream.bytesOut
    const cut = await inject(limitData({ bytes: 500 }), proxy)
    await expect(client.get('key')).rejects.toThrow(/Connection is closed|max retries/)
    expect(proxy.counters.downstream.bytesOut - before).toBe(500)
    await cut.rollback()
  })

  it('have the proxy speak TLS for the client, with a certificate that the server asks for', async () => {
    const { certificate: ca } = authority
    const upstreamTls = { ca, ...authority.clientIdentity('proxy') }
    const proxy = await startProxy({ upstream: `127.0.0.1:${tlsPort}`, upstreamTls })
    const { client } = await connected({ port: proxy.port })
    expect(await client.ping()).toBe('PONG')
    const without = await startProxy({ upstream: `127.0.0.1:${tlsPort}`, upstreamTls: { ca } })
    await expect(connected({ port: without.port })).rejects.toThrow()
  })
})

describe.runIf(hasPrograms('initdb', 'postgres'))('pg and PostgreSQL (skipped without postgres)', () => {
  let server: OwnServer
  beforeAll(async () => {
    const { cert, key } = written('postgres', authority.serverIdentity('localhost'), 'postgres')
    server = await ownPostgres('ssl=on', `ssl_cert_file=${cert}`, `ssl_key_file=${key}`)
  }, SERVER_TIMEOUT_MS)
  afterAll(() => server.stop())

  it('change to TLS in the middle, through a proxy that would read a server name, and a reset arrives', async () => {
    const proxy = await startProxy({ upstream: `127.0.0.1:${server.port}`, readServerName: true })
    const client = new pg.Client({
      host: '127.0.0.1',
      port: proxy.port,
      user: 'root',
      database: 'postgres',
      ssl: { ca: authority.certificate, servername: 'localhost' },
    })
    const error = once(client, 'error')
    await client.connect()
    onTestFinished(() => client.end().catch(() => undefined))
    const { rows } = await client.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
    expect(rows).toEqual([{ ssl: true }])
    // Its first bytes ask for TLS in words of PostgreSQL.
    expect(proxy.connections()).toMatchObject([{ serverName: undefined }])
    await inject(resetConnections(), proxy, { limit: 1 })
    await expect(client.query('select 1')).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(await error).toHaveLength(1)
  })
})

describe('undici and a server of HTTP/2', () => {
  it('negotiate HTTP/2 through a proxy that speaks TLS to both, and learn of a reset', async () => {
    const server = createSecureServer(
      { ...authority.serverIdentity('localhost'), allowHTTP1: true },
      (request, response) => response.end(`over ${request.httpVersion}`),
    ).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { certificate: ca } = authority
    const upstream = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const proxy = await startProxy({ upstream, tls: { authority }, upstreamTls: { ca } })
    for (const [allowH2, version] of [
      [true, '2.0'],
      [false, '1.1'],
    ] as const) {
      const client = new Client(`https://localhost:${proxy.port}`, { allowH2, connect: { ca, family: 4 } as never })
      const { body } = await client.request({ path: '/', method: 'GET' })
      expect(await body.text()).toBe(`over ${version}`)
      const reset = await inject(resetConnections(), proxy)
      await expect(client.request({ path: '/', method: 'GET' })).rejects.toMatchObject({ code: 'ECONNRESET' })
      await reset.rollback()
      await client.destroy()
    }
    expect(proxy.counters.tls).toEqual({ failedClients: 0, failedUpstreams: 0, lastFailure: undefined })
  })
})
