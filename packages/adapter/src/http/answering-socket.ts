import net from 'node:net'
import type { HttpAnswer } from '../errors/http.js'

/**
 * A connection without a peer: it accepts any request and answers it when it is told to. The HTTP parser of Node.js reads
 * that answer as it reads one from the network.
 */
export class AnsweringSocket extends net.Socket {
  #answer: Buffer | undefined
  #hasRequest = false

  constructor() {
    super()
    // A request that is destroyed before it uses its connection gives the connection back to the agent.
    this.once('free', () => this.destroy())
  }

  /** Answers as soon as a request is written, then ends. */
  answer({ statusCode, statusText, headers }: HttpAnswer, body: Buffer): void {
    const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`)
    this.#answer = Buffer.concat([Buffer.from(`HTTP/1.1 ${statusCode} ${statusText}\r\n${lines.join('')}\r\n`), body])
    this.#send()
  }

  #send(): void {
    const answer = this.#answer
    if (answer === undefined || !this.#hasRequest || this.destroyed) return
    // A client may write as soon as it reads the answer.
    this.#answer = undefined
    this.push(answer)
    // The end of a connection is read after its data. Read at once, it would close the request before its response is read.
    setImmediate(() => {
      if (!this.destroyed) this.push(null)
    })
  }

  #receive(done: () => void): void {
    this.#hasRequest = true
    done()
    this.#send()
  }

  override _read(): void {
    // The answer comes when it is due.
  }

  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    this.#receive(done)
  }

  override _writev(_chunks: unknown, done: () => void): void {
    this.#receive(done)
  }

  override _final(done: () => void): void {
    done()
  }
}
