import type { Readable } from 'node:stream'
import type { ByteAccount } from '../links/byte-account.js'
import { Link } from '../links/link.js'
import type { Stage } from '../links/stage.js'
import { Outlet, type Ending, type Sink } from '../sockets/outlet.js'

/** Bytes on their way from one message, or one socket, to another. */
export class Body {
  readonly link: Link
  readonly #source: Readable
  readonly #outlet: Outlet

  /**
   * @param maxHeldBytes The most bytes that it holds before the source is paused.
   * @param finish Ends the sink. Called when all bytes before the end are with the system.
   */
  constructor(source: Readable, sink: Sink, maxHeldBytes: number, finish: (ending: Ending) => void) {
    this.#source = source
    this.#outlet = new Outlet(sink, () => this.link.settle(), finish)
    this.link = new Link(source, this.#outlet, maxHeldBytes)
  }

  get account(): ByteAccount {
    return this.link.account
  }

  /** Begins to read. */
  start(stages: readonly Stage[] = []): void {
    for (const stage of stages) this.link.add(stage)
    this.#source.on('data', (bytes: Buffer) => this.add(bytes))
    this.#source.on('end', () => this.link.end('end'))
    this.link.start()
  }

  /** Passes bytes on that were read before. */
  add(bytes: Buffer): void {
    if (bytes.length > 0) this.link.read(bytes, () => bytes)
  }

  /** Drops what it holds and what comes from now on, which is still read. */
  discard(): void {
    this.link.close()
    this.#source.resume()
  }

  /** Counts as dropped what the system never took. The sink is closed. */
  abandon(): void {
    this.link.close()
    this.#outlet.abandon()
  }
}
