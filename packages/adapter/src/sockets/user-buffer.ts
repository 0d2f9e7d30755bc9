import type { Socket } from 'node:net'
import type { ReplaceMember } from '../operations/member-replacer.js'
import { startReading, stopReading } from './handle.js'

/** The members in which a socket with the option `onread` keeps its buffer, its callback, and the maker of buffers. */
interface Keys {
  readonly buffer: symbol
  readonly callback: symbol
  readonly next: symbol
}

/** The callback of `onread`. With `false` the application asks for a pause. */
type OnRead = (this: Socket, length: number, buffer: Uint8Array) => unknown

/** The buffer of the application into which a socket reads (`net.connect({ onread })`), with the callback that gets it. */
export class UserBuffer {
  readonly #socket: Socket
  readonly #keys: Keys
  readonly #callback: OnRead
  readonly #next: (() => unknown) | null
  /** What the application has paused: bytes, or how to pass the end on. */
  readonly #waiting: (Uint8Array | (() => void))[] = []
  /** The buffer that the application wants to be filled next, until Node.js has it. */
  #wanted: Uint8Array | undefined
  #isPaused = false
  #isReleased = false

  /**
   * Takes over the buffer of a socket.
   *
   * @param receive Gets a copy of what was read. Returns whether the socket may read on.
   * @returns `undefined` if the socket has no such buffer.
   */
  static of(socket: Socket, replaceMember: ReplaceMember, receive: (bytes: Buffer) => boolean): UserBuffer | undefined {
    const keys = keysOf(socket)
    if (keys === undefined) return undefined
    const own = new UserBuffer(socket, keys)
    replaceMember(
      socket,
      keys.callback,
      () => (length, buffer) => receive(Buffer.from((buffer as Uint8Array).subarray(0, length as number))),
    )
    // Node.js asks for its next buffer after the callback; the application makes one when it has got bytes.
    if (own.#next !== null) replaceMember(socket, keys.next, () => () => own.#wanted)
    return own
  }

  private constructor(socket: Socket, keys: Keys) {
    this.#socket = socket
    this.#keys = keys
    this.#callback = Reflect.get(socket, keys.callback) as OnRead
    this.#next = Reflect.get(socket, keys.next) as (() => unknown) | null
  }

  /** Whether the application has asked for a pause and not gone on since. */
  get isPaused(): boolean {
    return this.#isPaused && !this.#isReleased
  }

  /** Gives bytes to the application, as soon as it wants them. */
  give(bytes: Uint8Array): void {
    this.#waiting.push(bytes)
    this.#flush()
    if (!this.isPaused) startReading(this.#socket)
  }

  /** Passes the end on, behind the bytes that wait. */
  end(pass: () => void): void {
    this.#waiting.push(pass)
    this.#flush()
  }

  pause(): void {
    this.#isPaused = true
  }

  /** Gives the application what waits, and more from now on. */
  resume(): void {
    this.#isPaused = false
    this.#flush()
    if (this.isPaused) stopReading(this.#socket)
  }

  /** Gives the application what waits, although it has paused: nothing of a fault stays. */
  release(): void {
    this.#isReleased = true
    this.#flush()
  }

  #flush(): void {
    while (!this.isPaused) {
      const item = this.#waiting.shift()
      if (item === undefined || this.#socket.destroyed) return
      if (typeof item === 'function') item()
      else this.#hand(item)
    }
  }

  #hand(bytes: Uint8Array): void {
    const buffer = this.#wanted ?? (Reflect.get(this.#socket, this.#keys.buffer) as Uint8Array)
    const length = Math.min(bytes.length, buffer.length)
    buffer.set(bytes.subarray(0, length))
    if (length < bytes.length) this.#waiting.unshift(bytes.subarray(length))
    if (Reflect.apply(this.#callback, this.#socket, [length, buffer]) === false) this.#isPaused = true
    const next = this.#next?.()
    if (next instanceof Uint8Array) this.#wanted = next
  }
}

function keysOf(socket: Socket): Keys | undefined {
  const symbols = Object.getOwnPropertySymbols(socket)
  const named = (name: string): symbol | undefined => symbols.find(({ description }) => description === name)
  const [buffer, callback, next] = [named('kBuffer'), named('kBufferCb'), named('kBufferGen')]
  if (buffer === undefined || callback === undefined || next === undefined) return undefined
  return typeof Reflect.get(socket, callback) === 'function' ? { buffer, callback, next } : undefined
}
