import type { AnyFunction, Below, InjectionContext } from '@chaos/core/authoring'
import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { Duplex } from 'node:stream'
import { listenOnce } from '../../operations/listeners.js'
import { hidden, hiddenKey } from '../../sockets/hidden.js'
import { HeldStream } from './held-stream.js'

/** A request that a session of HTTP/2 is about to start. */
export interface StartingRequest {
  readonly session: ClientHttp2Session
  /** The arguments of `request`. */
  readonly args: readonly unknown[]
  readonly send: () => ClientHttp2Stream
  /** Makes the stream of the request, and sends nothing. */
  readonly hold: () => HeldStream
}

/** The steps that a session takes when it has connected. */
type Steps = (() => void)[]

/** What a session keeps to itself. */
interface SessionState {
  flags: number
}

/** The flag of a session that has connected, in every version of Node.js. */
const IS_READY = 1

/**
 * Hands over the requests that sessions of this process start, whoever uses them: the application, gRPC, undici.
 *
 * A stream gets its number when its request is sent, numbers must rise, and each head is compressed with what the heads
 * before it said. So a request is held before all that, as Node.js holds the requests of a session that has not
 * connected yet. Other requests of the session go on.
 *
 * @param act Returns the stream of the request.
 */
export function onSessionRequests(
  context: InjectionContext,
  act: (request: StartingRequest) => ClientHttp2Stream,
): void {
  context.patch(
    prototypesOfClients().session,
    'request',
    (below) =>
      function request(this: ClientHttp2Session, ...args: unknown[]): ClientHttp2Stream {
        const send = (): ClientHttp2Stream => below.call.apply(this, args) as ClientHttp2Stream
        const keys = keysOf(this)
        if (keys === undefined || this.destroyed || this.closed) return send()
        return act({ session: this, args, send, hold: () => held(this, keys, send) })
      },
  )
}

interface Keys {
  readonly state: symbol
  readonly steps: symbol
}

/** Returns where a session keeps its flags and steps; `undefined` in a Node.js that keeps them in another way. */
function keysOf(session: object): Keys | undefined {
  const [state, steps] = [hiddenKey(session, 'state'), hiddenKey(session, 'kPendingRequestCalls')]
  if (state === undefined || steps === undefined) return undefined
  const { flags } = Reflect.get(session, state) as Partial<SessionState>
  return typeof flags === 'number' ? { state, steps } : undefined
}

/** Makes a stream as if the session had not connected yet. */
function held(session: ClientHttp2Session, keys: Keys, send: () => ClientHttp2Stream): HeldStream {
  const state = Reflect.get(session, keys.state) as SessionState
  const stepsBefore = Reflect.get(session, keys.steps) as Steps | null
  const wasReady = state.flags & IS_READY
  const steps: Steps = []
  let stream: ClientHttp2Stream
  state.flags &= ~IS_READY
  Reflect.set(session, keys.steps, steps)
  try {
    stream = send()
  } finally {
    Reflect.set(session, keys.steps, stepsBefore)
    state.flags |= wasReady
  }
  const start = (): void => {
    for (const step of steps) step()
  }
  if (wasReady !== 0) return new HeldStream(stream, start, (whenReady) => whenReady())
  // The session does not connect before, or another fault holds the request as well.
  return new HeldStream(stream, start, (whenReady) => {
    if (stepsBefore === null) listenOnce(session, 'connect', whenReady)
    else stepsBefore.push(whenReady)
  })
}

interface Prototypes {
  readonly session: ClientHttp2Session
  readonly stream: ClientHttp2Stream
}

let prototypes: Prototypes | undefined

/** Returns the prototypes of all sessions of clients and of their streams, from a session that speaks to nobody. */
function prototypesOfClients(): Prototypes {
  if (prototypes !== undefined) return prototypes
  const nobody = new Duplex({ read: () => undefined, write: (_bytes, _encoding, done) => done() })
  const session = http2.connect('http://nobody', { createConnection: () => nobody }).on('error', () => undefined)
  const stream = session.request().on('error', () => undefined)
  prototypes = {
    session: Object.getPrototypeOf(session) as ClientHttp2Session,
    stream: Object.getPrototypeOf(stream) as ClientHttp2Stream,
  }
  session.destroy()
  return prototypes
}

/** Patches a method of all sessions of clients. */
export function patchSessions(context: InjectionContext, key: PropertyKey, layer: (below: Below) => AnyFunction): void {
  context.patch(prototypesOfClients().session, key, layer)
}

/** Returns where the requests of a session go: `http://127.0.0.1:8080`. */
export function sessionOrigin(session: ClientHttp2Session): string {
  return `${schemeOf(session)}://${String(hidden(session, 'authority'))}`
}

/** Returns the scheme of a session's requests. */
export function schemeOf(session: ClientHttp2Session): string {
  const protocol = hidden(session, 'protocol')
  return (typeof protocol === 'string' ? protocol : 'https:').replace(/:$/, '')
}

/**
 * Patches a method of all streams of clients. Members of a stream's own would cost it its fast properties.
 *
 * @param layer Gets the arguments and what lies beneath.
 */
export function patchStreams(
  context: InjectionContext,
  key: PropertyKey,
  layer: (stream: ClientHttp2Stream, args: readonly unknown[], pass: Pass) => unknown,
): void {
  context.patch(
    prototypesOfClients().stream,
    key,
    (below) =>
      function (this: ClientHttp2Stream, ...args: unknown[]): unknown {
        return layer(this, args, (...given) => below.call.apply(this, given) as unknown)
      },
  )
}

/** Calls what lies beneath a layer. */
export type Pass = (...args: readonly unknown[]) => unknown

/** Returns the key of the method by which a stream starts its timeout again. */
export function timerKey(): symbol | undefined {
  return hiddenKey(prototypesOfClients().stream, 'kUpdateTimer')
}
