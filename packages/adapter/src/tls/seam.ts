import {
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

/** What the faults of handshakes break: Node.js' own `tls` module, and with it every client in the process that speaks TLS. */
export interface TlsModule {
  readonly TLSSocket: typeof tls.TLSSocket
}

/** Whether a value is the `tls` module, by its default export or as a namespace. */
function isTlsModule(value: unknown): value is TlsModule {
  return typeof value === 'object' && value !== null && 'TLSSocket' in value && value.TLSSocket === tls.TLSSocket
}

/** The kind of target that faults take. */
export const tlsModule: TargetKind<TlsModule> = {
  expects: 'the `node:tls` module',
  accepts: isTlsModule,
}

/** OpenSSL's side of a connection. */
interface TlsHandle {
  /** Begins the handshake. */
  start: () => unknown
  /** What is wrong with the other side's certificate, or `null`. */
  verifyError: () => Error | null | undefined
  /** Takes bytes as if they had come from the wire. */
  readonly receive: (bytes: Buffer) => void
}

/** The prototype of all of them. */
export function tlsHandlePrototype(): TlsHandle {
  const socket = new tls.TLSSocket(new net.Socket()) as tls.TLSSocket & { readonly _handle: TlsHandle }
  const prototype = Object.getPrototypeOf(socket._handle) as TlsHandle
  socket.destroy()
  return prototype
}

/** A handshake of a connection that the process makes. Its name is where the connection leads to. */
export interface Handshake extends SeamOperation {
  readonly socket: tls.TLSSocket
}

/** A handshake that has not begun. */
export interface Greeting extends Handshake {
  readonly later: (keep: (rest: RestOfHandshake) => Held) => unknown
}

/** What is left of a handshake that has not begun. Nothing of it happens to a connection that was ended meanwhile. */
interface RestOfHandshake extends RestOfOperation {
  /** Lets the other side answer with a fatal alert. */
  readonly alert: (description: number, fault: string) => void
}

/** Handshakes where the other side's certificate is looked at. An error that fails one is what is wrong with the certificate. */
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

/** Handshakes where they begin, before the first message is sent. */
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
          if (socket.errored instanceof Error) markInjected(socket.errored, fault)
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

/** The handshake of a client's handle, if it is chosen. */
function chosen(context: InjectionContext, handle: TlsHandle): Pick<Handshake, 'name' | 'args' | 'socket'> | undefined {
  const socket = socketOf(handle as never) as tls.TLSSocket | undefined
  const name = socket === undefined ? undefined : peerOf(socket)
  if (socket === undefined || name === undefined) return undefined
  const args = [socket]
  return context.operation(name).shouldInject(args) ? { name, args, socket } : undefined
}
