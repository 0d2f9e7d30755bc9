import { builtin, type InjectionContext } from '@chaos/core/authoring'
import importedHttp from 'node:http'
import importedHttp2 from 'node:http2'
import importedNet, { type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { hidden } from './hidden.js'
import { nativeObjects } from './native-objects.js'

const http = builtin('node:http', importedHttp)
const http2 = builtin('node:http2', importedHttp2)
const net = builtin('node:net', importedNet)

/** The native part of an HTTP/2 session. It reads its connection itself, so that no code of `net` sees the bytes. */
interface NativeSession {
  /** Takes over the reading of a connection. */
  consume: (connection: object) => void
  /** Reads bytes as if they came from the connection. */
  receive: (bytes: Uint8Array) => void
}

/** The native HTTP parser, as far as it serves as a tap on a connection. */
interface NativeParser {
  [onExecute: number]: () => void
  initialize: (type: number, resource: object) => void
  execute: (bytes: Uint8Array) => unknown
  consume: (connection: object) => void
  unconsume: () => void
  getCurrentBuffer: () => Buffer
}

interface ParserClass {
  new (): NativeParser
  readonly RESPONSE: number
  readonly kOnExecute: number
}

/** A session of HTTP/2 whose connection this process made. */
interface Session {
  readonly socket: Socket
  /** Whether the session, or its connection, is closed. */
  readonly isGone: () => boolean
}

/**
 * Takes bytes that a session received.
 *
 * @param deliver Gives bytes to the session, beneath the fault.
 * @returns `false` if the bytes are to pass.
 */
type TakeReceived = (session: Session, bytes: Uint8Array, deliver: (bytes: Uint8Array) => void) => boolean

/**
 * Hands over what the sessions of HTTP/2 receive, those included that exist already. On the connection of each lies a tap,
 * a parser of Node.js that reads in place of the session. What it reads passes through the session's own `receive`, where
 * the layers of all faults lie.
 */
export function onSessionBytes(context: InjectionContext, take: TakeReceived): void {
  const prototype = sessionPrototype()
  if (prototype === undefined) return
  const taps = new WeakMap<NativeSession, NativeParser>()
  const known = new Set<WeakRef<NativeParser>>()
  const tap = (native: NativeSession, connection: object): void => {
    if (taps.has(native)) return
    const parser = newTap((bytes) => native.receive(bytes))
    parser.consume(connection)
    taps.set(native, parser)
    known.add(new WeakRef(parser))
  }
  context.defer(() => {
    for (const parser of known) parser.deref()?.unconsume()
  })
  context.patch(
    prototype,
    'receive',
    (below) =>
      function receive(this: NativeSession, bytes: Uint8Array): unknown {
        const deliver = (piece: Uint8Array): unknown => below.call.call(this, piece)
        const session = sessionOf(this)
        return session !== undefined && take(session, bytes, deliver) ? undefined : deliver(bytes)
      },
  )
  context.patch(
    prototype,
    'consume',
    (below) =>
      function consume(this: NativeSession, connection: object): unknown {
        const result: unknown = below.call.call(this, connection)
        if (sessionOf(this) !== undefined) tap(this, connection)
        return result
      },
  )
  for (const native of liveSessions(prototype)) {
    const connection: unknown = Reflect.get(sessionOf(native)?.socket ?? {}, '_handle')
    if (typeof connection === 'object' && connection !== null) tap(native, connection)
  }
}

/** Returns the sessions of this thread; none where Node.js does not tell of its native objects. */
function liveSessions(prototype: NativeSession): readonly NativeSession[] {
  const isSession = (value: object): value is NativeSession => Object.prototype.isPrototypeOf.call(prototype, value)
  return nativeObjects()?.filter(isSession) ?? []
}

/** Returns the open session that a native one belongs to. A connection without a remote address is none of the network. */
function sessionOf(native: NativeSession): Session | undefined {
  const session = hidden(native, 'owner_symbol')
  if (typeof session !== 'object' || session === null || Reflect.get(session, 'destroyed') === true) return undefined
  const socket = hidden(session, 'socket')
  if (!(socket instanceof net.Socket) || socket.destroyed) return undefined
  return { socket, isGone: () => socket.destroyed || Reflect.get(session, 'destroyed') === true }
}

/** Returns a parser that reads nothing and reports the bytes of the connection that it consumes. */
function newTap(report: (bytes: Buffer) => void): NativeParser {
  const Parser = parserClass()
  const parser = new Parser()
  parser.initialize(Parser.RESPONSE, {})
  // After its first error a parser reads no more.
  parser.execute(Buffer.of(0))
  parser[Parser.kOnExecute] = () => report(Buffer.from(parser.getCurrentBuffer()))
  return parser
}

/** Returns the prototype of all native sessions, from a session that speaks to nobody. */
function sessionPrototype(): NativeSession | undefined {
  const session = http2.connect('http://nobody', { createConnection: nobody }).on('error', () => undefined)
  const native = hidden(session, 'kHandle')
  session.destroy()
  return typeof native === 'object' && native !== null ? (Object.getPrototypeOf(native) as NativeSession) : undefined
}

/** Returns the class of the native parser, from a connection of a server that does not listen. */
function parserClass(): ParserClass {
  const connection = nobody()
  new http.Server().emit('connection', connection)
  const parser = Reflect.get(connection, 'parser') as NativeParser
  connection.destroy()
  return parser.constructor as ParserClass
}

function nobody(): Duplex {
  return new Duplex({
    read: () => undefined,
    write: (_bytes, _encoding, done) => done(),
  })
}
