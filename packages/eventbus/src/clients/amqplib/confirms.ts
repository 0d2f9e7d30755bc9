import type { Steps } from '../../seams/bus.js'
import type { AmqplibChannel } from './delivery.js'

/** What amqplib calls when the broker has confirmed a message; `false` if the application gave no callback. */
type Confirmed = ((error: Error | null) => unknown) | false

/** The confirmation of one message. */
interface Slot {
  confirmed: Confirmed
  /** Whether `publish` of the application has returned, or never ran: a copy. */
  isLate: boolean
}

/** A call of `publish`, until amqplib has queued its callback. */
interface Publishing {
  readonly slot: Slot
  /** The messages that were sent during the call, in order. */
  readonly sent: Slot[]
  /** Where amqplib queues the callback. */
  at: number
}

interface ConfirmChannel extends AmqplibChannel {
  readonly unconfirmed: Confirmed[]
  on(event: 'close', listener: () => void): unknown
  off(event: 'close', listener: () => void): unknown
}

const isConfirmChannel = (channel: AmqplibChannel): channel is ConfirmChannel => 'waitForConfirms' in channel

const confirmsOf = new WeakMap<AmqplibChannel, Confirms>()

/**
 * Keeps the callbacks of a confirm channel in the order in which the broker counts its messages.
 *
 * amqplib queues one callback for each `publish` and assumes that the broker confirms in this order. The broker counts the
 * messages that reach it. So the callback of a message that a fault keeps back leaves the queue, and joins it again when the
 * message is sent.
 */
export class Confirms {
  readonly #channel: ConfirmChannel | undefined
  readonly #slots = new WeakMap<object, Slot>()
  readonly #withheld = new Set<Slot>()
  /** The layers of the faults in force; the first one is the lowest. */
  readonly #layers = new Set<object>()
  /** Whether amqplib queues the callback before it sends the message, as 0.10 does. Unknown before the first message. */
  #queuesFirst: boolean | undefined
  #hasQueued = false
  #publishing: Publishing | undefined
  #returned: Publishing | undefined

  private constructor(channel: AmqplibChannel) {
    this.#channel = isConfirmChannel(channel) ? channel : undefined
  }

  /** The callbacks of a channel, which all faults on it share. */
  static of(channel: AmqplibChannel): Confirms {
    const confirms = confirmsOf.get(channel) ?? new Confirms(channel)
    confirmsOf.set(channel, confirms)
    return confirms
  }

