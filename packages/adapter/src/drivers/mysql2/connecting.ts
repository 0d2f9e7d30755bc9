import { ownersOf, type InjectionContext } from '@chaos/core/authoring'
import type { EventEmitter } from 'node:events'
import { connectInStages } from '../sql/connect-in-stages.js'
import type { Stage } from '../sql/stages.js'
import { loseConnection, meansBroken, type LosableConnection } from './lose-connection.js'

/** The internals of a connection that connect it. */
export interface ConnectingConnection extends LosableConnection {
  /** Absent until the connection is ready. */
  readonly _handshakePacket?: unknown
}

/** What happens on a connection that is held, instead of what its class does. */
interface Hold {
  readonly receive: (packet: Packet | undefined, pass: (packet: unknown) => void) => void
  readonly emit: (event: unknown, error: unknown, pass: () => boolean) => boolean
}

interface Packet {
  readonly clone?: () => object
}

/** Holds a connection that connects. */
export type HoldConnecting = (connection: ConnectingConnection, stages: readonly Stage[]) => void

/**
 * Makes a function that holds what the server says while a connection connects, beneath the `connectTimeout` of the
 * connection. The driver itself reports how it ends.
 */
export function connectingHolder(context: InjectionContext): HoldConnecting {
  const holds = new WeakMap<object, Hold>()
  const patched = new WeakSet()
  return (connection, stages) => {
    const owner = ownersOf(connection, 'handlePacket').at(-1) as object
    if (!patched.has(owner) && !context.signal.aborted) {
      patched.add(owner)
      patchClass(owner, context, holds)
    }
    holdConnecting(connection, stages, holds)
  }
}

/** Patches the class of the connections, so that nothing is put on a connection itself. */
function patchClass(owner: object, context: InjectionContext, holds: WeakMap<object, Hold>): void {
  context.patch(
    owner,
    'handlePacket',
    (below) =>
      function (this: object, packet: Packet | undefined): void {
        const pass = (given: unknown): void => void below.call.call(this, given)
        const hold = holds.get(this)
        if (hold === undefined) pass(packet)
        else hold.receive(packet, pass)
      },
  )
  context.patch(
    owner,
    'emit',
    (below) =>
      function (this: object, ...args: unknown[]): boolean {
        const hold = holds.get(this)
        if (hold === undefined) return below.call.apply(this, args) as boolean
        return hold.emit(args[0], args[1], () => below.call.apply(this, args) as boolean)
      },
  )
}

function holdConnecting(
  connection: ConnectingConnection,
  stages: readonly Stage[],
  holds: WeakMap<object, Hold>,
): void {
  const handshake = connection._command as EventEmitter
  let isHeld = true
  const packets: (() => void)[] = []
  let tellReady = (): void => undefined
  const ready = new Promise<void>((resolve, reject) => {
    holds.set(connection, {
      receive(packet, pass) {
        if (!isHeld || packet === undefined) {
          pass(packet)
          return
        }
        // The parser uses its packet again.
        const kept = packet.clone?.() ?? packet
        packets.push(() => pass(kept))
      },
      emit(event, error, pass) {
        if (event === 'connect') {
          holds.delete(connection)
          tellReady = () => void pass()
          resolve()
          return true
        }
        if (event === 'error') {
          holds.delete(connection)
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the driver's own error
          reject(error)
        }
        return pass()
      },
    })
  })
  connectInStages(stages, {
    isGone: () => connection.stream.destroyed,
    letGo() {
      isHeld = false
      for (const pass of packets.splice(0)) pass()
    },
    ready,
    tellReady: () => tellReady(),
    fail: (error) => failToConnect(connection, handshake, error),
  })
}

/** Fails a connection that connects, as the server or the network does. */
function failToConnect(connection: ConnectingConnection, handshake: EventEmitter, error: Error): void {
  if (connection.stream.destroyed) return
  if (meansBroken(error)) {
    loseConnection(connection, error)
    return
  }
  // The server refuses a connection by an error in the place of its greeting or of its last reply, and closes it.
  handshake.emit('error', error)
  if (connection._command === handshake) handshake.emit('end')
  connection.stream.destroy()
}
