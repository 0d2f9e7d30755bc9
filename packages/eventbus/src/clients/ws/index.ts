import type { Duplex } from 'node:stream'
import { ChaosError } from '@chaos/core'
import { isCallback, type Callback } from '../../seams/callbacks.js'
import { eventsOf } from '../../seams/client-events.js'
import { watchListeners } from '../../seams/emitter-listeners.js'
import type { EmitterLike } from '../../seams/emitter-listeners.js'
import { failInProcess } from '../../seams/fail-in-process.js'
import { bindBus, type Bus, type Connection, type Message, type SeamBinding } from '../../seams/bus.js'
import { methodSeam, replaced } from '../../seams/method-seam.js'
import { copiedBytes } from '@chaos/core/authoring'
import { SendBuffer, Sending } from './send-buffer.js'

/** A `WebSocket` of ws: that of a client, or a connection of a server. */
export interface WebSocketLike extends EmitterLike {
  readonly readyState: number
  send(data: never, options?: never, callback?: never): void
  terminate(): void
}

/** A `WebSocketServer` of ws. */
export interface WebSocketServerLike extends EmitterLike {
  readonly clients: ReadonlySet<WebSocketLike>
  off(name: never, listener: never): unknown
  handleUpgrade(request: never, socket: never, head: never, done: never): void
}

/** Options of {@link bindWebSocket} and {@link bindWebSocketServer}. */
export interface BindWebSocketOptions {
  /**
   * Returns the name of a message, for a protocol that has names in the content. `data` is a string for a text frame.
   * Default: `message` for all.
   */
  readonly nameOf?: ((data: unknown) => string) | undefined
}

/**
 * Binds one WebSocket of ws: `send`, and the listeners of `message`, which are the subscribers.
 *
 * Text frames stay text and binary frames stay binary. The callback of `send` is called at once for a dropped message, and for
 * a held one as long as the send buffer of a silent peer has room (4 MiB); beyond that, it waits until the message is sent, and
 * `bufferedAmount` grows. Pings, pongs and `close` pass, so what is held when the socket closes is lost. A listener that throws
 * stops the socket from reading for good, so an injected failure goes to the process instead, as an uncaught exception or an
 * unhandled rejection.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` for a WebSocket that is not of ws.
 */
export function bindWebSocket(socket: WebSocketLike, { nameOf = () => 'message' }: BindWebSocketOptions = {}): Bus {
  if (!('emit' in socket && 'terminate' in socket))
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      'The target is not a WebSocket of ws. Faults act on what the global WebSocket of Node.js receives if you pass it unbound, with `only: "message"`.',
    )
  return bus(
    'a WebSocket',
    { object: socket, isOne: (self) => self === socket },
    { name: 'connection', standing: () => standing([socket]) },
    (see) => watchListeners(socket, see),
    nameOf,
  )
}

/**
 * Binds all current and future connections of a WebSocketServer of ws. `publish` is what the server sends, `delivery` what it
 * receives. See {@link bindWebSocket}.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when the server does not track its clients, or is older than ws 8.7.
 */
export function bindWebSocketServer(
  server: WebSocketServerLike,
  { nameOf = () => 'message' }: BindWebSocketOptions = {},
): Bus {
  const { WebSocket } = (Reflect.get(server, 'options') ?? {}) as {
    readonly WebSocket?: { readonly prototype: object }
  }
  if (WebSocket === undefined || !(server.clients instanceof Set)) {
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      'The target is not a WebSocketServer of ws 8.7 or later with client tracking. Set `clientTracking: true`, or bind single connections with `bindWebSocket`.',
    )
  }
  const connection: Connection = {
    name: 'connection',
    standing: () => standing([...server.clients]),
    attempts: (isRefused, steps) =>
      steps.patch(
        server,
        'handleUpgrade',
        (below) =>
          function (this: unknown, ...args: readonly unknown[]): unknown {
            if (!isRefused()) return below.call.apply(this, args) as unknown
            ;(args[1] as Duplex).destroy()
            return undefined
          },
      ),
  }
  return bus(
    'a WebSocket server',
    { object: WebSocket.prototype, isOne: (self) => server.clients.has(self as WebSocketLike) },
    connection,
    (see) => watchServer(server, see),
    nameOf,
  )
}

