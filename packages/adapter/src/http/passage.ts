import type { InjectionContext } from '@chaos/core/authoring'
import type { EventEmitter } from 'node:events'
import type { Done, TakeBytes, Wire } from '../sockets/wire.js'
import { holdWhileOpen } from '../operations/while-open.js'
import { ResponseHead } from './response-head.js'

/** Gets the wire of a chosen response and returns the handler of its bytes. */
export type ActOnResponse = (wire: Wire) => TakeBytes

/** A chosen response on its way through one injection. */
export class Passage {
  readonly #context: InjectionContext
  readonly #wire: Wire
  readonly #take: TakeBytes
  readonly #head: ResponseHead

  /** @param method The method of the request. */
  constructor(context: InjectionContext, wire: Wire, act: ActOnResponse, method: string) {
    this.#context = context
    this.#wire = wire
    this.#take = act(wire)
    this.#head = new ResponseHead(method)
  }

  /** Takes the next bytes of the connection. What follows the head of an upgrade passes, behind what is held. */
  take(bytes: Buffer, done: Done): void {
    const headBytes = this.#head.lengthIn(bytes)
    if (!this.#head.isTunnel || headBytes === bytes.length) {
      if (headBytes > 0 || !this.#head.isTunnel) this.#take(bytes, headBytes, done)
      else done()
      return
    }
    if (headBytes > 0) this.#take(bytes.subarray(0, headBytes), headBytes, () => undefined)
    this.behindHeld(() => this.#wire.deliver(bytes.subarray(headBytes), done))
  }

  /** Runs a step behind the bytes that are held. */
  behindHeld(run: () => void): void {
    const { line, on } = this.#wire
    if (this.#context.isHolding(line)) this.#context.queue({ order: line, run, on })
    else run()
  }
}

/**
 * Keeps an injection with a spent limit in force until a chosen response is over.
 *
 * @returns A function to call when the response is over.
 */
export function awaited(context: InjectionContext): () => void {
  const held = context.hold({ afterMs: Number.POSITIVE_INFINITY, run: () => undefined })
  return () => held.drop()
}

/**
 * Keeps an injection with a spent limit in force until a request or response is closed.
 *
 * @param onClose Called when it is closed.
 */
export function awaitClose(context: InjectionContext, emitter: EventEmitter, onClose?: () => void): void {
  holdWhileOpen(emitter, (run) => context.hold({ afterMs: Number.POSITIVE_INFINITY, run }), onClose)
}
