import tls from 'node:tls'

/**
 * Certificate errors, as Node.js makes them from the results of OpenSSL (src/crypto/crypto_common.cc:
 * `VerifyErrorHint`, `X509ErrorCode`).
 */
export const certificateErrors = {
  'tls/certificate-expired': () => verifyError('CERT_HAS_EXPIRED', 'certificate has expired'),
  'tls/self-signed': () => verifyError('DEPTH_ZERO_SELF_SIGNED_CERT', `self-signed certificate${hint()}`),
  'tls/untrusted-issuer': () =>
    verifyError('UNABLE_TO_VERIFY_LEAF_SIGNATURE', `unable to verify the first certificate${hint()}`),
  'tls/wrong-host': (host: string) =>
    tls.checkServerIdentity(host, {
      subject: { CN: 'other.invalid' },
      subjectaltname: 'DNS:other.invalid',
    } as tls.PeerCertificate) as Error,
} as const

/** The alerts with which a server ends a handshake (RFC 8446, 6.2). */
export const handshakeAlerts = { 'tls/handshake-failure': 40, 'tls/protocol-version': 70 } as const

/** Makes a TLS record with a fatal alert. */
export function fatalAlert(description: number): Buffer {
  return Buffer.from([21, 3, 3, 0, 2, 2, description])
}

function verifyError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}

/** Newer versions of Node.js append a hint about `--use-system-ca`. Node.js 22 knows the flag but appends no hint. */
function hint(): string {
  return process.allowedNodeEnvironmentFlags.has('--use-system-ca') && !process.versions.node.startsWith('22.')
    ? '; if the root CA is installed locally, try running Node.js with --use-system-ca'
    : ''
}
