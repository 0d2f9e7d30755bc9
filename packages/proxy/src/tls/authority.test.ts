import { spawnSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createAuthority, type Authority } from './index.js'

let authority: Authority
beforeAll(async () => {
  authority = await createAuthority()
})

it('signs certificates of servers for host names, wildcards and IP addresses', () => {
  const { cert } = authority.serverIdentity(['db.test', '*.pool.test', '127.0.0.1', '::1'])
  const server = new X509Certificate(cert)
  const issuer = new X509Certificate(authority.certificate)
  expect(server.verify(issuer.publicKey)).toBe(true)
  expect(server.checkIssued(issuer)).toBe(true)
  expect([server.checkHost('db.test'), server.checkHost('a.pool.test')]).toEqual(['db.test', '*.pool.test'])
  expect(['a.db.test', 'pool.test'].map((name) => server.checkHost(name))).toEqual([undefined, undefined])
  expect([server.checkIP('127.0.0.1'), server.checkIP('::1'), server.checkIP('127.0.0.2')]).toEqual([
    '127.0.0.1',
    '::1',
    undefined,
  ])
  expect([issuer.ca, server.ca]).toEqual([true, false])
})

it('gives each certificate a key that fits, and a serial number of its own', () => {
  const identities = [authority.serverIdentity('a.test'), authority.clientIdentity('a')]
  for (const { cert, key } of identities)
    expect(new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))).toBe(true)
  const serials = new Set(identities.map(({ cert }) => new X509Certificate(cert).serialNumber))
  expect(serials.size).toBe(2)
})

it.each(['sslserver', 'sslclient'])('satisfies the strict checks of OpenSSL as %s', (purpose) => {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-authority-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const { cert } =
    purpose === 'sslserver' ? authority.serverIdentity(['db.test', '127.0.0.1']) : authority.clientIdentity('Zoë')
  const [ca, leaf] = [join(folder, 'ca.pem'), join(folder, 'leaf.pem')]
  writeFileSync(ca, authority.certificate)
  writeFileSync(leaf, cert)
  const verify = (as: string): string =>
    spawnSync('openssl', ['verify', '-x509_strict', '-purpose', as, '-CAfile', ca, leaf], { encoding: 'utf8' }).stdout
  expect(verify(purpose)).toBe(`${leaf}: OK\n`)
  expect(verify(purpose === 'sslserver' ? 'sslclient' : 'sslserver')).not.toContain('OK')
})

it('lets certificates be valid from yesterday until the authority expires', async () => {
  const { certificate, serverIdentity } = await createAuthority({ name: 'Short lived', validDays: 2 })
  const { subject, validFrom, validTo } = new X509Certificate(certificate)
  expect(subject).toBe('CN=Short lived')
  expect((Date.parse(validTo) - Date.parse(validFrom)) / 86_400_000).toBeCloseTo(3, 1)
  expect(new X509Certificate(serverIdentity('a.test').cert).validTo).toBe(validTo)
})

it('makes certificates that have expired, or are not valid yet', () => {
  const [validFrom, validUntil] = [new Date('2020-01-01T00:00:00Z'), new Date('2051-02-03T04:05:06Z')]
  const certificate = new X509Certificate(authority.clientIdentity('alice', { validFrom, validUntil }).cert)
  expect([Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]).toEqual([
    validFrom.getTime(),
    validUntil.getTime(),
  ])
})

describe('what it refuses', () => {
  it.each(['', 'a b', 'http://a.test', 'a..b', '*.*.test', '-a.test', `${'a'.repeat(64)}.test`, 'fe80::1%lo', 'a\0b'])(
    'the server name %j',
    (name) => {
      expect(() => authority.serverIdentity(name)).toThrow(expect.objectContaining({ code: 'CHAOS_INVALID_OPTION' }))
    },
  )

  it('other invalid options', async () => {
    const refusal = expect.objectContaining({ code: 'CHAOS_INVALID_OPTION' }) as Error
    expect(() => authority.clientIdentity('x'.repeat(65))).toThrow(refusal)
    expect(() => authority.clientIdentity('x', { validUntil: new Date('never') })).toThrow(refusal)
    expect(() => authority.serverIdentity(Array.from({ length: 101 }, () => 'a.test'))).toThrow(refusal)
    await expect(createAuthority({ validDays: 0 })).rejects.toThrow(refusal)
  })
})
