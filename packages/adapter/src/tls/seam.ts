import {
  isError,
  markInjected,
  type Held,
  type InjectionContext,
  type TargetKind,
  type RestOfOperation,
  type Seam,
  type SeamOperation,
} from '@chaos/core/authoring'
import net from 'node:net'
import tls from 'node:tls'
import { fatalAlert } from '../errors/tls.js'
import { peerOf, socketOf } from '../sockets/net.js'

/** The target of handshake faults: the `tls` module of Node.js, and with it every TLS client in the process. */
export interface TlsModule {
  readonly TLSSocket: typeof tls.TLSSocket
}

/** Returns whether a value is the `tls` module, as default export or namespace. */
function isTlsModule(value: unknown): value is TlsModule {
  return typeof value === 'object' && value !== null && 'TLSSocket' in value && value.TLSSocket === tls.TLSSocket
}

/** The kind of target that handshake faults accept. */
export const tlsModule: TargetKind<TlsModule> = {
  expects: 'the `node:tls` module',
  accepts: isTlsModule,
}

/** The native handle of a TLS connection. */
interface TlsHandle {
  /** Starts the handshake. */
  start: () => unknown
  /** Returns the error in the peer's certificate, or `null`. */
  verifyError: () => Error | null | undefined
  /** Receives bytes as if from the network. */
  readonly receive: (bytes: Buffer) => void
}

/** Returns the prototype of all TLS handles. */
function tlsHandlePrototype(): TlsHandle {
  const socket = new tls.TLSSocket(new net.Socket()) as tls.TLSSocket & { readonly _handle: TlsHandle }
  const prototype = Object.getPrototypeOf(socket._handle) as TlsHandle
  socket.destroy()
  return prototype
}

/** A handshake of a connection that the process opens. Its name is the remote address. */
export interface Handshake extends SeamOperation {
  readonly socket: tls.TLSSocket
}

/** A handshake that has not started. */
export interface Greeting extends Handshake {
  readonly later: (keep: (rest: RestOfHandshake) => Held) => unknown
}

/** The ways to continue a held handshake. None acts on a connection that has ended meanwhile. */
interface RestOfHandshake extends RestOfOperation {
  /** Makes the peer appear to answer with a fatal alert. */
  readonly alert: (description: number, fault: string) => void
}

/** The handshakes at the check of the peer's certificate. A fault fails one with the error of the certificate. */
export const certificateSeam: Seam<TlsModule, Handshake> = (_tls, context, act) => {
  context.patch(
    tlsHandlePrototype(),
    'verifyError',
    (below) =>
      function verifyError(this: TlsHandle): unknown {
        const proceed = (): unknown => below.call.call(this)
        const handshake = chosen(context, this)
        return handshake === undefined ? proceed() : act({ ...handshake, proceed, fail: (error) => error })
      },
  )
}

/** The handshakes at their start, before the first message is sent. */
export const handshakeSeam: Seam<TlsModule, Greeting> = (_tls, context, act) => {
  context.patch(
    tlsHandlePrototype(),
    'start',
    (below) =>
      function start(this: TlsHandle): unknown {
        const proceed = (): unknown => below.call.call(this)
        const handshake = chosen(context, this)
        if (handshake === undefined) return proceed()
        const { socket } = handshake
        const unlessOver =
          <Args extends readonly unknown[]>(step: (...args: Args) => unknown) =>
          (...args: Args): void => {
            if (!socket.destroyed) step(...args)
          }
        const fail = unlessOver((error: Error) => socket.destroy(error))
        const alert = unlessOver((description: number, fault: string) => {
          proceed()
          this.receive(fatalAlert(description))
          if (isError(socket.errored)) markInjected(socket.errored, fault)
        })
        return act({
          ...handshake,
          proceed,
          fail,
          later: (keep) => void keep({ proceed: unlessOver(proceed), fail, alert }),
        })
      },
  )
}

/** Returns the handshake of a client's handle, if the fault chooses it. */
function chosen(context: InjectionContext, handle: TlsHandle): Pick<Handshake, 'name' | 'args' | 'socket'> | undefined {
  const socket = socketOf(handle as never) as tls.TLSSocket | undefined
  const name = socket === undefined ? undefined : peerOf(socket)
  if (socket === undefined || name === undefined) return undefined
  const args = [socket]
  return context.operation(name).shouldInject(args) ? { name, args, socket } : undefined
}
