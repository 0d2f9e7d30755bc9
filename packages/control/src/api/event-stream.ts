import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import timers from 'node:timers'
import { WebSocketServer } from 'ws'
import type { ChaosController, Clock, ControllerInfo, JournalEntry } from '@chaos/core'
import type { AppEvent } from './app-event.js'
import { heldInjections } from './held-injections.js'
import { toJson } from './json.js'
import { recentMessages, type RecentMessages } from './recent-messages.js'
import { plainEntry, plainInfo } from './schemas.js'
import { serverSentWire } from './server-sent-wire.js'
import { webSocketWire } from './web-socket-wire.js'
import type { OpenWire, Wire } from './wire.js'

// Keeps the original function, since fake timers replace the module's property.
const { setImmediate: soon } = timers

/** The subprotocol of the event stream. A browser offers it together with the subprotocol that carries its token. */
export const SUBPROTOCOL = 'chaos.v1'
/**
 * Prefix of the subprotocol that carries a browser's token in base64url. Browsers cannot send an Authorization header
 * with a WebSocket.
 */
export const TOKEN_SUBPROTOCOL = 'chaos.token.'
/**
 * How often the server pings a client, in ms. A client that did not answer a ping is disconnected at the next one: what a
 * frozen client holds ends within two of these. Late timers have the rest of the promised 10 s.
 */
export const HEARTBEAT_MS = 4_500
/** The most concurrent streams. */
export const MAX_STREAMS = 32
/** How long messages are kept for clients of server-sent events after the last client has left, in ms. */
export const RESUME_MS = 60_000
/** The amount of unsent data, in bytes, from which hits are dropped. */
const HITS_UNTIL_BYTES = 256 * 1_024
/** The amount of unsent data, in bytes, from which a client is disconnected as too slow. */
const CLIENT_UNTIL_BYTES = 4 * 1_024 * 1_024
/** The most hits that are collected in one turn of the event loop. */
const MAX_HITS_PER_TURN = 1_000

/** An open event stream that can hold injections. */
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
  /** Accepts the socket of an admitted upgrade request, as a WebSocket. */
  accept(req: IncomingMessage, socket: Duplex, head: Buffer, info: ControllerInfo): void
  /** Answers an admitted request with server-sent events, from the `Last-Event-ID` of the request on. */
  answer(
    req: IncomingMessage,
    res: ServerResponse,
    headers: Readonly<Record<string, string>>,
    info: ControllerInfo,
  ): void
  connection(id: string): EventConnection | undefined
  /** Sends an app event to all clients, after all earlier journal entries. */
  notify(event: AppEvent): void
  /** Disconnects all clients and waits until the injections that they held are rolled back. */
  close(): Promise<void>
}

interface Peer extends EventConnection {
  readonly wire: Wire
  /** Resolves when the client is gone. */
  readonly gone: Promise<void>
  droppedHits: number
}

/** A message for all clients. */
type News =
  | { readonly type: 'entry'; readonly entry: JournalEntry }
  | { readonly type: 'app-event'; readonly event: AppEvent }

/** What goes on while the controller is followed. */
interface Following {
  /** The beginning of the ids of its messages, which no other has. */
  readonly name: string
  readonly stop: () => void
  /** The place of the last message. */
  place: number
  /** Kept since the first client that can resume. */
  recent: RecentMessages | undefined
}

/**
 * Sends the journal of a controller to WebSockets and as server-sent events. Without a client, the controller is not
 * followed, except for a minute after one that can resume has left.
 */
