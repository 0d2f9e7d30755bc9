import { builtin, type InjectionContext } from '@chaos/core/authoring'
import importedNet, { type Socket } from 'node:net'
import { memberReplacer } from '../operations/member-replacer.js'
import { stopReading } from './handle.js'
import { UserBuffer } from './user-buffer.js'

const net = builtin('node:net', importedNet)

/** The most bytes of one connection that a fault holds. Then the connection reads no more, as with a full TCP window. */
const WINDOW_BYTES = 4 * 1024 * 1024

/** What a connection has read, before its stream or its `onread` callback gets it. */
export interface Incoming {
  readonly socket: Socket
  /** Bytes, or `null` for the end of the connection. */
  readonly chunk: Buffer | null
  readonly deliver: Deliver
}

/** Passes bytes, or the end, on beneath the fault, now or later. */
type Deliver = (chunk: Uint8Array | null) => void

/** Gives bytes, or the end, to the application. Returns whether it wants more. */
type Give = (chunk: Uint8Array | null) => boolean

/**
 * Hands over what connections read, above their native code and beneath everything else. That includes sockets with the
 * option `onread`, which read into a buffer of the application.
 *
 * @param take Returns `false` if the chunk is to pass.
 */
export function onReads(context: InjectionContext, take: (incoming: Incoming) => boolean): void {
  const heldBytes = new WeakMap<Socket, number>()
  const add = (socket: Socket, bytes: number): number => {
    const sum = Math.max(0, (heldBytes.get(socket) ?? 0) + bytes)
    heldBytes.set(socket, sum)
    return sum
  }
  const receive: Receive = (socket, chunk, give) => {
    const size = chunk?.length ?? 0
    const deliver: Deliver = (piece) => {
      add(socket, -(piece?.length ?? 0))
      if (!give(piece) && piece !== null) stopReading(socket)
    }
    add(socket, size)
    if (take({ socket, chunk, deliver })) return add(socket, 0) < WINDOW_BYTES
    add(socket, -size)
    return give(chunk)
  }
  const userBufferOf = patchUserBuffers(context, receive)
  context.patch(
    net.Socket.prototype,
    'push',
    (below) =>
      function push(this: Socket, ...args: [chunk: Uint8Array | null, encoding?: BufferEncoding]): boolean {
        const [chunk] = args
        if (chunk !== null && !Buffer.isBuffer(chunk)) return below.call.apply(this, args) as boolean
        const pass: Give = (piece) => below.call.call(this, piece) as boolean
        const buffer = userBufferOf(this)
        return receive(this, chunk, (piece) => {
          if (piece !== null) return pass(piece)
          const end = (): void => {
            pass(null)
            // As Node.js does, so that the end of a socket without listeners is noticed.
            this.read(0)
          }
          if (buffer === undefined) end()
          else buffer.end(end)
          return true
        })
      },
  )
}

/** Takes what a socket has read. Returns whether the socket may read on. */
type Receive = (socket: Socket, chunk: Buffer | null, give: Give) => boolean

/** Hands over what sockets with a buffer of the application read. Returns the known buffer of a socket. */
function patchUserBuffers(context: InjectionContext, receive: Receive): (socket: Socket) => UserBuffer | undefined {
  const buffers = new WeakMap<Socket, UserBuffer | undefined>()
  const paused = new Set<UserBuffer>()
  // What was read while a socket was paused is handed over after all, since nothing of the fault may stay.
  context.defer(() => {
    for (const buffer of paused) buffer.release()
  })
  const replaceMember = memberReplacer(context)
  const know = (socket: Socket): void => {
    if (buffers.has(socket)) return
    const buffer = UserBuffer.of(socket, replaceMember, (bytes) =>
      receive(socket, bytes, (piece) => {
        if (buffer === undefined || piece === null) return true
        buffer.give(piece)
        if (buffer.isPaused) paused.add(buffer)
        return !buffer.isPaused
      }),
    )
    buffers.set(socket, buffer)
  }
  context.patch(
    net.Socket.prototype,
    // Called before each read.
    '_unrefTimer',
    (below) =>
      function _unrefTimer(this: Socket): unknown {
        know(this)
        return below.call.call(this)
      },
  )
  context.patch(
    net.Socket.prototype,
    'pause',
    (below) =>
      function pause(this: Socket): unknown {
        const buffer = buffers.get(this)
        buffer?.pause()
        if (buffer !== undefined) paused.add(buffer)
        return below.call.call(this)
      },
  )
  for (const method of ['resume', 'read'] as const)
    context.patch(
      net.Socket.prototype,
      method,
      (below) =>
        function (this: Socket, ...args: unknown[]): unknown {
          const result: unknown = below.call.apply(this, args)
          const buffer = buffers.get(this)
          if (buffer !== undefined && paused.delete(buffer))
            process.nextTick(() => {
              buffer.resume()
              if (buffer.isPaused) paused.add(buffer)
            })
          return result
        },
    )
  return (socket) => buffers.get(socket)
}
