import { systemClock } from '@chaos/core/authoring'
import type { Socket } from 'node:net'

/** How long a peer may leave what it was sent unread, in ms. */
const SLOW_MS = 5_000

/** Why the messages of a peer are not read any further. */
export type Nonsense = 'a line that is too long' | 'a line that is no JSON'

/**
 * Hands over the messages that a socket receives: one JSON value a line. Nothing after a line that is too long, or that is no
 * JSON, could be trusted, so nothing after it is read.
 *
 * @param maxBytes Returns the length of the longest line. It is asked for each line.
 * @param take Receives a message, and the length of its line in bytes.
 * @param refuse Closes the socket. Default: at once.
 */
export function onMessages(
  socket: Socket,
  maxBytes: () => number,
  take: (message: unknown, sizeBytes: number) => void,
  refuse: (what: Nonsense) => void = () => socket.destroy(),
): void {
  let parts: Buffer[] = []
  let size = 0
  let isRefused = false
  const stop = (what: Nonsense): void => {
    isRefused = true
    parts = []
    refuse(what)
  }
  socket.on('data', (chunk: Buffer) => {
    let rest = chunk
    while (!isRefused && !socket.destroyed && !socket.writableEnded) {
      const end = rest.indexOf(NEWLINE)
      size += end < 0 ? rest.length : end
      if (size > maxBytes()) {
        stop('a line that is too long')
        return
      }
      if (end < 0) {
        parts.push(rest)
        return
      }
      const line = Buffer.concat([...parts, rest.subarray(0, end)])
      rest = rest.subarray(end + 1)
      parts = []
      size = 0
      const message = parsed(line)
      if (message === undefined) stop('a line that is no JSON')
      else take(message, line.length)
    }
  })
}

const NEWLINE = 0x0a

function parsed(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8')) as unknown
  } catch {
    return undefined
  }
}

/** Sends a message. A peer that leaves it unread for 5 s is cut off: it must not fill the memory of this process. */
export function send(socket: Socket, message: object): void {
  sendText(socket, JSON.stringify(message))
}

/** Sends a message that is JSON already, as {@link send} does. */
export function sendText(socket: Socket, text: string): void {
  if (socket.destroyed || socket.writableEnded) return
  if (socket.write(`${text}\n`) || timed.has(socket)) return
  timed.add(socket)
  const cancel = systemClock.after(SLOW_MS, () => socket.destroy(), { ref: false })
  void drained(socket).then(() => {
    cancel()
    timed.delete(socket)
  })
}

/** The sockets that have something to read, and a time in which to do so. */
const timed = new WeakSet<Socket>()

/** Resolves when a peer has read what it was sent, or is gone. */
export function drained(socket: Socket): Promise<void> {
  if (!socket.writableNeedDrain || socket.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const settle = (): void => {
      socket.off('drain', settle).off('close', settle)
      resolve()
    }
    socket.on('drain', settle).on('close', settle)
  })
}
