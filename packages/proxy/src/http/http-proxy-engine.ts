import type { Clock } from '@chaos/core'
import { builtin } from '@chaos/core/authoring'
import importedHttp, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { ServerOptions } from 'node:https'
import type { Socket } from 'node:net'
import { addBytes, noBytes, type ByteAccount } from '../links/byte-account.js'
import type { Stream } from '../links/stage.js'
import { Leaving } from '../listen/leaving.js'
import { bind, type Listener } from '../listen/listener.js'
import { ListeningProxy } from '../listen/listening-proxy.js'
import type { Move } from '../listen/move.js'
import { parseAddress, type Address } from '../sockets/address.js'
import { onceClosed } from './carrier.js'
import { ClientConnection } from './client-connection.js'
import { Encounters } from './encounters.js'
import { Exchange, type ExchangeSettings } from './exchange.js'
import type { HttpProxy, HttpProxyCounters } from './http-proxy.js'
import { createServer } from './http-server.js'
import type { HttpUpstream } from './http-upstream.js'
import type { RequestFault } from './request-fault.js'
import { requestInfoOf } from './request-info.js'
import { OUTCOMES, type RequestOutcome, type RequestState } from './request-state.js'
import { HTTP_ENGINE, type HttpEngine } from './target.js'
import type { Upgrade } from './upgrade.js'

const http = builtin('node:http', importedHttp)

/** The checked settings of an HTTP proxy. */
export interface HttpProxySettings {
  readonly name: string
  readonly listen: Address
  readonly upstream: HttpUpstream
  /** Reads another upstream. */
  readonly redirect: (origin: string) => HttpUpstream
  /** The options of TLS for clients. */
  readonly clientTls: ServerOptions | undefined
  readonly keepsHost: boolean
  readonly connectTimeoutMs: number
  readonly headersTimeoutMs: number
  readonly maxHeaderBytes: number
  readonly maxConnections: number
  readonly maxHeldBytes: number
  readonly clock: Clock
}

/** An HTTP proxy: its server, its live requests and the faults in force. */
export class HttpProxyEngine extends ListeningProxy<Listener> implements HttpProxy {
  readonly #settings: HttpProxySettings
  /** Open connections of TCP. */
  readonly #sockets = new Set<Socket>()
  /** Those that can carry requests, by the socket that their requests have. */
  readonly #connections = new Map<Socket, ClientConnection>()
  readonly #live = new Set<Exchange>()
  /** Replaced as a whole by each change. */
  #faults: readonly RequestFault[] = []
  #upstream: HttpUpstream
  #accepted = 0
  #turnedAway = 0
  #requests = 0
  #invalid = 0
  readonly #outcomes = Object.fromEntries(OUTCOMES.map((name) => [name, 0])) as Record<RequestOutcome, number>
  readonly #past: Readonly<Record<Stream, ReturnType<typeof noBytes>>> = { upstream: noBytes(), downstream: noBytes() }
  readonly #leaving = new Leaving<object>()

  constructor(settings: HttpProxySettings) {
    super(settings.name, 'createHttpProxy', settings.listen)
    this.#settings = settings
    this.#upstream = settings.upstream
  }

