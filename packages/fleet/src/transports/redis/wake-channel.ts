import { systemClock } from '@chaos/core/authoring'
import type { Redis } from 'ioredis'
import { Connection } from './connection.js'
import type { CheckedRedisOptions } from './options.js'

/** The most messages between two reads. Then the channel is left for a while. */
const MAX_MESSAGES = 1_000
/** How long, in ms. Meanwhile changes are seen at the next read. */
const DEAF_MS = 5_000

/** Tells listeners that a read may show something new. What a message says is ignored: whoever may publish can cost a read, no more. */
export class WakeChannel {
  readonly #channel: string
  readonly #main: Connection
  readonly #own: Connection
  readonly #listeners = new Set<() => void>()
  /** The clients that subscribe, or were refused to. */
  readonly #tried = new WeakSet<Redis>()
  /** Whether a subscription is there, or on its way. */
  #isKept = false
  /** Whether a subscription is being given up. A client serves again once it is. */
  #isLeaving = false
  #heard = 0
  #deafUntil = Number.NEGATIVE_INFINITY

  /** @param main The connection for commands, which serves here too where the protocol lets it (ioredis 6). */
  constructor(options: CheckedRedisOptions, channel: string, main: Connection) {
    this.#channel = channel
    this.#main = main
    this.#own = new Connection(options, false)
  }

  on(listener: () => void): () => void {
    // Of its own: the same function may listen twice.
    const wake = (): void => listener()
    this.#listeners.add(wake)
    this.keep()
    return () => void this.#listeners.delete(wake)
  }

  /** Subscribes again where the connection was lost. To be called with each read. */
  keep(): void {
    this.#heard = 0
    if (this.#isKept || this.#isLeaving || this.#listeners.size === 0 || systemClock.now() < this.#deafUntil) return
    this.#isKept = true
    // Without it, changes are seen at the next read.
    this.#subscribe().catch(() => (this.#isKept = false))
  }

  close(): void {
    this.#listeners.clear()
    this.#own.close()
  }

  async #subscribe(): Promise<void> {
    const isShared = await this.#main.use((client) => Promise.resolve(servesBoth(client)))
    await (isShared ? this.#main : this.#own).use(async (client) => {
      if (this.#tried.has(client)) return
      this.#tried.add(client)
      const onEnd = (): void => void (this.#isKept = false)
      const onMessage = (): void => {
        this.#heard += 1
        if (this.#heard <= MAX_MESSAGES) this.#wake()
        else if (this.#isKept) leave()
      }
      const leave = (): void => {
        this.#deafUntil = systemClock.now() + DEAF_MS
        this.#isKept = false
        this.#isLeaving = true
        client.off('end', onEnd).off('message', onMessage)
        client
          .unsubscribe(this.#channel)
          .then(
            () => this.#tried.delete(client),
            // It has ended.
            () => undefined,
          )
          .finally(() => (this.#isLeaving = false))
      }
      client.once('end', onEnd).on('message', onMessage)
      await client.subscribe(this.#channel)
      // A message may have been lost while nobody was subscribed.
      this.#wake()
    })
  }

  #wake(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** Whether a client may send commands while it is subscribed. */
function servesBoth(client: Redis): boolean {
  return Reflect.get(client.options, 'protocol') === 3
}