export function eventStream(controller: ChaosController, clock: Clock): EventStream {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: 1_024,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  })
  const peers = new Map<string, Peer>()
  const held = heldInjections(controller)
  let closed = false
  let gathered: News[] = []
  let gatheredHits = 0
  let droppedHits = 0
  let following: Following | undefined
  let cancelHeartbeat: (() => void) | undefined
  let cancelLeaving: (() => void) | undefined

  function gather(entry: JournalEntry): void {
    if (entry.type === 'ended') held.forget(entry.injection.id)
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
    if (following === undefined) return
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
    if (following === undefined) return
    for (const peer of peers.values()) peer.droppedHits += dropped
    for (const news of all) {
      const message = toJson(news.type === 'entry' ? { type: 'entry', entry: plainEntry(news.entry) } : news)
      following.place += 1
      following.recent?.add({ place: following.place, text: message })
      for (const peer of peers.values()) sendTo(peer, message, news.type === 'entry' && news.entry.type === 'hit')
    }
    if (dropped === 0) return
    following.place += 1
    following.recent?.add({ place: following.place, text: toJson({ type: 'dropped', hits: dropped }) })
    for (const peer of peers.values()) reportDropped(peer)
  }

  const idNow = (): string => (following === undefined ? '' : idOf(following, following.place))

  function sendTo(peer: Peer, message: string, isHit: boolean): void {
    if (isHit && peer.wire.unsentBytes > HITS_UNTIL_BYTES) {
      peer.droppedHits += 1
      return
    }
    reportDropped(peer)
    peer.wire.send(message, idNow())
    if (peer.wire.unsentBytes > CLIENT_UNTIL_BYTES) peer.wire.terminate()
  }

  function reportDropped(peer: Peer): void {
    if (peer.droppedHits === 0 || peer.wire.unsentBytes > HITS_UNTIL_BYTES) return
    peer.wire.send(toJson({ type: 'dropped', hits: peer.droppedHits }), idNow())
    peer.droppedHits = 0
  }

  function beat(): void {
    // A fault may have blocked the event loop while a pong waited. `setImmediate` lets it be read before this check.
    soon(() => {
      for (const peer of peers.values()) peer.wire.beat()
    })
    cancelHeartbeat = clock.after(HEARTBEAT_MS, beat, { ref: false })
  }

  function follow(): Following {
    cancelLeaving?.()
    cancelLeaving = undefined
    return (following ??= {
      name: randomBytes(9).toString('base64url'),
      stop: controller.follow(gather),
      place: 0,
      recent: undefined,
    })
  }

  function leave(): void {
    following?.stop()
    following = undefined
    cancelLeaving = undefined
    gathered = []
  }

  function open(openWire: OpenWire, info: ControllerInfo, resume?: Resume): void {
    // Entries collected before this client connected are sent only to the other clients.
    flush()
    const current = follow()
    if (resume !== undefined) current.recent ??= recentMessages(current.place)
    let sayGone: () => void = () => undefined
    const gone = new Promise<void>((resolve) => (sayGone = resolve))
    const id = randomBytes(24).toString('base64url')
    const wire = openWire(() => {
      forget(peer)
      sayGone()
    })
    const peer: Peer = {
      id,
      wire,
      gone,
      droppedHits: 0,
      get isOpen() {
        return peers.has(id)
      },
      hold: (injection) => held.hold(injection, id),
    }
    peers.set(id, peer)
    if (peers.size === 1) cancelHeartbeat = clock.after(HEARTBEAT_MS, beat, { ref: false })
    const { messages, missed } = missedBy(current, resume)
    const hello = { type: 'hello', connection: id, info: plainInfo(info), missed }
    wire.send(toJson(hello), idOf(current, messages[0] === undefined ? current.place : messages[0].place - 1))
    for (const { place, text } of messages) wire.send(text, idOf(current, place))
  }

  function forget(peer: Peer): void {
    peers.delete(peer.id)
    if (peers.size === 0) {
      cancelHeartbeat?.()
      if (following?.recent === undefined || closed) leave()
      else cancelLeaving = clock.after(RESUME_MS, leave, { ref: false })
    }
    held.release(peer.id)
  }

  return {
    get isFull() {
      return peers.size >= MAX_STREAMS
    },
    accept(req, socket, head, info) {
      // The endpoint may have closed after the request was admitted.
      if (closed) socket.destroy()
      else server.handleUpgrade(req, socket, head, (webSocket) => open(webSocketWire(webSocket), info))
    },
    answer(req, res, headers, info) {
      if (closed || res.destroyed) res.destroy()
      else open(serverSentWire(res, headers), info, { after: lastIdOf(req) })
    },
    connection: (id) => peers.get(id),
    notify: (event) => send({ type: 'app-event', event }),
    async close() {
      closed = true
      flush()
      const open = [...peers.values()]
      for (const { wire } of open) wire.close()
      await Promise.all(open.map(({ gone }) => gone))
      cancelLeaving?.()
      leave()
      await held.released()
    },
  }
}

/** What a client that can resume has asked for. */
interface Resume {
  /** The id of the last message that it has. */
  readonly after: string | undefined
}

function lastIdOf({ headers }: IncomingMessage): string | undefined {
  const id = headers['last-event-id']
  return typeof id === 'string' && id !== '' ? id : undefined
}

const idOf = ({ name }: Following, place: number): string => `${name}.${place}`

/** What a client that comes back has missed: the messages that are kept, and the number of others; `null` if unknown. */
function missedBy(
  following: Following,
  resume: Resume | undefined,
): { readonly messages: ReturnType<RecentMessages['after']>['messages']; readonly missed: number | null | undefined } {
  if (resume?.after === undefined) return { messages: [], missed: undefined }
  const [, name, digits] = /^([\w-]{12})\.(\d{1,15})$/.exec(resume.after) ?? []
  const place = Number(digits)
  if (following.recent === undefined || name !== following.name || place > following.place)
    return { messages: [], missed: null }
  return following.recent.after(place)
}
