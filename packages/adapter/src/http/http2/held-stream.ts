import http2, { type ClientHttp2Stream } from 'node:http2'
import type { HttpAnswer } from '../../errors/http.js'
import { hasBody } from '../answer-body.js'

/** The flags of a head that the response ends with, and of one that a body follows. */
const [END_STREAM, END_HEADERS] = [1, 4]

/** Headers of a connection, which HTTP/2 does not allow. */
const OF_CONNECTION: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding'])

/** A stream whose request has not been sent. It takes what is written, and its timeouts run. */
export class HeldStream {
  readonly stream: ClientHttp2Stream
  readonly #start: () => void
  #isReady = false
  #state: 'held' | 'going' | 'over' = 'held'

  /**
   * @param start Sends the request.
   * @param untilReady Calls its argument when the session can send.
   */
  constructor(stream: ClientHttp2Stream, start: () => void, untilReady: (whenReady: () => void) => void) {
    this.stream = stream
    this.#start = start
    untilReady(() => {
      this.#isReady = true
      this.#go()
    })
  }

  /** Sends the request, as soon as the session can. */
  release(): void {
    if (this.#state !== 'held') return
    this.#state = 'going'
    this.#go()
  }

  fail(error: Error): void {
    this.#state = 'over'
    this.stream.destroy(error)
  }

  /** Ends a stream that its user has closed. Node.js waits for the request to be sent, which never happens. */
  giveUp(): void {
    if (this.#state !== 'held') return
    this.#state = 'over'
    setImmediate(() => void this.stream.destroy())
  }

  /** Answers in place of the service, in a later turn as the network does. The request is never sent. */
  answer({ statusCode, headers }: HttpAnswer, body: Buffer, method: string): void {
    if (this.#state !== 'held') return
    this.#state = 'over'
    const { stream } = this
    const isWhole = !hasBody(method, statusCode)
    const head = Object.entries(headers).filter(([name]) => !OF_CONNECTION.has(name))
    const fields = new Map<string | symbol, unknown>([[':status', statusCode], ...head, [http2.sensitiveHeaders, []]])
    setImmediate(() => {
      if (stream.destroyed) return
      const flags = END_HEADERS | (isWhole ? END_STREAM : 0)
      stream.emit('response', Object.fromEntries(fields) as never, flags, [
        ':status',
        String(statusCode),
        ...head.flat(),
      ] as never)
      stream.once('end', () => void stream.destroy())
      if (!isWhole) stream.push(body)
      stream.push(null)
      stream.read(0)
    })
  }

  #go(): void {
    if (this.#state === 'going' && this.#isReady && !this.stream.destroyed) this.#start()
  }
}
