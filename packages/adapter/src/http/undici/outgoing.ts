import type { Socket } from 'node:net'
import type { ReplaceMember } from '../../operations/member-replacer.js'
import { writtenBytes } from '../../sockets/written-bytes.js'

/** What a peer that does not read takes from a connection until its writer has to wait, in bytes. */
const TAKEN_BYTES = 64 * 1024

type Done = (error?: Error | null) => void
type Write = (isMany: boolean, data: unknown, encoding: BufferEncoding | 'buffer', done: Done) => void

/** What is written to a connection for one request, from the first request on that is held. */
interface Part {
  bytes: Buffer[]
  state: 'held' | 'going' | 'dropped'
}

/** The way on for a held part. */
export interface HeldPart {
  /** Writes what was held, in the order of the requests. */
  readonly release: () => void
  /** Takes everything that is written for the request, and sends none of it. */
  readonly drop: () => void
}

/**
 * The bytes that undici writes to one connection. A held request keeps the bytes of later requests on the same
 * connection back too, as a server that answers in order does. Their writer sees a peer that reads nothing: the first
 * 64 KiB are taken, then it has to wait.
 */
export class Outgoing {
  readonly #socket: Socket
  readonly #parts: Part[] = []
  readonly #untilFree: (() => void)[] = []
  #write: Write = () => undefined
  #isWriting = false
  #takenBytes = 0
  /** Completes the write that has to wait. A stream issues one write at a time. */
  #waiting: Done | undefined

  constructor(socket: Socket, replaceMember: ReplaceMember) {
    this.#socket = socket
    replaceMember(socket, '_writeGeneric', (original) => {
      this.#write = (...args) => {
        Reflect.apply(original as Write, socket, args)
      }
      return (...args) => this.#take(...(args as Parameters<Write>))
    })
  }

  /** Starts the part of a request that is not held by itself. */
  begin(): void {
    if (this.#parts.length > 0) this.#parts.push({ bytes: [], state: 'going' })
    this.#go()
  }

  /** Starts the part of a request that is held. */
  hold(): HeldPart {
    const part: Part = { bytes: [], state: 'held' }
    this.#parts.push(part)
    this.#go()
    return {
      release: () => {
        part.state = 'going'
        this.#go()
      },
      drop: () => {
        part.state = 'dropped'
        part.bytes = []
        this.#go()
      },
    }
  }

  #take(...[isMany, data, encoding, done]: Parameters<Write>): void {
    const part = this.#parts.at(-1)
    if (part === undefined && !this.#isWriting) this.#write(isMany, data, encoding, done)
    else if (part === undefined) this.#direct(writtenBytes(isMany, data, encoding), done)
    else if (part.state === 'dropped' || this.#socket.destroyed) done()
    else {
      const bytes = writtenBytes(isMany, data, encoding)
      part.bytes.push(bytes)
      this.#takenBytes += bytes.length
      if (this.#takenBytes > TAKEN_BYTES) this.#waiting = done
      else done()
    }
  }

  /** Sends the parts in front that are not held, in one write. */
  #go(): void {
    const bytes: Buffer[] = []
    for (;;) {
      const [part, next] = this.#parts
      // What is still written for a dropped request belongs to it until the next request starts.
      if (part === undefined || part.state === 'held' || (part.state === 'dropped' && next === undefined)) break
      bytes.push(...part.bytes)
      this.#parts.shift()
    }
    const isHolding = this.#parts.some(({ state }) => state === 'held')
    const done = isHolding ? undefined : this.#waiting
    if (!isHolding) {
      this.#takenBytes = 0
      this.#waiting = undefined
    }
    if (this.#socket.destroyed || bytes.length === 0) done?.()
    // The stream itself puts the bytes in order with what is written next, also after the end of the injection.
    else if (this.#parts.length === 0 && done === undefined && this.#waiting === undefined)
      this.#socket.write(Buffer.concat(bytes))
    else this.#direct(Buffer.concat(bytes), done)
  }

  /** Writes beneath the stream. A TLS connection takes one write at a time. */
  #direct(bytes: Buffer, done: Done = () => undefined): void {
    if (this.#isWriting) {
      this.#untilFree.push(() => this.#direct(bytes, done))
      return
    }
    this.#isWriting = true
    this.#write(false, bytes, 'buffer', (error) => {
      this.#isWriting = false
      done(error)
      this.#untilFree.shift()?.()
    })
  }
}
