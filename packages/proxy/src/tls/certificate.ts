import { builtin } from '@chaos/core/authoring'
import importedCrypto, { type KeyObject } from 'node:crypto'
import forge from 'node-forge'

const crypto = builtin('node:crypto', importedCrypto)

/** A name in a certificate of a server: a host name or an IP address. */
export type SubjectName = { readonly type: 2; readonly value: string } | { readonly type: 7; readonly ip: string }

/** What a certificate says. */
export interface CertificateContent {
  /** The common name of its owner. */
  readonly owner: string
  readonly ownerKey: KeyObject
  readonly issuer: string
  readonly issuerKey: KeyObject
  readonly validFrom: Date
  readonly validUntil: Date
  readonly purpose: 'authority' | 'server' | 'client'
  /** The names of a server. */
  readonly names?: readonly SubjectName[]
}

/** How a certificate may be used, as RFC 5280 asks for. */
const USES: Readonly<Record<CertificateContent['purpose'], readonly object[]>> = {
  authority: [
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  ],
  server: leafUses('serverAuth'),
  client: leafUses('clientAuth'),
}

/**
 * Writes a certificate.
 *
 * @returns The certificate in PEM.
 */
export function writeCertificate(content: CertificateContent): string {
  const { owner, ownerKey, issuer, issuerKey, purpose, names = [] } = content
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = publicKeyOf(ownerKey)
  // A positive number of 16 bytes.
  certificate.serialNumber = `01${crypto.randomBytes(15).toString('hex')}`
  certificate.validity = { notBefore: content.validFrom, notAfter: content.validUntil }
  certificate.setSubject(commonName(owner))
  certificate.setIssuer(commonName(issuer))
  const issuerId = forge.pki.getPublicKeyFingerprint(publicKeyOf(issuerKey), { type: 'RSAPublicKey' })
  certificate.setExtensions([
    ...USES[purpose],
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: issuerId.getBytes() },
    ...(names.length === 0 ? [] : [{ name: 'subjectAltName', altNames: names }]),
  ])
  // Node.js signs, many times faster than the library does. The library asks its key for no more than this method.
  const sign = (): string => {
    const content = Buffer.from(forge.asn1.toDer(certificate.tbsCertificate).getBytes(), 'latin1')
    return crypto.sign('sha256', content, issuerKey).toString('latin1')
  }
  certificate.sign({ sign } as unknown as forge.pki.rsa.PrivateKey, forge.md.sha256.create())
  return forge.pki.certificateToPem(certificate)
}

/** Makes a private key. */
export function makeKey(): Promise<KeyObject> {
  return new Promise((resolve, reject) => {
    crypto.generateKeyPair('rsa', { modulusLength: 2048 }, (error, _publicKey, privateKey) => {
      if (error === null) resolve(privateKey)
      else reject(error)
    })
  })
}

function leafUses(purpose: string): readonly object[] {
  return [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', [purpose]: true },
  ]
}

function publicKeyOf(privateKey: KeyObject): forge.pki.rsa.PublicKey {
  const publicKey = crypto.createPublicKey(privateKey)
  return forge.pki.publicKeyFromPem(publicKey.export({ type: 'spki', format: 'pem' }) as string)
}

function commonName(value: string): forge.pki.CertificateField[] {
  return [{ name: 'commonName', value, valueTagClass: forge.asn1.Type.UTF8 as never }]
}