  get [HTTP_ENGINE](): HttpEngine {
    return { add: (fault) => this.#add(fault), remove: (fault) => this.#remove(fault) }
  }

  get url(): string {
    return `${this.#settings.clientTls === undefined ? 'http' : 'https'}://${this.listen}`
  }

  get upstream(): string {
    return this.#upstream.url.origin
  }

  get counters(): HttpProxyCounters {
    return {
      accepted: this.#accepted,
      open: this.#sockets.size,
      turnedAway: this.#turnedAway,
      requests: this.#requests,
      live: this.#live.size,
      outcomes: { ...this.#outcomes },
      invalid: this.#invalid,
      upstream: this.#bytes('upstream'),
      downstream: this.#bytes('downstream'),
    }
  }

  requests(): readonly RequestState[] {
    return [...this.#live].map(({ state }) => state)
  }

  move(to: Move): Promise<void> {
    const listen = to.listen === undefined ? undefined : parseAddress(to.listen, 'listen')
    const upstream = to.upstream === undefined ? this.#upstream : this.#settings.redirect(to.upstream)
    return this.relocate(listen, () => {
      const isOther = upstream.url.origin !== this.upstream
      this.#upstream = upstream
      return isOther
    })
  }

  protected override bind(address: Address): Promise<Listener> {
    const server = createServer(this.#settings, this.#settings.clientTls, {
      onConnection: (socket) => this.#accept(socket),
      onOpen: (socket) => this.#open(socket),
      onRequest: (request, response) => this.#receive(request, response),
      onUpgrade: (request, upgrade) => this.#receiveUpgrade(request, upgrade),
      onInvalid: () => (this.#invalid += 1),
      isOpen: (socket) => this.#connections.has(socket),
      isAnswering: (socket) => this.#connections.get(socket)?.isBusy === true,
    })
    return bind(server, address)
  }

  protected override async closeTraffic(): Promise<void> {
    // Not what comes meanwhile: it may stay.
    const [sockets, connections] = [[...this.#sockets], [...this.#connections]]
    const done = this.#leaving.wait([...sockets, ...connections.map(([socket]) => socket), ...this.#live])
    for (const [, connection] of connections) connection.destroy()
    for (const socket of sockets) socket.destroy()
    await done
  }

  #add(fault: RequestFault): void {
    this.assertOpen()
    this.#faults = [...this.#faults, fault]
  }

  #remove(fault: RequestFault): void {
    this.#faults = this.#faults.filter((other) => other !== fault)
    for (const exchange of this.#live) exchange.leave(fault)
  }

  #accept(socket: Socket): void {
    if (this.#sockets.size >= this.#settings.maxConnections) {
      this.#turnedAway += 1
      socket.destroy()
      return
    }
    this.#accepted += 1
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#leaving.gone(socket)
    })
  }

  #open(socket: Socket): void {
    if (socket.destroyed) return
    const { connectTimeoutMs, clock } = this.#settings
    const { address, secure } = this.#upstream
    this.#connections.set(socket, new ClientConnection(socket, { upstream: address, secure, connectTimeoutMs, clock }))
    onceClosed(socket, () => {
      this.#connections.delete(socket)
      this.#leaving.gone(socket)
    })
  }

  #receive(request: IncomingMessage, response: ServerResponse, upgrade?: Upgrade): void {
    const connection = this.#connections.get(request.socket)
    if (connection === undefined) return
    this.#requests += 1
    const info = requestInfoOf(this.#requests, request)
    const side = { connection, request, response, ...(upgrade && { upgrade }) }
    const exchange = new Exchange(side, info, new Encounters(this.#faults, info), this.#exchangeSettings())
    this.#live.add(exchange)
    exchange.start()
  }

  #receiveUpgrade(request: IncomingMessage, upgrade: Upgrade): void {
    // The answer may be an ordinary one, which Node.js writes. It gets the socket in its turn, behind the answers before it.
    const response = new http.ServerResponse(request)
    response.shouldKeepAlive = false
    this.#receive(request, response, upgrade)
  }

  #exchangeSettings(): ExchangeSettings {
    const { clock, keepsHost, maxHeldBytes, maxHeaderBytes } = this.#settings
    return {
      startedAt: clock.now(),
      host: this.#upstream.url.host,
      keepsHost,
      maxHeldBytes,
      maxHeaderBytes,
      onOver: (exchange, outcome) => this.#forget(exchange, outcome),
    }
  }

  #forget(exchange: Exchange, outcome: RequestOutcome): void {
    this.#live.delete(exchange)
    this.#outcomes[outcome] += 1
    addBytes(this.#past.upstream, exchange.accountOf('upstream'))
    addBytes(this.#past.downstream, exchange.accountOf('downstream'))
    this.#leaving.gone(exchange)
  }

  #bytes(stream: Stream): ByteAccount {
    const sum = { ...this.#past[stream] }
    for (const exchange of this.#live) addBytes(sum, exchange.accountOf(stream))
    return sum
  }
}
