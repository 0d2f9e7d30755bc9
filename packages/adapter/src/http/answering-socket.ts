import net from 'node:net'
import type { HttpAnswer } from '../errors/http.js'

/** A connection that leads nowhere: it takes any request, and has the answer. Node.js' own parser reads that, as it reads one from the wire. */
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
