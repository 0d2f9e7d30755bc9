import { builtin, isExempt, type TargetKind } from '@chaos/core/authoring'
import importedNet, { type Socket } from 'node:net'
import { hidden } from './hidden.js'
import { liveSockets, type LiveSockets } from './live-sockets.js'
import { nativePrototype } from './native-prototype.js'
import { remotePathOf } from './unix.js'

const net = builtin('node:net', importedNet)
// A copy: the stub of a test must not answer.
const { connect } = net

/** The target of connection faults: the `net` module of Node.js, and with it every TCP client in the process. */
export interface NetModule {
  readonly Socket: new () => Socket
}

/** Returns whether a value is the `net` module, as default export or namespace. */
export function isNetModule(value: unknown): value is NetModule {
  return typeof value === 'object' && value !== null && 'Socket' in value && value.Socket === net.Socket
}

/** The kind of target that connection faults accept. */
export const netModule: TargetKind<NetModule> = {
  expects: 'the `node:net` module',
  accepts: isNetModule,
}

/** The libuv handle of a TCP socket or, with a path as address and no port, of a Unix socket, beneath the JavaScript code of a connection. */
export interface TcpHandle {
  connect: (request: ConnectRequest, address: string, port?: number) => number
  connect6: TcpHandle['connect']
}

/** The libuv request of a connection attempt. Node.js turns its outcome into the error and the events. */
interface ConnectRequest {
  oncomplete:
    | ((status: number, handle: TcpHandle, request: ConnectRequest, readable: boolean, writable: boolean) => void)
    | undefined
}

/**
 * Returns the prototype of all TCP handles. Where Node.js denies its native bindings, as under `--permission`, a socket gives
 * it: a socket has its handle as soon as it starts to connect, and this one is destroyed before it sends a packet. An
 * instrumentation of `net` sees that attempt.
 */
export function tcpHandlePrototype(): TcpHandle {
  const known = nativePrototype('tcp_wrap', 'TCP')
  if (known !== undefined) return known as TcpHandle
  const socket = connect({ host: '127.0.0.1', port: 1 }) as Socket & { readonly _handle: TcpHandle }
  const handle = socket._handle
  socket.destroy()
  return Object.getPrototypeOf(handle) as TcpHandle
}

/** Returns the socket of a handle. */
export function socketOf(handle: TcpHandle): Socket | undefined {
  return hidden(handle, 'owner_symbol') as Socket | undefined
}

/**
 * Returns whether Node.js has given up an attempt, since it tries the next address of the host (`autoSelectFamily`).
 */
export function isGivenUp({ oncomplete }: ConnectRequest): boolean {
  return oncomplete === undefined
}

/** Completes a connection attempt with a libuv status; 0 is an open connection. */
export function complete(handle: TcpHandle, request: ConnectRequest, status: number): void {
  request.oncomplete?.(status, handle, request, true, true)
}

/**
 * Returns the operation name of a connection: its remote address, as `127.0.0.1:6379` or `[::1]:6379`. A Unix socket has
 * no port, and its address is its path.
 */
export function endpoint(address: string, port: number | undefined): string {
  if (port === undefined) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/**
 * Returns the remote address of an open connection, the path at a Unix socket; `undefined` if a server accepted the
 * connection, if it is not open, or if it is exempt from faults.
 */
export function peerOf(socket: Socket): string | undefined {
  const { remoteAddress, remotePort } = socket
  if (isAccepted(socket) || isExempt(socket)) return undefined
  if (remoteAddress === undefined || remotePort === undefined) return remotePathOf(socket)
  return endpoint(remoteAddress, remotePort)
}

function isAccepted(socket: Socket): boolean {
  return 'server' in socket && socket.server !== null && socket.server !== undefined
}

/**
 * Returns the open connections that the process made and that faults may affect, oldest first, idle and unreferenced ones
 * included. A connection under TLS is its TLS socket.
 */
export function openConnections(): LiveSockets {
  const { sockets, isAll } = liveSockets()
  const open = sockets.filter((socket) => !socket.destroyed && peerOf(socket) !== undefined)
  const beneath = new Set(open.map((socket): unknown => Reflect.get(socket, '_parent')))
  return { sockets: open.filter((socket) => !beneath.has(socket)), isAll }
}
