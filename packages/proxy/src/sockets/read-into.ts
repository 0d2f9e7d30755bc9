import { builtin } from '@chaos/core/authoring'
import importedNet, { type Socket, type SocketConstructorOpts } from 'node:net'

const net = builtin('node:net', importedNet)

/** The option `onread` of a socket: what it reads into, and what is told of each read. */
export interface ReadInto {
  readonly buffer: () => Buffer
  readonly callback: (length: number) => boolean
}

/**
 * Has a socket that a server has accepted, and that has read nothing yet, read as the option `onread` says, which
 * `net.createServer` does not take. Node.js keeps that option in undocumented properties of the socket.
 *
 * @returns Whether this Node.js allows it. If not, nothing has changed.
 */
export function readInto(accepted: Socket, onread: ReadInto): boolean {
  const handle: unknown = Reflect.get(accepted, '_handle')
  if (typeof handle !== 'object' || handle === null) return false
  const use: unknown = Reflect.get(handle, 'useUserBuffer')
  keys ??= keysOfOnread()
  if (typeof use !== 'function' || keys === 'unknown') return false
  const buffer = onread.buffer()
  Reflect.set(accepted, keys.buffer, buffer)
  Reflect.set(accepted, keys.next, onread.buffer)
  Reflect.set(accepted, keys.callback, onread.callback)
  Reflect.apply(use, handle, [buffer])
  return true
}

/** Where a socket keeps the parts of `onread`. */
type Keys = Readonly<Record<'buffer' | 'next' | 'callback', symbol>>

let keys: Keys | 'unknown' | undefined

/** Finds the keys on a socket that was made with the option. */
function keysOfOnread(): Keys | 'unknown' {
  const onread: ReadInto = { buffer: () => Buffer.alloc(0), callback: () => true }
  const probe = new net.Socket({ onread } as unknown as SocketConstructorOpts)
  const keyOf = (name: string, value: unknown): symbol | undefined =>
    Object.getOwnPropertySymbols(probe).find(
      (key) => key.description === name && (Reflect.get(probe, key) as unknown) === value,
    )
  // Without a handle, nothing has asked for the first buffer yet.
  const buffer = keyOf('kBuffer', true)
  const next = keyOf('kBufferGen', onread.buffer)
  const callback = keyOf('kBufferCb', onread.callback)
  return buffer !== undefined && next !== undefined && callback !== undefined ? { buffer, next, callback } : 'unknown'
}
