import { ChaosError } from '@chaos/core'
import { builtin, checkOptions, option, optionsSchema, printable, type OptionsInput } from '@chaos/core/authoring'
import importedNet from 'node:net'
import importedUtil from 'node:util'
import { makeKey, writeCertificate, type CertificateContent, type SubjectName } from './certificate.js'
import { isHostName } from './host-name.js'

const net = builtin('node:net', importedNet)
const util = builtin('node:util', importedUtil)

/** A certificate and its private key in PEM, named as the options of `node:tls` and `node:https`. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

/** A certificate authority for tests. It lives in memory, and its key never leaves it. */
export interface Authority {
  /** Its certificate in PEM: what clients and servers trust, as their option `ca`. */
  readonly certificate: string
  /**
   * Makes a certificate for a server.
   *
   * @param names Host names such as `db.test` or `*.test`, and IP addresses: at most 100.
   * @throws ChaosError `CHAOS_INVALID_OPTION` for a name that is none, or dates that are none.
   */
  readonly serverIdentity: (names: string | readonly string[], validity?: Validity) => Identity
  /**
   * Makes a certificate for a client, for servers that ask for one (mTLS).
   *
   * @param name The common name: 1 to 64 characters.
   * @throws ChaosError `CHAOS_INVALID_OPTION` for a name that does not fit, or dates that are none.
   */
  readonly clientIdentity: (name: string, validity?: Validity) => Identity
}

const authorityOptions = optionsSchema({
  name: option.optional(option.text('The common name in its certificate.', 64), 'Chaos Harness test authority'),
  validDays: option.optional(option.count('How long its certificates are valid, in days.', 1, 3_650), 365),
})
const validitySchema = optionsSchema({
  validFrom: option.optional(dateOption('When the certificate begins to be valid. Default: a day ago.')),
  validUntil: option.optional(dateOption('When the certificate expires. Default: together with the authority.')),
})
const serverNames = optionsSchema({
  names: option.list(option.text('A host name or an IP address.', 253), 100, 'host names and IP addresses'),
})
const clientName = optionsSchema({ name: option.text('The common name.', 64) })

/** Options of {@link createAuthority}. */
export type AuthorityOptions = OptionsInput<typeof authorityOptions>

/** When a certificate is valid. An expired certificate has a `validUntil` in the past. */
export type Validity = OptionsInput<typeof validitySchema>

const DAY_MS = 86_400_000

/**
 * Makes a certificate authority, with keys of 2,048 bits (RSA). All certificates that it issues share one private key.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option.
 */
export async function createAuthority(options: AuthorityOptions = {}): Promise<Authority> {
  const { name, validDays } = checkOptions(authorityOptions, options, 'createAuthority')
  const [issuerKey, ownerKey] = await Promise.all([makeKey(), makeKey()])
  const now = Date.now()
  // Clocks differ.
  const [begin, end] = [new Date(now - DAY_MS), new Date(now + validDays * DAY_MS)]
  const issued = { issuer: name, issuerKey }
  const key = ownerKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const identity = (content: Pick<CertificateContent, 'owner' | 'purpose' | 'names'>, validity: Validity): Identity => {
    const { validFrom = begin, validUntil = end } = checkOptions(validitySchema, validity, 'a certificate')
    return { cert: writeCertificate({ ...issued, ...content, validFrom, validUntil, ownerKey }), key }
  }
  return {
    certificate: writeCertificate({
      ...issued,
      owner: name,
      ownerKey: issuerKey,
      validFrom: begin,
      validUntil: end,
      purpose: 'authority',
    }),
    serverIdentity(given, validity = {}) {
      const { names } = checkOptions(serverNames, { names: [given].flat() }, 'serverIdentity')
      const [owner = ''] = names
      return identity({ purpose: 'server', owner: owner.slice(0, 64), names: names.map(subjectName) }, validity)
    },
    clientIdentity(given, validity = {}) {
      const checked = checkOptions(clientName, { name: given }, 'clientIdentity')
      return identity({ purpose: 'client', owner: checked.name }, validity)
    },
  }
}

function subjectName(name: string): SubjectName {
  // A zone (`%eth0`) has no place in a certificate.
  if (net.isIP(name) !== 0 && !name.includes('%')) return { type: 7, ip: name }
  if (isHostName(name.replace(/^\*\./, ''))) return { type: 2, value: name }
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `Expected a host name or an IP address for the certificate of a server, got \`${printable(name)}\`.`,
  )
}

function dateOption(description: string): ReturnType<typeof option.live<Date>> {
  return option.live<Date>((value) => util.types.isDate(value) && !Number.isNaN(value.getTime()), 'a date', description)
}
