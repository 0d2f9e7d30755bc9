import type { Socket } from 'node:net'

/** The native handle of a connection, as far as it reads. */
interface ReadingHandle {
  /** Whether the connection reads. Kept by Node.js. */
  reading: boolean
  readStart: () => number
  readStop: () => number
}

/** Returns the native handle of a connection; `undefined` if it has none (any more). */
export function handleOf(socket: Socket): object | undefined {
  const handle: unknown = Reflect.get(socket, '_handle')
  return typeof handle === 'object' && handle !== null ? handle : undefined
}

/** Stops the reading of a connection, as Node.js does when a stream is full. The stream starts it again. */
export function stopReading(socket: Socket): void {
  const handle = readingHandleOf(socket)
  if (handle?.reading !== true) return
  handle.reading = false
  handle.readStop()
}

/** Starts the reading of a connection again. */
export function startReading(socket: Socket): void {
  const handle = readingHandleOf(socket)
  if (handle?.reading !== false) return
  handle.reading = true
  handle.readStart()
}

function readingHandleOf(socket: Socket): ReadingHandle | undefined {
  const handle = handleOf(socket)
  return handle !== undefined && 'readStop' in handle && 'readStart' in handle ? (handle as ReadingHandle) : undefined
}
