import { ChaosError } from '@chaos/core'
import { builtin, messageOf } from '@chaos/core/authoring'
import importedCrypto from 'node:crypto'
import importedTls, { type SecureContext, type SecureContextOptions } from 'node:tls'

const crypto = builtin('node:crypto', importedCrypto)
const tls = builtin('node:tls', importedTls)

/**
 * Makes what connections share: certificates, a key, and whom to trust.
 *
 * @param of The option that they come from, for messages.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for what is no certificate, or a key that does not fit.
 */
export function secureContext(options: SecureContextOptions, of: string): SecureContext {
  try {
    // OpenSSL takes any text for authorities, and would then trust none.
    for (const text of [options.ca ?? []].flat()) new crypto.X509Certificate(text)
    return tls.createSecureContext(options)
  } catch (error) {
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected the certificates and the key of \`${of}\` to be in PEM and to fit together. OpenSSL refuses them: ${messageOf(error)}.`,
      { cause: error },
    )
  }
}
