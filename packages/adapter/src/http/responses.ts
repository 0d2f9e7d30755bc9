import type { InjectionContext, Seam } from '@chaos/core/authoring'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import http from 'node:http'
import net, { type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { memberReplacer, type ReplaceMember } from '../operations/member-replacer.js'
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

/** A chosen response on its way. */
interface Passage {
  readonly wire: Wire
  readonly head: ResponseHead
  readonly take: TakeBytes
}

/** Gets the wire of a chosen response and returns the handler of its bytes. */
type Act = (wire: Wire) => TakeBytes

/**
 * The responses of a target as bytes, beneath the HTTP/1 parser, so that Node.js or undici itself makes the errors that
 * the application gets. An operation is a request; its name is the one in `requestSeam`.
 */
export const responseSeam: Seam<HttpTarget, Wire, TakeBytes> = (target, context, act) => {
  if (isHttpServer(target)) {
    sentByServer(target, context, act)
    return
  }
  const passages = new WeakMap<Socket, Passage>()
  readBy(context, passages)
  /** Notes that a request was sent on a connection, so the next bytes received there are its response. */
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

/** The functions that pass received bytes on beneath the fault. */
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
        // The end of a connection waits behind the bytes that are held.
        const run = (): void => void below.call.call(this, null)
        if (context.isHolding(wire.line)) context.queue({ order: wire.line, run })
        else run()
        return false
      },
  )
}

/**
 * Keeps an injection with a spent limit in force until a chosen response is over.
 *
 * @returns A function to call when the response is over.
 */
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

/** The diagnostics channel on which undici publishes that it starts to send a request. */
const SEND_HEADERS = 'undici:client:sendHeaders'

function sentByUndici(
  target: RequestTarget,
  context: InjectionContext,
  sent: (socket: Socket, isChosen: boolean) => void,
): void {
  // Undici first calls the handler and then, in the same turn of the event loop, publishes the connection of the
  // request.
  let going = false
  const replaceMember = memberReplacer(context)
  context.patch(
    dispatcherOf(target),
    'dispatch',
    (below) =>
      function dispatch(this: Dispatcher, ...args: [options: RequestOptions, handler: object]): boolean {
        const [, handler] = args
        const name = requestName(args)
        // The methods of a frozen handler cannot be replaced.
        if (name !== undefined && Object.isExtensible(handler) && context.operation(name).shouldInject(args)) {
          const isNew = 'onRequestStart' in handler
          whenCalled(replaceMember, handler, isNew ? 'onRequestStart' : 'onConnect', () => {
            going = true
            queueMicrotask(() => (going = false))
          })
          const isOver = awaited(context)
          for (const method of isNew ? ['onResponseEnd', 'onResponseError'] : ['onComplete', 'onError'])
            whenCalled(replaceMember, handler, method, isOver)
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

/** Calls `listener` before each call of a method. */
function whenCalled(replaceMember: ReplaceMember, object: object, method: string, listener: () => void): void {
  replaceMember(
    object,
    method,
    (original) =>
      function (...args) {
        listener()
        return typeof original === 'function' ? (Reflect.apply(original, this, args) as unknown) : undefined
      },
  )
}

/** The internal method of a socket that all writes go through. */
interface WritingSocket extends Socket {
  _writeGeneric: (
    isMany: boolean,
    data: unknown,
    encoding: BufferEncoding | 'buffer',
    done: (error?: Error | null) => void,
  ) => void
}

/** Patches the responses that a server of this process sends. */
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
  // A TLS socket accepts one write at a time, as streams issue them.
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

/** Returns the TCP connection beneath TLS, since only that can be reset. */
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
