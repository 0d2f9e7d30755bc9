import type { Socket } from 'node:net'
import type { Stream } from '../links/stage.js'
import type { Ending } from '../sockets/outlet.js'
import { Body } from './body.js'
import { hasReset, resetConnection } from './carrier.js'
import type { Upgrade } from './upgrade.js'

/**
 * The bytes of a connection that speaks another protocol, or is to. Before the upstream has agreed, only those from the
 * client pass: a request for an upgrade may have a body.
 */
export class Tunnel {
  readonly bodies: Readonly<Record<Stream, Body>>
  readonly #client: Socket
  readonly #upstream: Socket
  #isOpen = false

  constructor(upgrade: Upgrade, upstream: Socket, maxHeldBytes: number) {
    const { socket } = upgrade
    this.#client = socket
    this.#upstream = upstream
    this.bodies = {
      upstream: new Body(socket, upstream, maxHeldBytes, (ending) => finish(upstream, ending)),
      downstream: new Body(upstream, socket, maxHeldBytes, (ending) => finish(socket, ending)),
    }
    socket.once('close', () => passEnd(socket, upstream))
    // As with any other request, the end of the client's connection means that it gives up.
    socket.once('end', () => {
      if (!this.#isOpen) socket.destroy()
    })
    const early = upgrade.take()
    this.bodies.upstream.start()
    this.bodies.upstream.add(early)
  }

  /**
   * Passes the bytes of the upstream on as well.
   *
   * @param head What the upstream has sent behind the head of its answer.
   * @param onClosed Called when both sockets are closed.
   */
  open(head: Buffer, onClosed: () => void): void {
    this.#isOpen = true
    const sockets = [this.#client, this.#upstream]
    for (const socket of sockets) {
      const check = (): void => {
        if (sockets.every(({ closed }) => closed)) onClosed()
      }
      if (!socket.closed) socket.once('close', check)
    }
    this.#upstream.once('close', () => passEnd(this.#upstream, this.#client))
    this.bodies.downstream.add(head)
    this.bodies.downstream.start()
    if (this.#upstream.closed) this.#client.destroy()
  }
}

function finish(sink: Socket, ending: Ending): void {
  if (ending === 'end') sink.end()
  else sink.destroy()
}

/** A socket that has closed without an end was reset, or destroyed here. */
function passEnd(closed: Socket, other: Socket): void {
  if (hasReset(closed)) resetConnection(other)
  else if (!closed.readableEnded) other.destroy()
}
