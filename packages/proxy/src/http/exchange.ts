import type { ClientRequest, IncomingMessage, InformationEvent, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ByteAccount } from '../links/byte-account.js'
import type { Stream } from '../links/stage.js'
import { formatAddress } from '../sockets/address.js'
import { sendAnswer, type Answer } from './answer.js'
import { Bodies } from './bodies.js'
import { hasFailed, hasReset, onceClosed, resetConnection } from './carrier.js'
import type { ClientConnection } from './client-connection.js'
import type { Encounters } from './encounters.js'
import { endToEnd, headOf } from './header-lines.js'
import { answerLines, isOld, requestLines, sendHead, type HostChoice } from './messages.js'
import type { HowToEnd, Passage, RequestFault } from './request-fault.js'
import type { RequestInfo } from './request-info.js'
import type { RequestOutcome, RequestState, RequestStatus } from './request-state.js'
import { Tunnel } from './tunnel.js'
import type { Upgrade } from './upgrade.js'

/** The most bytes of interim answers that wait for a client. */
const MAX_INTERIM = 65_536

/** What an exchange needs of its proxy. */
export interface ExchangeSettings extends HostChoice {
  readonly startedAt: number
  readonly maxHeldBytes: number
  readonly maxHeaderBytes: number
  /** Called once, when both sides are done. */
  readonly onOver: (exchange: Exchange, outcome: RequestOutcome) => void
}

/** The two sides of an exchange as the server of the proxy has them. */
export interface ServerSide {
  readonly connection: ClientConnection
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Present if the connection is to speak another protocol. */
  readonly upgrade?: Upgrade
}

/** One request and its answer, on their way through the faults that were chosen for the request. */
export class Exchange {
  readonly #side: ServerSide
  readonly #info: RequestInfo
  readonly #encounters: Encounters
  readonly #settings: ExchangeSettings
  readonly #bodies: Bodies
  #status: RequestStatus = 'waiting'
  #outcome: RequestOutcome | undefined
  #upstream: ClientRequest | undefined
  #isAnswered = false
  #isClientDone = false
  #isUpstreamDone = true
  #isOver = false

  constructor(side: ServerSide, info: RequestInfo, encounters: Encounters, settings: ExchangeSettings) {
    this.#side = side
    this.#info = info
    this.#encounters = encounters
    this.#settings = settings
    this.#bodies = new Bodies(encounters, settings.maxHeldBytes, (how) => this.#abort('cut', how))
  }

  get state(): RequestState {
    const { ordinal, method, url, clientAddress, clientPort } = this.#info
    return {
      ordinal,
      method,
      url: url.slice(0, 1_024),
      client: formatAddress({ host: clientAddress, port: clientPort }),
      status: this.#status,
      startedAt: this.#settings.startedAt,
      upstream: this.accountOf('upstream'),
      downstream: this.accountOf('downstream'),
      hits: this.#encounters.hits,
    }
  }

  /** What became of the bytes of one of the two bodies. */
  accountOf(stream: Stream): ByteAccount {
    return this.#bodies.accountOf(stream)
  }

