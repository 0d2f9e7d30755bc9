import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a TLS server shows and keeps secret. */
export interface Certificate {
  readonly key: Buffer
  readonly cert: Buffer
}

const SUBJECT = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']

/** Certificates for localhost: one that signed itself, one that it signed, and one that it signed and that has run out. Made by `openssl`. */
export function makeCertificates(): {
  readonly own: Certificate
  readonly issued: Certificate
  readonly expired: Certificate
} {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-adapter-'))
  const openssl = (...args: readonly string[]): Buffer =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'own.key',
      '-out',
      'own.cert',
      '-days',
      '2',
      ...SUBJECT,
    )
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'leaf.key', '-out', 'leaf.request', ...SUBJECT)
    for (const [name, days] of [
      ['issued', '2'],
      ['expired', '-1'],
    ] as const) {
      openssl(
        'x509',
        '-req',
        '-in',
        'leaf.request',
        '-CA',
        'own.cert',
        '-CAkey',
        'own.key',
        '-CAcreateserial',
        '-copy_extensions',
        'copy',
        '-days',
        days,
        '-out',
        `${name}.cert`,
      )
    }
    const read = (name: string): Buffer => readFileSync(join(folder, name))
    return {
      own: { key: read('own.key'), cert: read('own.cert') },
      issued: { key: read('leaf.key'), cert: read('issued.cert') },
      expired: { key: read('leaf.key'), cert: read('expired.cert') },
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
