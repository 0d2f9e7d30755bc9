import type { InjectionContext } from '@chaos/core/authoring'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { endConnection } from '../../sockets/connection-end.js'
import { hidden } from '../../sockets/hidden.js'
import type { TakeBytes, Wire } from '../../sockets/wire.js'
import type { ActOnResponse } from '../passage.js'
import { timerKey, type Pass } from './sessions.js'

/** A head, or a part of the body, on its way. */
interface Part {
  length: number
  /** Delivers bytes of the part. A head counts as one byte. */
  readonly deliver: (bytes: Buffer) => void
}

/** A piece of the body, or its end, and the way on. */
type Piece = readonly [chunk: Buffer | null, push: Pass]

/** The response of a stream. A fault sees it as the bytes of a connection: each head counts as one byte, and the body follows. */
export class StreamResponse {
  readonly #stream: ClientHttp2Stream
  readonly #context: InjectionContext
  readonly #line = Symbol('response')
  readonly #take: TakeBytes
  readonly #onEnd: () => void
  readonly #parts: Part[] = []
  readonly #behindHead: Piece[] = []
  #hasHead = false
  #isDelivering = false

  /** @param onEnd Called when the end of the response has been delivered. */
  constructor(stream: ClientHttp2Stream, context: InjectionContext, act: ActOnResponse, onEnd: () => void) {
    this.#stream = stream
    this.#context = context
    this.#onEnd = onEnd
    // The `socket` of a session is a stand-in, which cannot be destroyed.
    const connection = hidden(stream.session as ClientHttp2Session, 'socket') as Duplex | undefined
    const wire: Wire = {
      line: this.#line,
      on: { isGone: () => stream.destroyed },
      connection: stream,
      deliver: (bytes, done) => {
        if (!stream.destroyed) this.#deliver(bytes)
        done?.()
      },
      cut(how, fault) {
        if (connection !== undefined) endConnection(connection, how, fault)
      },
    }
    this.#take = act(wire)
  }

  /** Whether bytes are held, and none is being delivered. */
  get isHeld(): boolean {
    return !this.#isDelivering && this.#context.isHolding(this.#line)
  }

  takeHead(report: () => void): void {
    this.#hasHead = true
    this.#takePart(Buffer.of(0), 1, report)
  }

  /** Takes a piece of the body, or its end. Node.js reports a head in a later step than it reads what came with it. */
  takeBody(chunk: Buffer | null, push: Pass): void {
    if (this.#hasHead && this.#behindHead.length === 0) this.#takePiece([chunk, push])
    else if (this.#behindHead.push([chunk, push]) === 1)
      process.nextTick(() => {
        this.#hasHead = true
        for (const piece of this.#behindHead.splice(0)) this.#takePiece(piece)
      })
  }

  /** Runs a step behind the bytes that are held. */
  behindHeld(run: () => void): void {
    if (!this.#context.isHolding(this.#line)) run()
    else this.#context.queue({ order: this.#line, run, on: { isGone: () => this.#stream.destroyed } })
  }

  #takePiece([chunk, push]: Piece): void {
    if (chunk !== null) this.#takePart(chunk, 0, (bytes) => void push(bytes))
    else
      this.behindHeld(() => {
        push(null)
        // As Node.js does, so that a stream that is paused ends too.
        this.#stream.read(0)
        this.#onEnd()
      })
  }

  #takePart(bytes: Buffer, headBytes: number, deliver: Part['deliver']): void {
    this.#parts.push({ length: bytes.length, deliver })
    this.#take(bytes, headBytes, () => undefined)
  }

  #deliver(bytes: Buffer): void {
    this.#isDelivering = true
    this.#restartTimer()
    for (let rest = bytes; rest.length > 0;) {
      const [part] = this.#parts
      if (part === undefined) break
      const length = Math.min(part.length, rest.length)
      part.length -= length
      if (part.length === 0) this.#parts.shift()
      part.deliver(rest.subarray(0, length))
      rest = rest.subarray(length)
    }
    this.#isDelivering = false
  }

  /** Starts the timeout of the stream again, as bytes of the network do. */
  #restartTimer(): void {
    const key = timerKey()
    if (key !== undefined) (Reflect.get(this.#stream, key) as () => void).call(this.#stream)
  }
}
