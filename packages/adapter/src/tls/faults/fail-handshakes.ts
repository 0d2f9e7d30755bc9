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
    option.oneOf(outages as [(typeof outages)[number], ...(typeof outages)[number][]], 'How the handshake fails.'),
    'tls/certificate-expired',
  ),
}

/** Options of {@link failHandshakes}. */
export type FailHandshakesOptions = OptionsOf<typeof failHandshakes>

/**
 * Fails TLS handshakes of connections that the process opens.
 *
 * Models an expired or untrusted certificate, or one of another host; a server that rejects the client's protocol; or a
 * server that hangs up during the handshake. The TCP connection is real.
 *
 * A certificate error comes from the same check as OpenSSL's own, so `rejectUnauthorized: false` still applies. An
 * alert is a real TLS record, from which OpenSSL makes its error. An end of the connection takes the path of one from
 * the kernel. So every client (`tls`, `https`, `fetch`, drivers) fails as in the real outage. Established TLS
 * connections are not affected. An operation is a connection; its name is the remote address, `127.0.0.1:443`.
 */
export const failHandshakes = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Fails TLS handshakes of connections that the process opens.',
  options,
  target: tlsModule,
  inject(target, { error }, context) {
    if (isKeyOf(certificateErrors, error)) {
      const errorOf = ({ socket }: Handshake): Error => markInjected(certificateErrors[error](hostOf(socket)), NAME)
      failOperations(certificateSeam, target, context, errorOf)
      return
    }
    // A peer answers in a later turn of the event loop. Held for 0 ms, the injected answer comes before the real one.
    handshakeSeam(target, context, (handshake) =>
      keepBack(handshake, context, 0, ({ alert }) => {
        if (isKeyOf(ends, error)) endConnection(handshake.socket, ends[error], NAME)
        else alert(handshakeAlerts[error], NAME)
      }),
    )
  },
})

/** Returns the host name that the certificate must match. */
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
