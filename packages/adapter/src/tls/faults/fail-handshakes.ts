import { defineFault, markInjected, option, type InjectionContext, type OptionsOf } from '@chaos/core/authoring'
import type { TLSSocket } from 'node:tls'
import { endConnection } from '../../sockets/connection-end.js'
import { peerOf, socketOf } from '../../sockets/net.js'
import { isTlsModule, TLS_MODULE, tlsHandlePrototype, type TlsHandle, type TlsModule } from '../seam.js'
import { certificateErrors, fatalAlert, handshakeAlerts } from '../../errors/tls.js'

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

/**
 * Options of {@link failHandshakes}: `error`, how the handshake fails: `tls/certificate-expired` (default), `tls/self-signed`, `tls/untrusted-issuer`,
 * `tls/wrong-host`, `tls/handshake-failure`, `tls/protocol-version`, `tls/reset` or `tls/closed`.
 */
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
  target: { expects: TLS_MODULE, accepts: isTlsModule },
  inject(_tls: TlsModule, { error }, context) {
    if (error in certificateErrors) distrust(context, certificateErrors[error as keyof typeof certificateErrors])
    else interrupt(context, error as Interruption)
  },
})

type Interruption = keyof typeof handshakeAlerts | keyof typeof ends

/** The client's socket of a handle, if it is chosen. */
function chosen(context: InjectionContext, handle: TlsHandle): TLSSocket | undefined {
  const socket = socketOf(handle as never) as TLSSocket | undefined
  const peer = socket === undefined ? undefined : peerOf(socket)
  return peer !== undefined && context.operation(peer).shouldInject([socket]) ? socket : undefined
}

function distrust(context: InjectionContext, makeError: (host: string) => Error): void {
  context.patch(
    tlsHandlePrototype(),
    'verifyError',
    (below) =>
      function verifyError(this: TlsHandle): unknown {
        const socket = chosen(context, this)
        if (socket === undefined) return below.call.call(this) as unknown
        const { servername, host } = socket as TLSSocket & {
          readonly servername?: string | false
          readonly host?: string
        }
        return markInjected(
          makeError(typeof servername === 'string' ? servername : (host ?? socket.remoteAddress ?? '')),
          NAME,
        )
      },
  )
}

function interrupt(context: InjectionContext, error: Interruption): void {
  context.patch(
    tlsHandlePrototype(),
    'start',
    (below) =>
      function start(this: TlsHandle): unknown {
        const socket = chosen(context, this)
        const begin = (): unknown => below.call.call(this) as unknown
        if (socket === undefined) return begin()
        // The other side answers in a later turn, and before the real one can.
        context.hold({
          afterMs: 0,
          run: () => {
            if (socket.destroyed) return
            if (error in ends) endConnection(socket, ends[error as keyof typeof ends], NAME)
            else alert(socket, this, begin, handshakeAlerts[error as keyof typeof handshakeAlerts])
          },
        })
        return undefined
      },
  )
}

/** The other side says no to what it is greeted with. */
function alert(socket: TLSSocket, handle: TlsHandle, begin: () => unknown, description: number): void {
  begin()
  handle.receive(fatalAlert(description))
  if (socket.errored instanceof Error) markInjected(socket.errored, NAME)
}

function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(record) as Key[]
}
