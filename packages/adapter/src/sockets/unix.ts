import { builtin } from '@chaos/core/authoring'
import importedNet, { type Socket } from 'node:net'
import { handleOf } from './handle.js'
import { nativePrototype } from './native-prototype.js'

const net = builtin('node:net', importedNet)

/** The native handle of a connection over a Unix socket, or a named pipe on Windows. */
export interface PipeHandle {
  connect: (request: object, path: string) => number
}

/** A handle in a diagnostic report of Node.js. */
interface ReportedHandle {
  readonly type: string
  readonly fd?: number
  readonly remoteEndpoint?: string | null
}

/** The paths of open connections; `undefined`: none, as for a pipe to a child process. */
const paths = new WeakMap<object, string | undefined>()

/**
 * Returns the prototype of all handles of Unix sockets. Where Node.js denies its native bindings, a socket gives it: a socket
 * has its handle before it looks at the path, which is none here, so that it connects to nothing.
 */
export function pipeHandlePrototype(): PipeHandle {
  const known = nativePrototype('pipe_wrap', 'Pipe')
  if (known !== undefined) return known as PipeHandle
  const socket = new net.Socket()
  try {
    socket.connect({ path: {} as string })
  } catch {
    // The path is none.
  }
  const handle = handleOf(socket)
  socket.destroy()
  return Object.getPrototypeOf(handle) as PipeHandle
}

/** Returns the path that an open connection leads to; `undefined` if it leads to none. */
export function remotePathOf(socket: Socket): string | undefined {
  const parent: unknown = Reflect.get(socket, '_parent')
  if (parent instanceof net.Socket) return remotePathOf(parent)
  const handle = handleOf(socket)
  if (handle === undefined || socket.connecting || handle.constructor.name !== 'Pipe') return undefined
  if (!paths.has(handle)) paths.set(handle, reportedPath(Reflect.get(handle, 'fd')))
  return paths.get(handle)
}

/** Asks the kernel, by the report of Node.js, since a handle itself does not tell. */
function reportedPath(descriptor: unknown): string | undefined {
  const { report } = process
  const before: unknown = Reflect.get(report, 'excludeNetwork')
  // Else Node.js looks up the names of all peers.
  if (before !== undefined) Reflect.set(report, 'excludeNetwork', true)
  try {
    const { libuv } = report.getReport() as unknown as { readonly libuv: readonly ReportedHandle[] }
    const found = libuv.find(({ type, fd }) => type === 'pipe' && fd === descriptor)
    return found?.remoteEndpoint === '' ? undefined : (found?.remoteEndpoint ?? undefined)
  } finally {
    if (before !== undefined) Reflect.set(report, 'excludeNetwork', before)
  }
}