  /** Passes the faults that act before the upstream, and then sends the request, when those before it are answered. */
  start(): void {
    const { connection, request, response, upgrade } = this.#side
    // A client that goes away is told of by the end of the response.
    for (const message of [request, response]) message.on('error', () => undefined)
    response.once('close', this.#clientDone)
    if (upgrade !== undefined) {
      response.once('finish', () => {
        connection.end('close')
        this.#clientDone()
      })
    }
    // What follows an answer that came early still has to be read.
    request.once('end', this.#finish).once('close', this.#finish)
    connection.onClose(this.#clientDone)
    connection.enter(() => {
      if (this.#isClientDone) return false
      if (upgrade !== undefined) response.assignSocket(upgrade.socket)
      this.#encounters.pass(
        'onRequest',
        this.#passage(() => this.#send()),
      )
      return true
    })
  }

  /** Takes a fault out, since it has ended. */
  leave(fault: RequestFault): void {
    this.#encounters.leave(fault)
  }

  /** @param answered The upstream's answer, if there is one. */
  #passage(proceed: () => void, answered?: IncomingMessage): Passage {
    return {
      isOver: () => this.#isClientDone || this.#outcome !== undefined,
      proceed,
      answer: (answer) => this.#inject(answer, answered),
      abort: (how) => this.#abort('cut', how),
    }
  }

  #inject(answer: Answer, answered: IncomingMessage | undefined): void {
    const { connection, request, response, upgrade } = this.#side
    this.#outcome = 'injected'
    this.#status = 'answering'
    if (answered !== undefined && this.#upstream !== undefined) {
      this.#bodies.discard('downstream', answered)
      connection.drain(this.#upstream)
    } else if (upgrade === undefined) this.#bodies.discard('upstream', request)
    sendAnswer(response, answer)
  }

  #send(): void {
    const { connection, request, upgrade } = this.#side
    const headers = this.#encounters.changed('upstream', requestLines(request, this.#settings))
    const { method, url } = this.#info
    let upstream: ClientRequest
    try {
      upstream = connection.request({ method, path: url, headers, maxHeaderSize: this.#settings.maxHeaderBytes })
    } catch {
      this.#abort('failed', 'close')
      return
    }
    this.#upstream = upstream
    this.#isUpstreamDone = false
    this.#status = 'sent'
    upstream.on('error', () => this.#upstreamFailed(upstream))
    upstream.once('close', () => this.#upstreamDone())
    upstream.on('information', (interim) => this.#inform(interim))
    upstream.once('response', (answer) => this.#pass(answer, () => this.#deliver(answer, upstream)))
    if (upgrade !== undefined) this.#offer(upstream, upgrade)
    else {
      if (!request.complete) sendHead(upstream)
      this.#bodies.carry('upstream', request, upstream)
    }
  }

  /** Sends the head of a request for another protocol. What follows is passed on as bytes, whatever the answer. */
  #offer(upstream: ClientRequest, upgrade: Upgrade): void {
    const begin = (socket: Socket): void => {
      if (this.#isClientDone) return
      this.#side.connection.letHalfOpen(socket)
      this.#bodies.tunnel = new Tunnel(upgrade, socket, this.#settings.maxHeldBytes)
    }
    // Node.js writes the head right after this event.
    upstream.once('socket', (socket) => queueMicrotask(() => begin(socket)))
    const agreed = (answer: IncomingMessage, socket: Socket, head: Buffer): void => {
      socket.on('error', () => undefined)
      this.#pass(answer, () => this.#open(answer, head))
    }
    upstream.once('upgrade', agreed)
    upstream.once('connect', agreed)
    sendHead(upstream)
  }

  #open(answer: IncomingMessage, head: Buffer): void {
    const { connection, request, response } = this.#side
    const { statusCode = 0, statusMessage = '' } = answer
    const lines = this.#encounters.changed('downstream', answerLines(answer, request, true))
    this.#status = 'tunnel'
    this.#outcome = 'tunnelled'
    response.detachSocket(connection.socket)
    connection.socket.write(headOf(`HTTP/1.1 ${statusCode} ${statusMessage}`, lines), 'latin1')
    this.#bodies.tunnel?.open(head, this.#clientDone)
  }

  /** Passes an interim answer on (1xx). Those that a client does not read are dropped: nothing slows the upstream. */
  #inform({ statusCode, statusMessage, rawHeaders }: InformationEvent): void {
    const { connection, request, response } = this.#side
    if (response.headersSent || isOld(request) || connection.socket.writableLength >= MAX_INTERIM) return
    if (statusCode === 100) response.writeContinue()
    else response.socket?.write(headOf(`HTTP/1.1 ${statusCode} ${statusMessage}`, endToEnd(rawHeaders)), 'latin1')
  }

  /** Passes the faults that act when the upstream has answered. */
  #pass(answer: IncomingMessage, proceed: () => void): void {
    this.#isAnswered = true
    answer.on('error', () => undefined)
    this.#encounters.pass('onAnswer', this.#passage(proceed, answer))
  }

  #deliver(answer: IncomingMessage, upstream: ClientRequest): void {
    const { request, response, upgrade } = this.#side
    const isKept = upgrade === undefined && upstream.shouldKeepAlive
    const lines = this.#encounters.changed('downstream', answerLines(answer, request, isKept))
    this.#status = 'answering'
    try {
      response.sendDate = false
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, [...lines])
      sendHead(response)
    } catch {
      // Node.js reads some headers that it does not write.
      this.#abort('failed', 'close')
      return
    }
    const breakOff = this.#bodies.carry('downstream', answer, response)
    const brokeOff = (): void => {
      if (answer.complete) return
      this.#outcome ??= 'failed'
      breakOff(hasReset(upstream.socket) ? 'reset' : 'close')
    }
    if (answer.destroyed) brokeOff()
    else answer.once('close', brokeOff)
  }

  /** Ends the connections of both sides. */
  #abort(outcome: RequestOutcome, how: HowToEnd): void {
    this.#outcome ??= outcome
    this.#side.connection.end(how)
    this.#dropUpstream(how)
  }

  #dropUpstream(how: HowToEnd): void {
    const socket = this.#upstream?.socket
    if (how === 'reset' && socket !== null && socket !== undefined) {
      resetConnection(socket)
      onceClosed(socket, () => this.#upstreamDone())
    }
    this.#upstream?.destroy()
    // A request whose connection speaks another protocol has given the connection away.
    if (this.#bodies.tunnel !== undefined) socket?.destroy()
  }

  #upstreamFailed({ socket }: ClientRequest): void {
    // From the head of the answer on, the answer itself tells how it ends.
    if (this.#isAnswered || this.#isClientDone || this.#outcome !== undefined) return
    this.#abort('failed', hasFailed(socket) ? 'reset' : 'close')
  }

  #upstreamDone(): void {
    this.#isUpstreamDone = true
    // A client that still sends a body is not kept waiting.
    if (!this.#side.request.complete) this.#bodies.discardRest('upstream')
    this.#finish()
  }

  readonly #clientDone = (): void => {
    if (this.#isClientDone) {
      this.#finish()
      return
    }
    this.#isClientDone = true
    const { connection, response, upgrade } = this.#side
    if (!response.writableFinished) this.#outcome ??= 'abandoned'
    if (!response.writableFinished || upgrade !== undefined) this.#dropUpstream(connection.wasReset ? 'reset' : 'close')
    this.#finish()
    connection.next()
  }

  get #isRequestRead(): boolean {
    const { request, connection, upgrade } = this.#side
    return upgrade !== undefined || request.readableEnded || request.destroyed || connection.isClosed
  }

  readonly #finish = (): void => {
    if (this.#isOver || !this.#isClientDone || !this.#isUpstreamDone || !this.#isRequestRead) return
    this.#isOver = true
    this.#bodies.abandon()
    this.#encounters.end()
    this.#side.connection.leave(this.#clientDone)
    this.#settings.onOver(this, this.#outcome ?? 'answered')
  }
}