/** The `readyState` of an open socket. */
const OPEN = 1
/** The `readyState` of a closed socket. */
const CLOSED = 3

/** One socket, or all sockets that share a prototype. */
interface Where {
  readonly object: object
  readonly isOne: (self: unknown) => boolean
}

const standing = (sockets: readonly WebSocketLike[]): (() => void)[] =>
  sockets.filter(({ readyState }) => readyState === OPEN).map((socket) => () => socket.terminate())

/** Watches the listeners of all current and future connections of a server. */
function watchServer(server: WebSocketServerLike, see: (message: Message) => void): () => void {
  const stops: (() => void)[] = []
  const watch = (socket: WebSocketLike): void => void stops.push(watchListeners(socket, see))
  server.clients.forEach(watch)
  server.on('connection' as never, watch as never)
  return () => {
    server.off('connection' as never, watch as never)
    stops.forEach((stop) => stop())
  }
}

function bus(
  kind: string,
  where: Where,
  connection: Connection,
  watching: Bus['watchListeners'],
  nameOf: (data: unknown) => string,
): Bus {
  return bindBus({
    kind,
    knowsSubscribers: true,
    watchListeners: watching,
    connections: [connection],
    seams: {
      publish: sendSeam(where, nameOf),
      delivery: eventsOf(where, {
        message: {
          name: ([, data, isBinary]) => nameOf(isBinary === true ? data : String(data)),
          payloadAt: 1,
          fail: failInProcess,
          isGone: (socket) => (socket as WebSocketLike).readyState === CLOSED,
        },
      }),
    },
  })
}

/** The arguments of `send`: the data, options and a callback, or a callback alone. */
type SendArgs = readonly [data: unknown, ...rest: readonly unknown[]]

const sendSeam =
  ({ object, isOne }: Where, nameOf: (data: unknown) => string): SeamBinding =>
  (tap, steps) => {
    const buffers = new WeakMap<WebSocketLike, SendBuffer>()
    const bufferOf = (socket: WebSocketLike): SendBuffer => {
      const buffer = buffers.get(socket) ?? new SendBuffer()
      buffers.set(socket, buffer)
      return buffer
    }
    if ('bufferedAmount' in object)
      steps.patch(
        object,
        'bufferedAmount',
        (below) =>
          function bufferedAmount(this: WebSocketLike): unknown {
            return (below.call.call(this) as number) + (buffers.get(this)?.waiting ?? 0)
          },
        { getter: true },
      )
    const sendings = new WeakMap<object, Sending>()
    const sendingOf = (args: SendArgs): Sending | undefined => sendings.get(args.at(-1) as Callback)
    const own = ([data, ...rest]: SendArgs, socket: WebSocketLike): SendArgs => {
      const options = rest.find((arg) => typeof arg !== 'function')
      const sending = new Sending(bufferOf(socket), data, rest.find(isCallback))
      sendings.set(sending.written, sending)
      return [copiedBytes(data), options, sending.written]
    }
    methodSeam<SendArgs, WebSocketLike>({
      object,
      method: 'send',
      name: ([data], socket) => (isOne(socket) ? nameOf(data) : undefined),
      read(args, socket) {
        // A socket that is not open rejects the data at once.
        if (socket.readyState !== OPEN) return undefined
        return {
          payload: args[0],
          withPayload: (payload) => replaced(args, 0, payload),
          snapshot: () => own(args, socket),
          answer: () => sendingOf(args)?.hold(),
          isGone: () => socket.readyState !== OPEN,
          lose: () => sendingOf(args)?.lose(),
          loseLate() {
            const { readyState } = socket
            const state = readyState === CLOSED ? 'CLOSED' : 'CLOSING'
            sendingOf(args)?.loseLate(new Error(`WebSocket is not open: readyState ${readyState} (${state})`))
          },
        }
      },
    })(tap, steps)
  }
