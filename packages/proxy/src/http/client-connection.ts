import { builtin } from '@chaos/core/authoring'
import importedHttp, { type ClientRequest, type RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import { hasReset, onceClosed, resetConnection } from './carrier.js'
import type { HeaderLines } from './header-lines.js'
import type { HowToEnd } from './request-fault.js'
import { UpstreamAgent, type Dialling } from './upstream-agent.js'

const http = builtin('node:http', importedHttp)

/** A request as the upstream gets it. */
interface Outgoing {
  readonly method: string
  readonly path: string
  readonly headers: HeaderLines
  readonly maxHeaderSize: number
}

/**
 * The connection of a client, and the one to the upstream that belongs to it. When the upstream closes its own between two
 * requests, the client's is closed too, as it would be without the proxy.
 */
export class ClientConnection {
  isClosed = false
  readonly #agent: UpstreamAgent
  #live = 0
  /** What starts the requests that came before the answers to earlier ones had left. */
  readonly #queue: (() => boolean)[] = []
  #isBusy = false
  readonly #onClose = new Set<() => void>()
  /** A request whose answer nobody waits for. */
  #draining: ClientRequest | undefined

  constructor(
    readonly socket: Socket,
    dialling: Dialling,
  ) {
    this.#agent = new UpstreamAgent(dialling, () => this.#closeIfIdle())
    onceClosed(socket, () => {
      this.isClosed = true
      this.#agent.destroy()
      for (const tell of this.#onClose) tell()
    })
  }

  /** Whether a request is under way that the client has no answer to. */
  get isBusy(): boolean {
    return this.#isBusy
  }

  /** Whether the client has reset the connection. */
  get wasReset(): boolean {
    return hasReset(this.socket)
  }

  /**
   * Starts a request, after the answers to those before it.
   *
   * @param start Returns whether somebody still waits for the answer.
   */
  enter(start: () => boolean): void {
    this.#live += 1
    this.#queue.push(start)
    if (!this.#isBusy) this.next()
  }

  /** The client has the answer to the request that was started last: starts the next one. Of a closed connection, none. */
  next(): void {
    if (this.isClosed) return
    let start: (() => boolean) | undefined
    do {
      start = this.#queue.shift()
      this.#isBusy = start !== undefined
    } while (start?.() === false)
  }

  /** Calls back when the connection is closed. One callback is known once. */
  onClose(tell: () => void): void {
    this.#onClose.add(tell)
  }

  /** A request is over, at both sides. */
  leave(tell: () => void): void {
    this.#onClose.delete(tell)
    this.#live -= 1
    this.#closeIfIdle()
  }

  /**
   * Sends a request by the connection to the upstream, after those before it.
   *
   * @throws Error if Node.js cannot send it.
   */
  request(outgoing: Outgoing): ClientRequest {
    this.#draining?.destroy()
    this.#draining = undefined
    // An array of names and values is sent as it is.
    const options = { ...outgoing, agent: this.#agent, setHost: false } as unknown as RequestOptions
    const request = http.request(options)
    // The size of all headers is limited, their number need not be.
    request.maxHeadersCount = 0
    return request
  }

  /** Has an answer that nobody waits for end at the latest when the client sends its next request. */
  drain(request: ClientRequest): void {
    this.#draining = request
  }

  /** Leaves the ends of the upstream's connection to whoever uses it. */
  letHalfOpen(socket: Socket): void {
    this.#agent.letHalfOpen(socket)
  }

  /** Ends the connection, behind what was written. */
  end(how: HowToEnd): void {
    if (how === 'reset') resetConnection(this.socket)
    else this.socket.destroySoon()
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.socket.destroy()
    this.#agent.destroy()
  }

  #closeIfIdle(): void {
    if (this.#live === 0 && this.#agent.isGone) this.socket.destroySoon()
  }
}
