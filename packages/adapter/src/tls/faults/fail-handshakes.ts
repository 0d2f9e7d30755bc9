import { defineFault, markInjected, option, type OptionsOf } from '@chaos/core/authoring'
import type { TLSSocket } from 'node:tls'
import { endConnection } from '../../sockets/connection-end.js'
import { keepBack } from '../../operations/delay.js'
import { failOperations } from '../../operations/fail.js'
import { certificateErrors, handshakeAlerts } from '../../errors/tls.js'
import { certificateSeam, handshakeSeam, tlsModule, type Handshake } from '../seam.js'

const NAME = 'adapter/fail-handshakes'

const ends = { 'tls/reset': 'reset', 'tls/closed': 'end' } as const
const outages = [...keysOf(certificateErrors), ...keysOf(handshakeAlerts), ...keysOf(ends)] as const

const options = {
  error: option.optional(
    option.oneOf(
      outages as [(typeof outages)[number], ...(typeof outages)[number][]],
      'How the handshake fails. Default: tls/certificate-expired.',
    ),
    'tls/certificate-expired',
  ),
}

/** Options of {@link failHandshakes}. */
export type FailHandshakesOptions = OptionsOf<typeof failHandshakes>

/**
 * Fails the handshakes of TLS connections that the process makes.
 *
 * Models a certificate that has run out, that nobody trusts or that is another host's; a server that refuses what the client speaks; one that hangs up before
 * the connection is secure. The connection is made for real. What is wrong with a certificate is said where OpenSSL says it, so that `rejectUnauthorized: false`
 * is obeyed; an alert is a real one, and OpenSSL makes its error; an end comes on the path of the kernel's. So every client hears of it as it does then
 * (`tls`, `https`, `fetch`, drivers). Connections that are secure already are left alone. An operation is a connection; its name is where it leads
 * to, `127.0.0.1:443`.
 */
export const failHandshakes = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Fails the handshakes of TLS connections that the process makes.',
  options,
  target: tlsModule,
  inject(target, { error }, context) {
    if (isKeyOf(certificateErrors, error)) {
      const errorOf = ({ socket }: Handshake): Error => markInjected(certificateErrors[error](hostOf(socket)), NAME)
      failOperations(certificateSeam, target, context, errorOf)
      return
    }
    // The other side answers in a later turn, and before the real one can.
    handshakeSeam(target, context, (handshake) =>
      keepBack(handshake, context, 0, ({ alert }) => {
        if (isKeyOf(ends, error)) endConnection(handshake.socket, ends[error], NAME)
        else alert(handshakeAlerts[error], NAME)
      }),
    )
  },
})

/** The name that a certificate must be made out to. */
function hostOf(socket: TLSSocket & { readonly servername?: string | false; readonly host?: string }): string {
  const { servername, host, remoteAddress } = socket
  return typeof servername === 'string' ? servername : (host ?? remoteAddress ?? '')
}

function isKeyOf<Key extends string>(record: Readonly<Record<Key, unknown>>, key: string): key is Key {
  return key in record
}

function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(record) as Key[]
}
