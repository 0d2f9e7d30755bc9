import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import timers from 'node:timers'
import { WebSocketServer, type WebSocket } from 'ws'
import type { ChaosController, Clock, ControllerInfo, JournalEntry } from '@chaos/core'
import { toJson } from './json.js'
import type { AppEvent } from './app-event.js'
import { plainEntry, plainInfo } from './schemas.js'

// Keeps the original function, since fake timers replace the module's property.
const { setImmediate: soon } = timers

/** The subprotocol of the event stream. A browser offers it together with the subprotocol that carries its token. */
export const SUBPROTOCOL = 'chaos.v1'
/**
 * Prefix of the subprotocol that carries a browser's token in base64url. Browsers cannot send an Authorization header
 * with a WebSocket.
 */
export const TOKEN_SUBPROTOCOL = 'chaos.token.'
/** How often the server pings a client, in ms. A client that did not answer a ping is disconnected at the next one. */
export const HEARTBEAT_MS = 5_000
/** The most concurrent streams. */
export const MAX_STREAMS = 32
/** The amount of unsent data, in bytes, from which hits are dropped. */
const HITS_UNTIL_BYTES = 256 * 1_024
/** The amount of unsent data, in bytes, from which a client is disconnected as too slow. */
const CLIENT_UNTIL_BYTES = 4 * 1_024 * 1_024
/** The most hits that are collected in one turn of the event loop. */
const MAX_HITS_PER_TURN = 1_000

/** An open WebSocket that can hold injections. */
export interface EventConnection {
  /** An unguessable id. Possession of this id authorizes a request to use the connection. */
  readonly id: string
  readonly isOpen: boolean
  /** Ends an injection when the connection closes. */
  hold(injection: string): void
}

/** The event stream of one endpoint. */
export interface EventStream {
  readonly isFull: boolean
  /** Accepts the socket of an admitted upgrade request. */
  accept(req: IncomingMessage, socket: Duplex, head: Buffer, info: ControllerInfo): void
  connection(id: string): EventConnection | undefined
  /** Sends an app event to all clients, after all earlier journal entries. */
  notify(event: AppEvent): void
  /** Disconnects all clients and waits until the injections that they held are rolled back. */
  close(): Promise<void>
}

interface Peer extends EventConnection {
  readonly socket: WebSocket
  answered: boolean
  droppedHits: number
}

/** A message for all clients. */
type News =
  { readonly type: 'entry'; readonly entry: JournalEntry } | { readonly type: 'app-event'; readonly event: AppEvent }

/** Sends the journal of a controller to WebSockets. Without an open WebSocket, the controller is not followed. */
export function eventStream(controller: ChaosController, clock: Clock): EventStream {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: 1_024,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  })
  const peers = new Map<string, Peer>()
  const heldBy = new Map<string, Peer>()
  const stops = new Set<Promise<unknown>>()
  let closed = false
  let gathered: News[] = []
  let gatheredHits = 0
  let droppedHits = 0
  let stopFollowing: (() => void) | undefined
  let cancelHeartbeat: (() => void) | undefined

  function gather(entry: JournalEntry): void {
    if (entry.type === 'ended') heldBy.delete(entry.injection.id)
    if (entry.type === 'hit') {
      gatheredHits += 1
      if (gatheredHits > MAX_HITS_PER_TURN) {
        droppedHits += 1
        return
      }
    }
    send({ type: 'entry', entry })
  }

  function send(news: News): void {
    if (peers.size === 0) return
    gathered.push(news)
    // Sending before the event loop reads input again keeps entries in front of the pong: a client that pings after an
    // answer has then received the entries that led to it.
    if (gathered.length === 1) soon(flush)
  }

  function flush(): void {
    const all = gathered
    const dropped = droppedHits
    gathered = []
    gatheredHits = droppedHits = 0
    for (const peer of peers.values()) peer.droppedHits += dropped
    for (const news of all) {
      const message = toJson(news.type === 'entry' ? { type: 'entry', entry: plainEntry(news.entry) } : news)
      for (const peer of peers.values()) sendTo(peer, message, news.type === 'entry' && news.entry.type === 'hit')
    }
    if (dropped > 0) for (const peer of peers.values()) reportDropped(peer)
  }

  function sendTo(peer: Peer, message: string, isHit: boolean): void {
    if (isHit && peer.socket.bufferedAmount > HITS_UNTIL_BYTES) {
      peer.droppedHits += 1
      return
    }
    reportDropped(peer)
    peer.socket.send(message)
    if (peer.socket.bufferedAmount > CLIENT_UNTIL_BYTES) peer.socket.terminate()
  }

  function reportDropped(peer: Peer): void {
    if (peer.droppedHits === 0 || peer.socket.bufferedAmount > HITS_UNTIL_BYTES) return
    peer.socket.send(toJson({ type: 'dropped', hits: peer.droppedHits }))
    peer.droppedHits = 0
  }

  function beat(): void {
    // A fault may have blocked the event loop while a pong waited. `setImmediate` lets it be read before this check.
    soon(() => {
      for (const peer of peers.values()) {
        if (!peer.answered) {
          peer.socket.terminate()
          continue
        }
        peer.answered = false
        peer.socket.ping()
      }
    })
    cancelHeartbeat = clock.after(HEARTBEAT_MS, beat, { ref: false })
  }

  function open(socket: WebSocket, info: ControllerInfo): void {
    // Entries collected before this client connected are sent only to the other clients.
    flush()
    const peer: Peer = {
      id: randomBytes(24).toString('base64url'),
      socket,
      answered: true,
      droppedHits: 0,
      get isOpen() {
        return peers.has(peer.id)
      },
      hold: (injection) => void heldBy.set(injection, peer),
    }
    peers.set(peer.id, peer)
    if (peers.size === 1) {
      stopFollowing = controller.follow(gather)
      cancelHeartbeat = clock.after(HEARTBEAT_MS, beat, { ref: false })
    }
    socket.on('pong', () => (peer.answered = true))
    socket.on('message', () => socket.close(1_008, 'This stream accepts no messages.'))
    // The `close` event follows and cleans up.
    socket.on('error', () => undefined)
    socket.on('close', () => gone(peer))
    socket.send(toJson({ type: 'hello', connection: peer.id, info: plainInfo(info) }))
  }

  function gone(peer: Peer): void {
    peers.delete(peer.id)
    if (peers.size === 0) {
      stopFollowing?.()
      cancelHeartbeat?.()
      gathered = []
    }
    for (const [injection, holder] of heldBy) {
      if (holder !== peer) continue
      heldBy.delete(injection)
      // A failed rollback is reported in the injection's state and in the journal.
      const stop = controller.stop(injection).catch(() => undefined)
      stops.add(stop)
      void stop.finally(() => stops.delete(stop))
    }
  }

  return {
    get isFull() {
      return peers.size >= MAX_STREAMS
    },
    accept(req, socket, head, info) {
      // The endpoint may have closed after the request was admitted.
      if (closed) socket.destroy()
      else server.handleUpgrade(req, socket, head, (webSocket) => open(webSocket, info))
    },
    connection: (id) => peers.get(id),
    notify: (event) => send({ type: 'app-event', event }),
    async close() {
      closed = true
      flush()
      const closing = [...peers.values()].map((peer) => new Promise((resolve) => peer.socket.once('close', resolve)))
      for (const { socket } of peers.values()) {
        socket.close(1_001, 'The endpoint is closing.')
        socket.terminate()
      }
      await Promise.all(closing)
      await Promise.all(stops)
    },
  }
}
