import type { BroadcastChannel } from 'node:worker_threads'
import type { Cancel, Clock } from '@chaos/core'
import { randomUUID } from 'node:crypto'
import { onOpened } from '../in-process/envelope.js'

/** The longest wait for messages that are on their way when an end stops, in ms. */
const MAX_WAIT_MS = 1_000

/** What the ends of channels tell each other, where no application hears it. */
interface Notice {
  readonly name: string
  readonly from: string
  /** `here too` says that the other end is met. `left` answers `leaving`: how many envelopes the other end has sent. */
  readonly says: 'here' | 'here too' | 'leaving' | 'left'
  readonly sent: number
}

/** Finds the other end of a channel, by a name that both have, and knows whether that still takes envelopes. */
export class Pairing {
  readonly id = randomUUID()
  readonly paired: Promise<void>
  readonly #name: string
  readonly #openChannel: () => BroadcastChannel
  readonly #clock: Clock
  #channel: BroadcastChannel | undefined
  /** The other end, while it takes envelopes and this one stays. */
  #other: string | undefined
  /** Whether the other end has met this one: before that it counts no envelopes, and answers without a scope. */
  #isMet = false
  /** The other end that was met last. Both may leave at the same time. */
  #known: string | undefined
  #sent = 0
  #received = 0
  #awaited: number | undefined
  #setPaired: () => void = () => undefined
  #setLeft: (() => void) | undefined
  #cancelWait: Cancel | undefined
  #ignoreEnvelopes: () => void = () => undefined

  constructor(name: string, openChannel: () => BroadcastChannel, clock: Clock) {
    this.#name = name
    this.#openChannel = openChannel
    this.#clock = clock
    this.paired = new Promise((resolve) => (this.#setPaired = resolve))
  }

  get isPaired(): boolean {
    return this.#other !== undefined && this.#isMet
  }

  /** Tells the other end that this one takes envelopes. */
  begin(): void {
    this.#channel = this.#openChannel()
    this.#channel.onmessage = (event) => this.#hear((event as { readonly data: unknown }).data)
    this.#channel.unref()
    this.#say('here')
  }

  /** An envelope was sent. */
  sent(): void {
    this.#sent += 1
  }

  /** Has the other end send no more envelopes. Resolves when all have arrived, or after a second. */
  leave(): Promise<void> | undefined {
    if (this.#other === undefined || this.#channel === undefined) return undefined
    this.#other = undefined
    return new Promise((resolve) => {
      this.#setLeft = resolve
      this.#cancelWait = this.#clock.after(MAX_WAIT_MS, resolve, { ref: false })
      this.#say('leaving')
    })
  }

  close(): void {
    this.#other = undefined
    this.#cancelWait?.()
    this.#ignoreEnvelopes()
    this.#channel?.close()
    this.#channel = undefined
  }

  #say(says: Notice['says']): void {
    this.#channel?.postMessage({ name: this.#name, from: this.id, says, sent: this.#sent } satisfies Notice)
  }

  #hear(data: unknown): void {
    const { name, from, says, sent } = data as Notice
    if (name !== this.#name || from === this.id) return
    if (says === 'left') {
      this.#awaited = sent
      this.#endIfAllArrived()
    } else if (says === 'leaving') {
      if (this.#known !== from) return
      this.#other = undefined
      this.#say('left')
      // For the next end of this name.
      this.#sent = 0
    } else if (this.#setLeft === undefined) {
      const isNew = this.#other !== from
      if (isNew) this.#meet(from)
      if (isNew || says === 'here') this.#say('here too')
      if (says === 'here') return
      this.#isMet = true
      this.#setPaired()
    }
  }

  #meet(other: string): void {
    this.#other = other
    this.#known = other
    this.#isMet = false
    this.#received = 0
    this.#ignoreEnvelopes()
    this.#ignoreEnvelopes = onOpened(other, () => {
      this.#received += 1
      this.#endIfAllArrived()
    })
  }

  #endIfAllArrived(): void {
    if (this.#awaited === undefined || this.#received < this.#awaited) return
    this.#cancelWait?.()
    this.#setLeft?.()
  }
}
