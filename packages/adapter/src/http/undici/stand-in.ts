import type { Held } from '@chaos/core/authoring'
import { Socket } from 'node:net'
import type { HttpAnswer } from '../../errors/http.js'
import { hidden } from '../../sockets/hidden.js'
import { answerBytes } from './answer-bytes.js'
import type { Dispatched, Dispatcher } from './dispatcher.js'

/** A client of undici: a dispatcher with one connection. */
interface Client extends Dispatcher {
  close: () => Promise<void>
}

type MakeClient = new (origin: string | URL, options: object) => Client

/**
 * Returns a function that sends a request of a dispatcher to a connection without a peer, on which the fault answers.
 * All that undici does for a request, undici itself does: it checks the request, publishes its steps, obeys timeouts and
 * signals, and reads the answer. Nothing is connected.
 *
 * @returns `undefined` for a dispatcher that does not show which client it makes.
 */
export function standInOf(dispatcher: Dispatcher): StandIn | undefined {
  const Client = clientClassOf(dispatcher)
  if (Client === undefined) return undefined
  const options = optionsOf(dispatcher)
  return ([request, handler], keep) => {
    let onGone = (): void => undefined
    const socket = new PeerlessSocket(() => onGone())
    let isUsed = false
    const connect = (_to: unknown, done: (error: null, socket: Socket) => void): void => {
      // A client connects once more to skip a request that was given up.
      const given = isUsed ? new PeerlessSocket() : socket
      isUsed = true
      queueMicrotask(() => done(null, given))
    }
    const client = new Client(request.origin ?? originOf(dispatcher), { ...options, connect })
    const held = keep((answer, body) => {
      socket.answer(answerBytes(answer, body, request.method))
    })
    onGone = () => held.drop()
    const isFree = client.dispatch(request as never, handler as never)
    // The client ends with its one request.
    void client.close()
    return isFree
  }
}

/** Sends a request to a connection without a peer. Returns what `dispatch` returns. */
export type StandIn = (
  dispatched: Dispatched,
  keep: (answer: (answer: HttpAnswer, body: Buffer) => void) => Held,
) => boolean

/** A connection without a peer, which takes what is written. */
class PeerlessSocket extends Socket {
  readonly #onGone: () => void
  #isAsked = false
  #answer: Buffer | undefined

  constructor(onGone = (): void => undefined) {
    super()
    this.#onGone = onGone
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#onGone()
    super._destroy(error, done)
  }

  override _read(): void {
    // The answer is pushed.
  }

  /** Delivers an answer as soon as something is written. Undici rejects bytes that come before its request. */
  answer(bytes: Buffer): void {
    if (this.#isAsked) this.push(bytes)
    else this.#answer = bytes
  }

  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    this.#ask()
    done()
  }

  override _writev(_chunks: unknown, done: () => void): void {
    this.#ask()
    done()
  }

  #ask(): void {
    this.#isAsked = true
    const answer = this.#answer
    this.#answer = undefined
    if (answer !== undefined) setImmediate(() => this.push(answer))
  }

  override _final(done: () => void): void {
    done()
  }
}

/** Agents and pools make the dispatchers beneath them; those of a client send by themselves. */
function clientClassOf(dispatcher: Dispatcher): MakeClient | undefined {
  try {
    let one: unknown = dispatcher
    for (let depth = 0; depth < 4 && typeof one === 'object' && one !== null; depth += 1) {
      const make = hidden(one, 'factory')
      if (typeof make !== 'function') break
      one = Reflect.apply(make, one, ['http://127.0.0.1', { connect: () => undefined, connections: 2 }])
    }
    const made = (one as object).constructor
    return hidden(one as object, 'url') === undefined ? undefined : (made as MakeClient)
  } catch {
    // A factory of the application may want other arguments.
    return undefined
  }
}

/** The options that undici keeps for the clients of a dispatcher, and the timeouts that a client was made with. */
function optionsOf(dispatcher: Dispatcher): object {
  const options = hidden(dispatcher, 'options') as Readonly<Record<string, unknown>> | undefined
  return {
    headersTimeout: options?.['headersTimeout'] ?? hidden(dispatcher, 'headers timeout'),
    bodyTimeout: options?.['bodyTimeout'] ?? hidden(dispatcher, 'body timeout'),
  }
}

function originOf(dispatcher: Dispatcher): string | URL {
  return hidden(dispatcher, 'url') as URL
}
