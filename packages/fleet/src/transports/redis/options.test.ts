import { freePort, hasPrograms } from '@chaos/test-servers'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { anInstance } from '../../../test/plans.js'
import { fleetOn, serverForTest } from '../../../test/redis.js'
import { checkRedisOptions, shownAddress, type RedisTransportOptions } from './options.js'

describe('the options of the Redis transport', () => {
  it('are a URL, its parts, or both, of which the parts come first', () => {
    const addressOf = (options: Partial<RedisTransportOptions>) =>
      checkRedisOptions({ fleet: 'test', ...options }).address
    const local = { host: '127.0.0.1', port: 6_379, path: undefined, username: undefined, password: undefined, db: 0 }
    expect(addressOf({})).toEqual({ ...local, tls: undefined })
    expect(addressOf({ url: 'redis://ann:p%40ss@redis.test:6380/3' })).toEqual({
      ...local,
      host: 'redis.test',
      port: 6_380,
      username: 'ann',
      password: 'p@ss',
      db: 3,
      tls: undefined,
    })
    expect(addressOf({ url: 'rediss://[::1]', password: 'other', port: 7 })).toEqual({
      ...local,
      host: '::1',
      port: 7,
      password: 'other',
      tls: {},
    })
    expect(addressOf({ path: '/run/redis.sock', tls: { ca: 'ca' } })).toMatchObject({
      path: '/run/redis.sock',
      tls: { ca: 'ca' },
    })
    expect(['redis://h:1', 'redis://[::1]:1'].map((url) => shownAddress(addressOf({ url })))).toEqual([
      'h:1',
      '[::1]:1',
    ])
    expect(shownAddress(addressOf({ path: '/run/redis.sock' }))).toBe('/run/redis.sock')
  })

  it('are checked, and no message shows a password', () => {
    for (const wrong of [
      { fleet: 'a*' },
      { fleet: '{a}' },
      { fleet: '' },
      { url: 'http://:secret@host' },
      { url: 'redis://:secret@' },
      { url: 'redis://:secret@host/name' },
      { url: 'redis://:%secret%@host' },
      { url: ':secret@host:1' },
      { port: 0 },
      { timeoutMs: 1 },
      { timeoutMs: Number.NaN },
      { instanceTtlMs: 3_600_000 },
      { password: '' },
      { tls: 'secret' },
      { hots: 'secret' },
    ] as readonly Partial<RedisTransportOptions>[]) {
      const check = () => checkRedisOptions({ fleet: 'test', password: 'secret', ...wrong })
      expect(check, JSON.stringify(wrong)).toThrow(expect.objectContaining({ code: 'CHAOS_INVALID_OPTION' }))
      if (!('tls' in wrong || 'hots' in wrong)) expect(check).not.toThrow(/secret/)
    }
  })

  it.runIf(hasPrograms('redis-server', 'openssl'))(
    'reach a server by TLS, by a Unix socket and in another database (skipped without `redis-server` and `openssl`)',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'chaos-fleet-'))
      onTestFinished(() => rmSync(folder, { recursive: true }))
      const [key, cert, path] = ['own.key', 'own.cert', 'redis.sock'].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ]
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
      execFileSync(
        'openssl',
        ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2', ...subject],
        { stdio: 'ignore' },
      )
      const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert]
      const server = await serverForTest('--unixsocket', path)
      const { witness } = fleetOn(server.port)
      const [over, secure] = [
        fleetOn(server.port, { path, db: 2 }),
        await serverForTest('--tls-auth-clients', 'no', ...files),
      ]
      await over.agent.read(anInstance())
      expect(await witness.keys('*')).toEqual([])
      await witness.select(2)
      expect(await witness.keys('*')).toHaveLength(2)

      const admin = fleetOn(secure.port).witness
      const port = await freePort()
      await admin.config('SET', 'tls-port', String(port))
      const trusted = fleetOn(port, { url: 'rediss://localhost', tls: { ca: readFileSync(cert) } })
      await trusted.agent.read(anInstance())
      expect(await trusted.controller.list()).toHaveLength(1)
      await expect(fleetOn(port, { url: 'rediss://localhost' }).agent.read(anInstance())).rejects.toMatchObject({
        code: 'CHAOS_FLEET_UNREACHABLE',
        message: expect.stringContaining('self') as string,
      })
    },
  )
})
