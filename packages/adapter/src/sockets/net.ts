import type { TargetKind } from '@chaos/core/authoring'
import net, { type Socket } from 'node:net'

/** What the faults of connections break: Node.js' own `net` module, and with it every client in the process that connects by TCP. */
export interface NetModule {
  readonly Socket: new () => Socket
}

/** Whether a value is the `net` module, by its default export or as a namespace. */
export function isNetModule(value: unknown): value is NetModule {
  return typeof value === 'object' && value !== null && 'Socket' in value && value.Socket === net.Socket
}

/** The kind of target that faults take. */
export const netModule: TargetKind<NetModule> = {
  expects: 'the `node:net` module',
  accepts: isNetModule,
}

/** libuv's handle of a TCP socket, beneath everything that JavaScript knows of a connection. */
export interface TcpHandle {
  connect: (request: ConnectRequest, address: string, port: number) => number
  connect6: TcpHandle['connect']
}

/** What libuv tells the outcome of a connection to. Node.js makes the error of it, and the events around it. */
interface ConnectRequest {
  oncomplete:
    | ((status: number, handle: TcpHandle, request: ConnectRequest, readable: boolean, writable: boolean) => void)
    | undefined
}

/** The prototype of all TCP handles. A socket has its handle as soon as it begins to connect; this one is given up before anything is sent. */
export function tcpHandlePrototype(): TcpHandle {
  const socket = net.connect({ host: '127.0.0.1', port: 1 }) as Socket & { readonly _handle: TcpHandle }
  const handle = socket._handle
  socket.destroy()
  return Object.getPrototypeOf(handle) as TcpHandle
}

/** The socket that a handle belongs to. */
export function socketOf(handle: TcpHandle): Socket | undefined {
  const owner = Object.getOwnPropertySymbols(handle).find(({ description }) => description === 'owner_symbol')
  return owner === undefined ? undefined : (Reflect.get(handle, owner) as Socket)
}

/** Whether nobody waits for a connection any more: Node.js has gone on to the next address of its host (`autoSelectFamily`). */
export function isGivenUp({ oncomplete }: ConnectRequest): boolean {
  return oncomplete === undefined
}

/** Tells whoever waits how a connection came out: a status of libuv, 0 for a connection that stands. */
export function complete(handle: TcpHandle, request: ConnectRequest, status: number): void {
  request.oncomplete?.(status, handle, request, true, true)
}

/** The name of an operation on a connection: where it leads to, as `127.0.0.1:6379` or `[::1]:6379`. */
export function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** Where an open connection leads to; `undefined` for one that a server accepted, and for one that is not open. */
export function peerOf(socket: Socket): string | undefined {
  const { remoteAddress, remotePort } = socket
  if (remoteAddress === undefined || remotePort === undefined || isAccepted(socket)) return undefined
  return endpoint(remoteAddress, remotePort)
}

function isAccepted(socket: Socket): boolean {
  return 'server' in socket && socket.server !== null && socket.server !== undefined
}

/** Open connections that the process made, in no order. One that its client has unreferenced, as an idle pool does, is not among them. */
export function openConnections(): Socket[] {
  const handles = (process as unknown as { readonly _getActiveHandles: () => unknown[] })._getActiveHandles()
  return handles.filter(
    (handle): handle is Socket => handle instanceof net.Socket && !handle.destroyed && peerOf(handle) !== undefined,
  )
}