  /**
   * Watches the channel for one fault: `waitForConfirms` also waits for messages that are kept back, and their callbacks hear
   * that the channel closes.
   */
  watch(layer: object, steps: Steps): void {
    this.#layers.add(layer)
    steps.defer(() => void this.#layers.delete(layer))
    const channel = this.#channel
    if (channel === undefined) return
    const onClose = (): void => {
      this.#settle()
      for (const slot of this.#withheld) this.#tell(slot, closed())
    }
    channel.on('close', onClose)
    steps.defer(() => void channel.off('close', onClose))
    const queues = (): void => {
      this.#hasQueued = true
      if (this.#queuesFirst === true) this.#settle()
    }
    steps.patch(
      channel,
      'pushConfirmCallback',
      (below) =>
        function pushConfirmCallback(this: unknown, confirmed: unknown): unknown {
          queues()
          return below.call.call(this, confirmed) as unknown
        },
    )
    const whenConfirmed = (): Promise<unknown> => this.#whenConfirmed()
    steps.patch(channel, 'waitForConfirms', (below) => {
      return function waitForConfirms(this: unknown, ...args: readonly unknown[]): unknown {
        const kept = whenConfirmed()
        const [told] = args
        if (typeof told !== 'function')
          return (below.call.apply(this, args) as Promise<unknown>).then(async (answer) => {
            await kept
            return answer
          })
        return below.call.call(this, (error?: unknown, ...rest: readonly unknown[]): void => {
          const tell = (failure: unknown): void => void Reflect.apply(told, undefined, [failure, ...rest])
          if (error instanceof Error) tell(error)
          else kept.then(() => tell(error), tell)
        }) as unknown
      }
    })
  }

  /** Runs the call of `publish` that carries `fields`. */
  publish(fields: object, run: () => unknown): unknown {
    const channel = this.#channel
    const slot = this.#slotOf(fields)
    if (channel === undefined || slot.isLate || this.#publishing !== undefined) return run()
    this.#queuesFirst ??= this.#hasQueued
    if (!this.#queuesFirst) this.#settle()
    const publishing: Publishing = { slot, sent: [], at: 0 }
    this.#publishing = publishing
    try {
      return run()
    } finally {
      this.#publishing = undefined
      publishing.at = channel.unconfirmed.length - (this.#queuesFirst ? 1 : 0)
      slot.isLate = true
      const { sent } = publishing
      if (sent.length !== 1 || sent[0] !== slot) {
        this.#returned = publishing
        process.nextTick(() => this.#settle())
      }
    }
  }

  /** A message has been sent. The layers above the lowest one report it, too. */
  sent(layer: object, fields: object): void {
    const [lowest] = this.#layers
    const channel = this.#channel
    if (channel === undefined || layer !== lowest) return
    const slot = this.#slotOf(fields)
    if (this.#publishing !== undefined) {
      this.#publishing.sent.push(slot)
      return
    }
    this.#settle()
    this.#withheld.delete(slot)
    channel.unconfirmed.push(slot.confirmed)
  }

  /** A copy has no callback: one message is confirmed once. */
  copied<Fields extends object>(fields: Fields): Fields {
    const copy = { ...fields }
    this.#slots.set(copy, { confirmed: false, isLate: true })
    return copy
  }

  /** A message will never be sent. Its callback is called as if it were confirmed. */
  lose(fields: object): void {
    this.#tellSoon(fields, null)
  }

  /** A message can never be sent, since its channel is closed. */
  loseLate(fields: object): void {
    this.#tellSoon(fields, closed())
  }

  /** As amqplib, which calls back when the broker has answered. */
  #tellSoon(fields: object, error: Error | null): void {
    if (this.#channel === undefined) return
    process.nextTick(() => {
      this.#settle()
      this.#tell(this.#slotOf(fields), error)
    })
  }

  #tell(slot: Slot, error: Error | null): void {
    if (!this.#withheld.delete(slot)) return
    const { confirmed } = slot
    if (confirmed !== false) confirmed(error)
  }

  #slotOf(fields: object): Slot {
    let slot = this.#slots.get(fields)
    if (slot === undefined) this.#slots.set(fields, (slot = { confirmed: false, isLate: false }))
    return slot
  }

  /** Takes the callback of a message that was kept back out of the queue, and queues those of copies behind it. */
  #settle(): void {
    const [channel, returned] = [this.#channel, this.#returned]
    if (channel === undefined || returned === undefined) return
    this.#returned = undefined
    const { slot, sent, at } = returned
    const [confirmed] = channel.unconfirmed.splice(at, 1)
    slot.confirmed = confirmed ?? false
    if (!sent.includes(slot)) this.#withheld.add(slot)
    for (const one of sent) {
      this.#withheld.delete(one)
      channel.unconfirmed.push(one.confirmed)
    }
  }

  /** Resolves when all messages that are kept back now are confirmed. Rejects like `waitForConfirms`. */
  #whenConfirmed(): Promise<unknown> {
    this.#settle()
    const all = Promise.all(
      [...this.#withheld].map(
        (slot) =>
          new Promise<void>((resolve, reject) => {
            const { confirmed } = slot
            slot.confirmed = (error) => {
              if (confirmed !== false) confirmed(error)
              if (error instanceof Error) reject(error)
              else resolve()
            }
          }),
      ),
    )
    all.catch(() => undefined)
    return all
  }
}

const closed = (): Error => new Error('channel closed')
