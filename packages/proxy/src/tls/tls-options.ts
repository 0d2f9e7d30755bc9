import { ChaosError } from '@chaos/core'
import { checkOptions, option, optionsSchema } from '@chaos/core/authoring'
import type { Authority } from './authority.js'

/** Certificates in PEM: one text of one or more, or a list of such texts. */
type Certificates = string | readonly string[]

/** How a proxy answers clients that speak TLS to it. It needs `authority`, or `cert` and `key`. */
export interface TlsOptions {
  /** Makes a certificate for each server name that a client asks for. Clients trust its `certificate`. */
  readonly authority?: Authority | undefined
  /** The certificate for all clients, in PEM, with those between it and the authority. */
  readonly cert?: string | undefined
  /** The private key of `cert`, in PEM. */
  readonly key?: string | undefined
  /** Who signs the certificates of clients, in PEM. With it, a client without a valid certificate is refused (mTLS). */
  readonly clientCa?: Certificates | undefined
  /**
   * The protocols to negotiate (ALPN) with clients if the connection to the server is plain, the preferred one first.
   * Otherwise, the server chooses. Default: none.
   */
  readonly alpnProtocols?: readonly string[] | undefined
}

/** How a proxy speaks TLS to the server. */
export interface UpstreamTlsOptions {
  /** Whom to trust, in PEM. Default: the authorities that Node.js trusts. */
  readonly ca?: Certificates | undefined
  /** The certificate to present to the server (mTLS), in PEM. */
  readonly cert?: string | undefined
  /** The private key of `cert`, in PEM. */
  readonly key?: string | undefined
  /** The name to ask for (SNI) and to find in the server's certificate. Default: the one that the client asks for, else the host of `upstream`. */
  readonly serverName?: string | undefined
  /** Whether a server whose certificate is not valid is refused. Default `true`. */
  readonly rejectUnauthorized?: boolean | undefined
  /** The protocols to offer (ALPN) for clients that speak no TLS to the proxy. Default: none. */
  readonly alpnProtocols?: readonly string[] | undefined
}

/** A name of a protocol: 1 to 255 printable characters of ASCII. */
const PROTOCOL = /^[!-~]{1,255}$/

const pem = (description: string): ReturnType<typeof option.text> => option.text(description)
const certificates = (description: string) =>
  option.optional(
    option.either(
      pem(description),
      option.list(pem(description), 1_000, 'certificates'),
      'PEM text, or a list of them',
    ),
  )
const protocols = (description: string) =>
  option.optional(
    option.list(option.matching(PROTOCOL, 'the name of a protocol', description), 100, 'names of protocols'),
  )

const tlsSchema = optionsSchema({
  authority: option.optional(
    option.live<Authority>(
      (value) => typeof Reflect.get(value, 'serverIdentity') === 'function',
      'an authority, made by `createAuthority`',
      'Makes a certificate for each server name.',
    ),
  ),
  cert: option.optional(pem('The certificate for all clients, in PEM.')),
  key: option.optional(pem('The private key of `cert`, in PEM.')),
  clientCa: certificates('Who signs the certificates of clients.'),
  alpnProtocols: protocols('A protocol to negotiate if the upstream is plain.'),
})

const upstreamSchema = optionsSchema({
  ca: certificates('Whom to trust.'),
  cert: option.optional(pem('The certificate to present to the server, in PEM.')),
  key: option.optional(pem('The private key of `cert`, in PEM.')),
  serverName: option.optional(option.text('The name to ask for and to find in the certificate.', 253)),
  rejectUnauthorized: option.optional(option.flag('Whether an invalid certificate is refused.'), true),
  alpnProtocols: protocols('A protocol to offer for clients that speak no TLS.'),
})

/** The checked options for clients. */
export type ClientTls = ReturnType<typeof checkTls>
/** The checked options for the server. */
export type UpstreamTls = ReturnType<typeof checkUpstreamTls>

/** @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option, or without a certificate. */
export function checkTls(given: unknown, factory = 'createProxy') {
  const of = `the option \`tls\` of ${factory}`
  const checked = checkOptions(tlsSchema, given, of)
  const { authority, cert, key } = checked
  const isFixed = cert !== undefined && key !== undefined
  if ((authority === undefined) !== isFixed || (cert === undefined) !== (key === undefined)) {
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected ${of} to have either \`authority\`, or \`cert\` and \`key\`. Make an authority with \`createAuthority\` of @chaos/proxy/tls.`,
    )
  }
  return checked
}

/** @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option. */
export function checkUpstreamTls(given: unknown, factory = 'createProxy') {
  const of = `the option \`upstreamTls\` of ${factory}`
  const checked = checkOptions(upstreamSchema, given, of)
  if ((checked.cert === undefined) !== (checked.key === undefined))
    throw new ChaosError('CHAOS_INVALID_OPTION', `Expected ${of} to have both of \`cert\` and \`key\`, or neither.`)
  return checked
}

/** Whom to trust, as an option of `node:tls`. Nothing given: the default of Node.js. */
export function caOf(ca: Certificates | undefined): { readonly ca?: string | string[] } {
  if (ca === undefined) return {}
  return { ca: typeof ca === 'string' ? ca : [...ca] }
}

/** Protocols as an option of `node:tls`: each behind its length. Their names are bytes, and GREASE uses those that are no text. */
export function alpnOf(protocols: readonly string[]): { readonly ALPNProtocols?: Buffer } {
  if (protocols.length === 0) return {}
  const encoded = protocols.map((name) => Buffer.from(`${String.fromCharCode(name.length)}${name}`, 'latin1'))
  return { ALPNProtocols: Buffer.concat(encoded) }
}
