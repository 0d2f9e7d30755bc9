import type { InjectionContext, Seam } from '@chaos/core/authoring'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import http from 'node:http'
import net, { type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { covering, type LayOver } from '../operations/covering.js'
import { endConnection } from '../sockets/connection-end.js'
import type { TakeBytes, Wire } from '../sockets/wire.js'
import { dispatcherOf, requestName, type Dispatcher, type RequestOptions, type RequestTarget } from './dispatcher.js'
import {
  clientRequestName,
  isHttpClient,
  isHttpServer,
  isRequestOf,
  serverRequestName,
  type HttpClient,
  type HttpTarget,
} from './target.js'
import { ResponseHead } from './response-head.js'

/** What a connection of ours has on its way. */
interface Passage {
  readonly wire: Wire
  readonly head: ResponseHead
  readonly take: TakeBytes
}

/** Is given the wire of a chosen response, and says what becomes of its bytes. */
type Act = (wire: Wire) => TakeBytes

/**
 * The responses of a target, byte by byte beneath the parser that reads them (HTTP/1), so that what the application hears is made by Node.js or undici. An
 * operation is a request; its name is that of `requestSeam`.
 */
export const responseSeam: Seam<HttpTarget, Wire, TakeBytes> = (target, context, act) => {
  if (isHttpServer(target)) {
    sentByServer(target, context, act)
    return
  }
  const passages = new WeakMap<Socket, Passage>()
  readBy(context, passages)
  /** A request goes out on a connection: what comes next on it is its response. */
  const sent = (socket: Socket, isChosen: boolean): void => {
    if (!isChosen) passages.delete(socket)
    else passages.set(socket, passageOf(receivingWire(socket), act))
  }
  if (isHttpClient(target)) sentByClient(target, context, sent)
  else sentByUndici(target, context, sent)
}

function passageOf(wire: Wire, act: Act): Passage {
  return { wire, head: new ResponseHead(), take: act(wire) }
}

/** Where Node.js hands over what the kernel had. */
const pushed = new WeakMap<Socket, (chunk: Buffer | null) => boolean>()

function receivingWire(socket: Socket): Wire {
  return {
    line: Symbol('response'),
    deliver(bytes, done) {
      if (socket.destroyed) return
      pushed.get(socket)?.(bytes)
      done?.()
    },
    cut: (how, fault) => endConnection(socket, how, fault),
  }
}

function readBy(context: InjectionContext, passages: WeakMap<Socket, Passage>): void {
  context.patch(
    net.Socket.prototype,
    'push',
    (below) =>
      function push(this: Socket, ...args: [chunk: Buffer | null, encoding?: BufferEncoding]): boolean {
        const [chunk] = args
        const passage = passages.get(this)
        if (passage === undefined) return below.call.apply(this, args) as boolean
        const { wire, head, take } = passage
        pushed.set(this, (bytes) => below.call.call(this, bytes) as boolean)
        if (chunk !== null) {
          take(Buffer.from(chunk), head.lengthIn(chunk), () => undefined)
          return true
        }
        // The end of a connection waits behind what it follows.
        const run = (): void => void below.call.call(this, null)
        if (context.isHolding(wire.line)) context.queue({ order: wire.line, run })
        else run()
        return false
      },
  )
}

/** Keeps an injection whose limit is spent in force until the response that it has chosen is over. @returns Call it then. */
function awaited(context: InjectionContext): () => void {
  const held = context.hold({ afterMs: Number.POSITIVE_INFINITY, run: () => undefined })
  return () => held.drop()
}

function sentByClient(
  client: HttpClient,
  context: InjectionContext,
  sent: (socket: Socket, isChosen: boolean) => void,
): void {
  context.patch(
    http.ClientRequest.prototype,
    'onSocket',
    (below) =>
      function onSocket(this: http.ClientRequest, ...args: unknown[]): unknown {
        const [socket] = args
        if (socket instanceof net.Socket) {
          const isChosen = isRequestOf(client, this) && context.operation(clientRequestName(this)).shouldInject([this])
          if (isChosen) this.once('close', awaited(context))
          sent(socket, isChosen)
        }
        return below.call.apply(this, args)
      },
  )
}

/** What undici tells when it has begun to send a request. */
const SEND_HEADERS = 'undici:client:sendHeaders'

function sentByUndici(
  target: RequestTarget,
  context: InjectionContext,
  sent: (socket: Socket, isChosen: boolean) => void,
): void {
  // A handler hears that its request goes out, and right behind it, in the same turn, everyone hears on which connection.
  let going = false
  const layOver = covering(context)
  context.patch(
    dispatcherOf(target),
    'dispatch',
    (below) =>
      function dispatch(this: Dispatcher, ...args: [options: RequestOptions, handler: object]): boolean {
        const [, handler] = args
        const name = requestName(args)
        // Over the methods of a frozen handler nothing can be laid.
        if (name !== undefined && Object.isExtensible(handler) && context.operation(name).shouldInject(args)) {
          const isNew = 'onRequestStart' in handler
          whenCalled(layOver, handler, isNew ? 'onRequestStart' : 'onConnect', () => {
            going = true
            queueMicrotask(() => (going = false))
          })
          const isOver = awaited(context)
          for (const method of isNew ? ['onResponseEnd', 'onResponseError'] : ['onComplete', 'onError'])
            whenCalled(layOver, handler, method, isOver)
        }
        return below.call.apply(this, args) as boolean
      },
  )
  const onSend = (message: unknown): void => {
    sent((message as { readonly socket: Socket }).socket, going)
    going = false
  }
  subscribe(SEND_HEADERS, onSend)
  context.defer(() => void unsubscribe(SEND_HEADERS, onSend))
}

/** Calls `listener` each time right before a method of an object is called. */
function whenCalled(layOver: LayOver, object: object, method: string, listener: () => void): void {
  layOver(
    object,
    method,
    (original) =>
      function (...args) {
        listener()
        return typeof original === 'function' ? (Reflect.apply(original, this, args) as unknown) : undefined
      },
  )
}

/** The seam of a socket beneath everything that is written to it. */
interface WritingSocket extends Socket {
  _writeGeneric: (
    isMany: boolean,
    data: unknown,
    encoding: BufferEncoding | 'buffer',
    done: (error?: Error | null) => void,
  ) => void
}

/** Responses of a server of ours, on their way out. */
function sentByServer(server: http.Server, context: InjectionContext, act: Act): void {
  const sockets = new Set<Socket>()
  const leave = (socket: Socket): void => {
    if (sockets.delete(socket)) Reflect.deleteProperty(socket, '_writeGeneric')
  }
  context.defer(() => sockets.forEach(leave))
  context.patch(
    server,
    'emit',
    (below) =>
      function emit(this: http.Server, ...args: unknown[]): boolean {
        const [event, request, response] = args as [
          event: string,
          request: http.IncomingMessage,
          response: http.ServerResponse,
        ]
        if (event !== 'request') return below.call.apply(this, args) as boolean
        const socket = request.socket as WritingSocket
        leave(socket)
        if (context.operation(serverRequestName(request)).shouldInject([request, response])) {
          const write = socket._writeGeneric
          const { head, take } = passageOf(sendingWire(socket, write), act)
          const value: WritingSocket['_writeGeneric'] = (isMany, data, encoding, done) => {
            const bytes = bytesOf(isMany, data, encoding)
            take(bytes, head.lengthIn(bytes), done)
          }
          Object.defineProperty(socket, '_writeGeneric', { value, writable: true, configurable: true })
          sockets.add(socket)
          socket.once('close', () => leave(socket))
          response.once('close', awaited(context))
        }
        return below.call.apply(this, args) as boolean
      },
  )
}

function sendingWire(socket: WritingSocket, write: WritingSocket['_writeGeneric']): Wire {
  // TLS takes one write at a time, as streams give it.
  const waiting: (() => void)[] = []
  let isWriting = false
  const deliver: Wire['deliver'] = (bytes, done = () => undefined) => {
    if (socket.destroyed) {
      done()
      return
    }
    if (isWriting) {
      waiting.push(() => deliver(bytes, done))
      return
    }
    isWriting = true
    write.call(socket, false, bytes, 'buffer', (error) => {
      isWriting = false
      waiting.shift()?.()
      done(error)
    })
  }
  return {
    line: Symbol('response'),
    deliver,
    cut(how) {
      if (how === 'reset') connectionOf(socket).resetAndDestroy()
      else socket.destroy()
    },
  }
}

/** The TCP connection beneath TLS, which alone can be reset. */
function connectionOf(socket: Socket): Socket {
  const parent: unknown = socket instanceof TLSSocket ? Reflect.get(socket, '_parent') : undefined
  return parent instanceof net.Socket ? parent : socket
}

function bytesOf(isMany: boolean, data: unknown, encoding: BufferEncoding | 'buffer'): Buffer {
  if (!isMany)
    return typeof data === 'string' ? Buffer.from(data, encoding as BufferEncoding) : Buffer.from(data as Uint8Array)
  return Buffer.concat(
    (data as readonly { readonly chunk: string | Uint8Array; readonly encoding: BufferEncoding }[]).map((part) =>
      bytesOf(false, part.chunk, part.encoding),
    ),
  )
}
