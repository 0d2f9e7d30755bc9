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
  /** Whether amqplib queues the callback before it sends the message, as 0.10 does. Unknown before the first message. */
  #queuesFirst: boolean | undefined
  #hasQueued = false
  #publishing: Publishing | undefined
  /** A call that has returned to amqplib, which has yet to queue its callback. */
  #returned: Publishing | undefined
  /** How often a layer was called. */
  #calls = 0
  /** The number of lost messages whose callbacks are called at the end of the tick. */
  #losing = 0

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
  watch(steps: Steps): void {
    const channel = this.#channel
    if (channel === undefined) return
    const onClose = (): void => {
      for (const slot of this.#withheld) this.#tell(slot, closed())
    }
    channel.on('close', onClose)
    steps.defer(() => void channel.off('close', onClose))
    const queued = (): void => {
      this.#hasQueued = true
      const returned = this.#returned
      this.#returned = undefined
      if (returned !== undefined) this.#settle(channel, returned)
    }
    steps.patch(
      channel,
      'pushConfirmCallback',
      (below) =>
        function pushConfirmCallback(this: unknown, confirmed: unknown): unknown {
          const answer = below.call.call(this, confirmed) as unknown
          queued()
          return answer
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
    // A fault can end while `publish` runs, or before the callbacks of lost messages are called. amqplib cannot wait for those.
    steps.defer(() => (this.#isBusy ? new Promise((resolve) => process.nextTick(resolve)) : undefined))
  }

  /** Runs a call of `sendMessage` through one layer. The call that `publish` makes carries new `fields`. */
  publish(fields: object, run: () => unknown): unknown {
    this.#calls += 1
    const channel = this.#channel
    const slot = this.#slotOf(fields)
    if (channel === undefined || slot.isLate || this.#publishing !== undefined) return run()
    this.#queuesFirst ??= this.#hasQueued
    const publishing: Publishing = { slot, sent: [] }
    const { sent } = publishing
    this.#publishing = publishing
    try {
      const answer = run()
      const isAsInHealth = sent.length === 1 && sent[0] === slot
      if (!isAsInHealth && this.#queuesFirst) this.#settle(channel, publishing)
      else if (!isAsInHealth) this.#returned = publishing
      return answer
    } catch (error) {
      // The message was refused. What amqplib does with its callback then is as in health.
      for (const other of sent) this.#queue(channel, other)
      throw error
    } finally {
      this.#publishing = undefined
      slot.isLate = true
    }
  }

  /** Sends a message through the layers below, of which the lowest one counts it. */
  send(fields: object, run: () => unknown): unknown {
    const calls = this.#calls
    const answer = run()
    if (this.#channel !== undefined && this.#calls === calls) {
      const slot = this.#slotOf(fields)
      if (this.#publishing === undefined) this.#queue(this.#channel, slot)
      else this.#publishing.sent.push(slot)
    }
    return answer
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
    this.#losing += 1
    process.nextTick(() => {
      this.#losing -= 1
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

  get #isBusy(): boolean {
    return this.#publishing !== undefined || this.#returned !== undefined || this.#losing > 0
  }

  /**
   * Replaces the callback that a call of `publish` has just queued by those of the messages that were sent during the call.
   * This must not wait: the broker may confirm messages, and the application may wait for it, in the same tick.
   */
  #settle(channel: ConfirmChannel, { slot, sent }: Publishing): void {
    slot.confirmed = channel.unconfirmed.pop() ?? false
    if (!sent.includes(slot)) this.#withheld.add(slot)
    for (const one of sent) this.#queue(channel, one)
  }

  #queue(channel: ConfirmChannel, slot: Slot): void {
    this.#withheld.delete(slot)
    channel.unconfirmed.push(slot.confirmed)
  }

  /** Resolves when all messages that are kept back now are confirmed. Rejects like `waitForConfirms`. */
  #whenConfirmed(): Promise<unknown> {
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
