import { ChaosError, isChaosError } from '@chaos/core'
import { checkOptions, messageOf, option, optionsSchema } from '@chaos/core/authoring'
import { TimeOut, within } from '../within.js'
import { Link, type Answered, type Asked } from './link.js'

/** Where a relay is. */
export interface RelayConnectionOptions {
  /** The path of the Unix socket of the relay. */
  readonly path: string
  /** The longest time that one call may take, connecting included, in ms: 100 to 60,000. Default 2,000. */
  readonly timeoutMs?: number | undefined
}

const schema = optionsSchema({
  path: option.text('The path of the Unix socket of the relay.', 1_024),
  timeoutMs: option.optional(option.number('The longest time of one call.', 100, 60_000, 'a number of ms'), 2_000),
})

/** A connection to a relay that is there when it is used: if it was lost, the next call makes another. */
export class RelayConnection {
  readonly #path: string
  readonly #timeoutMs: number
  readonly #role: 'agent' | 'controller'
  readonly #listeners = new Set<() => void>()
  #link: Link | undefined
  #isClosed = false

  /** @throws ChaosError `CHAOS_INVALID_OPTION` */
  constructor(options: RelayConnectionOptions, role: 'agent' | 'controller') {
    const { path, timeoutMs } = checkOptions(schema, options, 'the transport by a relay')
    this.#path = path
    this.#timeoutMs = timeoutMs
    this.#role = role
  }

  /** @throws ChaosError `CHAOS_FLEET_UNREACHABLE`, or what the relay met */
  async ask(request: Asked): Promise<Answered> {
    try {
      const link = this.#linked()
      return await within(this.#timeoutMs, link.ask(request), this.#role === 'controller').catch((error: unknown) => {
        // What hangs may never answer again.
        if (error instanceof TimeOut) link.close(error)
        throw error
      })
    } catch (error) {
      throw this.failed(error)
    }
  }

  onWake(listener: () => void): () => void {
    // Of its own: the same function may listen twice.
    const wake = (): void => listener()
    this.#listeners.add(wake)
    if (!this.#isClosed) this.#linked()
    return () => void this.#listeners.delete(wake)
  }

  close(): Promise<void> {
    this.#isClosed = true
    this.#listeners.clear()
    this.#link?.close(new Error('the connection was closed'))
    return Promise.resolve()
  }

  /** The error of a call that failed. */
  failed(error: unknown): ChaosError {
    if (isChaosError(error)) return error
    return new ChaosError(
      'CHAOS_FLEET_UNREACHABLE',
      `The relay at ${this.#path} did not answer: ${messageOf(error).replace(/\.$/, '')}. Check that it runs, as the user of this process.`,
      { cause: error },
    )
  }

  #linked(): Link {
    if (this.#isClosed) throw new Error('the connection was closed')
    if (this.#link?.isOpen !== true)
      this.#link = new Link(this.#path, this.#role, () => {
        for (const listener of this.#listeners) listener()
      })
    return this.#link
  }
}
