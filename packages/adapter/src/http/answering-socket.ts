import net from 'node:net'
import type { HttpAnswer } from '../errors/http.js'

/**
 * A connection without a peer: it accepts any request and holds the answer. The HTTP parser of Node.js reads that
 * answer as it reads one from the network.
 */
export class AnsweringSocket extends net.Socket {
  readonly #answer: Buffer

  constructor({ statusCode, statusText, headers }: HttpAnswer, body: Buffer) {
    super()
    const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`)
    this.#answer = Buffer.concat([Buffer.from(`HTTP/1.1 ${statusCode} ${statusText}\r\n${lines.join('')}\r\n`), body])
  }

  override _read(): void {
    this.push(this.#answer)
    this.push(null)
  }

  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    done()
  }

  override _writev(_chunks: unknown, done: () => void): void {
    done()
  }

  override _final(done: () => void): void {
    done()
  }
}
