import { builtin, exempt } from '@chaos/core/authoring'
import importedNet, { type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { ReadBuffer } from './read-buffer.js'
import { readInto, type ReadInto } from './read-into.js'
import { resetSocket } from './reset-socket.js'

const net = builtin('node:net', importedNet)

/** What a wire tells its connection. */
export interface WireEvents {
  /**
   * Bytes have come. They are valid during the call only, unless `keep` is called.
   *
   * @returns Whether the bytes are still in use after the call, since the system has not taken them all yet.
   */
  readonly onBytes: (bytes: Buffer, keep: () => Buffer) => boolean
  /** The peer has sent its end (FIN). */
  readonly onEnd: () => void
  /** The peer has reset the connection, or it failed in another way. */
  readonly onFailure: (error: Error) => void
  /** The socket is closed. */
  readonly onClose: () => void
}

/** One end of a connection: a socket that reads into a reused buffer where Node.js offers it, or TLS on a plain socket. */
export class Wire {
  /** The connection itself. */
  readonly transport: Socket
  /** What bytes are read from and written to: the connection itself, or TLS on it. */
  socket: Socket
  readonly #events: WireEvents
  readonly #buffer: ReadBuffer | undefined
  #isPaused: boolean

  private constructor(socket: Socket, isPaused: boolean, events: WireEvents, buffer: ReadBuffer | undefined) {
    const { onEnd, onFailure, onClose } = events
    this.transport = this.socket = exempt(socket)
    this.#events = events
    this.#buffer = buffer
    this.#isPaused = isPaused
    socket.setNoDelay(true)
    socket.on('end', onEnd)
    socket.on('error', onFailure)
    socket.on('close', onClose)
  }

  /** A wire to the upstream, not connected yet. @param isForTls Leaves the bytes to be read by TLS. */
  static open(events: WireEvents, isForTls = false): Wire {
    const buffer = isForTls ? undefined : new ReadBuffer()
    const options = { allowHalfOpen: true, ...(buffer && { onread: intoBuffer(buffer, events) }) }
    return new Wire(new net.Socket(options), isForTls, events, buffer)
  }

  /**
   * The wire of a connection that a server has accepted paused (`pauseOnConnect`). It reads into a reused buffer where this
   * Node.js allows it.
   */
  static accepted(socket: Socket, events: WireEvents, isPublicOnly = false): Wire {
    const buffer = isPublicOnly ? undefined : new ReadBuffer()
    if (buffer !== undefined && readInto(socket, intoBuffer(buffer, events)))
      return new Wire(socket, true, events, buffer)
    const wire = new Wire(socket, true, events, undefined)
    socket.on('data', wire.#onData)
    return wire
  }

  /**
   * Gives the connection, which is no longer read here, to a handshake of TLS.
   *
   * @param received What has been read from it.
   */
  surrender(received: Buffer): Socket {
    const { transport } = this
    transport.pause()
    transport.off('data', this.#onData).off('end', this.#events.onEnd)
    if (received.length > 0) transport.unshift(received)
    return transport
  }

  /** Reads and writes through TLS from now on, paused. */
  secure(socket: TLSSocket): void {
    const { onEnd, onFailure } = this.#events
    this.socket = socket.pause()
    this.#isPaused = true
    socket.on('data', this.#onData).on('end', onEnd).on('error', onFailure)
    // Node.js 18 leaves it open when its connection is destroyed.
    this.transport.on('close', () => socket.destroy())
  }

  /** Gives its buffers to other wires. Call it once, when both sockets of the connection are closed. */
  release(): void {
    this.#buffer?.release()
  }

  pause(): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.socket.pause()
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.socket.resume()
  }

  /** Resets the connection (RST). */
  reset(): void {
    resetSocket(this.transport, this.socket)
  }

  readonly #onData = (bytes: Buffer): void => void this.#events.onBytes(bytes, () => bytes)
}

function intoBuffer(buffer: ReadBuffer, { onBytes }: WireEvents): ReadInto {
  return {
    buffer: buffer.next,
    callback(length) {
      const isInUse = onBytes(buffer.next().subarray(0, length), () => buffer.keep(length))
      if (!isInUse) buffer.fit(length)
      return true
    },
  }
}
