import type { TargetKind } from '@chaos/core/authoring'
import net, { type Socket } from 'node:net'
import { liveSockets } from './live-sockets.js'
import { remotePathOf } from './unix.js'

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
 * Returns the prototype of all TCP handles. A socket has its handle as soon as it starts to connect; this socket is
 * destroyed before it sends a packet.
 */
export function tcpHandlePrototype(): TcpHandle {
  const socket = net.connect({ host: '127.0.0.1', port: 1 }) as Socket & { readonly _handle: TcpHandle }
  const handle = socket._handle
  socket.destroy()
  return Object.getPrototypeOf(handle) as TcpHandle
}

/** Returns the socket of a handle. */
export function socketOf(handle: TcpHandle): Socket | undefined {
  const owner = Object.getOwnPropertySymbols(handle).find(({ description }) => description === 'owner_symbol')
  return owner === undefined ? undefined : (Reflect.get(handle, owner) as Socket)
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
 * connection or if it is not open.
 */
export function peerOf(socket: Socket): string | undefined {
  const { remoteAddress, remotePort } = socket
  if (isAccepted(socket)) return undefined
  if (remoteAddress === undefined || remotePort === undefined) return remotePathOf(socket)
  return endpoint(remoteAddress, remotePort)
}

function isAccepted(socket: Socket): boolean {
  return 'server' in socket && socket.server !== null && socket.server !== undefined
}

/**
 * Returns the open connections that the process made, in no order, idle and unreferenced ones included. A connection under
 * TLS is its TLS socket.
 */
export function openConnections(): Socket[] {
  const open = liveSockets().filter((socket) => !socket.destroyed && peerOf(socket) !== undefined)
  const beneath = new Set(open.map((socket): unknown => Reflect.get(socket, '_parent')))
  return open.filter((socket) => !beneath.has(socket))
}
