import type { Cancel, Clock } from '@chaos/core'
import type { Address } from '../sockets/address.js'
import type { Wire, WireEvents } from '../sockets/wire.js'
import type { ClientHello } from '../tls/client-hello.js'
import type { ProxyTls } from '../tls/proxy-tls.js'
import type { Deadline, Deadlines } from './deadlines.js'
import { dial } from './dial.js'
import { Greeting } from './greeting.js'
import { Handshakes } from './handshakes.js'

/** What a proxy does before a connection is open. */
export interface OpeningSettings {
  readonly clock: Clock
  /** The longest time until the server has accepted, and of each handshake. */
  readonly connectTimeoutMs: number
  /** Those of the dials of all connections. */
  readonly deadlines: Deadlines
  /** Reads what the client says when it begins TLS, before faults decide. */
  readonly readsHello: boolean
  readonly tls: ProxyTls | undefined
}

/** The connection that is being opened. */
export interface Opened {
  readonly client: Wire
  readonly upstream: Wire
  /** Whether it is open, or over. */
  readonly isSettled: boolean
  /** Closes it, since it cannot be opened. */
  readonly giveUp: () => void
}

/** The longest wait for the hello of a client that may speak no TLS, in ms. */
const HELLO_WAIT_MS = 3_000

/** The steps from an accepted client to a connection whose ends are ready. Each has a limit in time. */
export class Opening {
  readonly #connection: Opened
  readonly #settings: OpeningSettings
  readonly #greeting: Greeting | undefined
  readonly #handshakes: Handshakes | undefined
  #cancel: Cancel | undefined
  #deadline: Deadline | undefined

  constructor(connection: Opened, settings: OpeningSettings) {
    const { readsHello, tls } = settings
    this.#connection = connection
    this.#settings = settings
    this.#greeting = readsHello ? new Greeting() : undefined
    this.#handshakes = tls && new Handshakes(tls)
  }

  /** Whether the hello of the client is still waited for. */
  get isGreeting(): boolean {
    return this.#greeting?.isAwaited === true
  }

  /** Looks at what comes from the client until the connection is open. */
  watch(events: WireEvents): WireEvents {
    const [greeting, handshakes] = [this.#greeting, this.#handshakes]
    if (greeting === undefined) return events
    return {
      ...events,
      onBytes: (bytes, keep) => {
        if (this.#connection.isSettled) return events.onBytes(bytes, keep)
        if (!this.#isTerminated) events.onBytes(bytes, keep)
        else if (handshakes?.keep(bytes) === true) this.#connection.client.pause()
        greeting.read(bytes)
        return false
      },
      onEnd: () => {
        if (this.#awaitsHandshake) this.#refuse('It left before its handshake.')
        else events.onEnd()
        greeting.giveUp()
      },
      onFailure: (error) => {
        if (this.#awaitsHandshake) this.#refuse('It left before its handshake.')
        else events.onFailure(error)
      },
    }
  }

  /** Reads what the client says when it begins TLS, if the proxy wants to know. */
  greet(done: (hello: ClientHello | undefined) => void): void {
    const greeting = this.#greeting
    if (greeting === undefined) {
      done(undefined)
      return
    }
    this.#limit(this.#isTerminated ? this.#settings.connectTimeoutMs : HELLO_WAIT_MS, () => {
      if (this.#isTerminated) this.#refuse('It sent no whole hello in time.')
      else greeting.giveUp()
    })
    greeting.await(() => {
      this.cancel()
      done(greeting.hello)
    })
    this.#connection.client.resume()
  }

  /** Dials the upstream, and does the handshakes of TLS. */
  dial(upstream: Address, done: () => void): void {
    const connection = this.#connection
    const { connectTimeoutMs, deadlines } = this.#settings
    const { transport } = connection.upstream
    const finish = (): void => {
      this.cancel()
      if (!connection.isSettled) done()
    }
    const begin = (onLate: () => void): boolean => {
      if (connection.isSettled) return false
      this.#limit(connectTimeoutMs, () => {
        onLate()
        connection.giveUp()
      })
      return true
    }
    this.#deadline = deadlines.set(() => {
      this.#deadline = undefined
      connection.giveUp()
    })
    transport.on('connect', () => {
      if (connection.isSettled) return
      if (this.#handshakes === undefined) finish()
      else this.#handshakes.run(connection, upstream.host, this.#greeting?.hello, begin, finish)
    })
    dial(transport, upstream)
  }

  /** Waits for nothing any longer. */
  cancel(): void {
    this.#cancel?.()
    this.#cancel = undefined
    if (this.#deadline !== undefined) this.#settings.deadlines.end(this.#deadline)
    this.#deadline = undefined
  }

  /** Whether the proxy is the one that the client speaks TLS to. */
  get #isTerminated(): boolean {
    return this.#settings.tls?.termination !== undefined
  }

  get #awaitsHandshake(): boolean {
    return this.#isTerminated && !this.#connection.isSettled
  }

  #refuse(why: string): void {
    this.#handshakes?.clientFailed(why)
    this.#connection.giveUp()
  }

  #limit(ms: number, onDue: () => void): void {
    this.cancel()
    this.#cancel = this.#settings.clock.after(ms, onDue)
  }
}
