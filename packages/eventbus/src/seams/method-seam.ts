import type { AnyFunction, Below } from '@chaos/core/authoring'
import type { EventName, Failure, Message, SeamBinding } from './bus.js'

/** How the calls of one method are read as messages. `self` is the `this` of the call. */
export interface MethodSeam {
  /** The object that has or inherits the method. */
  readonly object: object
  readonly method: PropertyKey
  /** The name of the message; `undefined`: not a message, let it pass. */
  readonly name: (args: readonly unknown[], self: unknown) => EventName | undefined
  /** Whether a call passes straight through although it has a name; asked only for names that a fault may touch. Default: none does. */
  readonly passes?: (args: readonly unknown[], self: unknown) => boolean
  /** Where the content is: the position of an argument, or how to read and replace it. Replacing returns new arguments. */
  readonly payload:
    | number
    | {
        readonly read: (args: readonly unknown[], self: unknown) => unknown
        readonly replace: (args: readonly unknown[], payload: unknown) => readonly unknown[]
      }
  /** What the caller gets in health when the message does not go on now. Default: nothing. */
  readonly answer?: (args: readonly unknown[], self: unknown) => unknown
  /** See {@link Message.lose}. */
  readonly lose?: (args: readonly unknown[], self: unknown) => void
  /** See {@link Message.isGone}. */
  readonly isGone?: (args: readonly unknown[], self: unknown) => boolean
  /** See {@link Message.loseLate}. */
  readonly loseLate?: (args: readonly unknown[], self: unknown) => void
  /** Whether the caller awaits a promise. Default `false`. */
  readonly isAwaited?: boolean
  /** The arguments as they are now, for a call that is made later. Default: the very same. */
  readonly snapshot?: (args: readonly unknown[]) => readonly unknown[]
  /** Cover what `object` inherits even if it has a member of its own. Default `false`. */
  readonly inherited?: boolean
  /** One message for each subscriber. */
  readonly deliveries?: (message: Message, args: readonly unknown[], self: unknown) => readonly Message[]
  /** See {@link Message.fail}. */
  readonly fail?: (error: Error, how: Failure, args: readonly unknown[], self: unknown) => unknown
  /** See {@link Message.subscriber}. */
  readonly subscriber?: (args: readonly unknown[], self: unknown) => Message['subscriber']
  /** See {@link Message.refuse}. */
  readonly refuse?: (args: readonly unknown[], self: unknown) => unknown
  /** The arguments of a copy, see {@link Message.copy}. Default: the very same. */
  readonly copy?: (args: readonly unknown[], self: unknown) => readonly unknown[]
  /** See {@link Message.isRedelivered}. */
  readonly isRedelivered?: (args: readonly unknown[], self: unknown) => boolean
}

/** Binds a seam that is a method: each of its calls is a message. */
export function methodSeam(seam: MethodSeam): SeamBinding {
  const { object, method, inherited = false } = seam
  return (tap, steps) => {
    /** The message that a covered call is. `undefined`: let it pass. */
    const messageOf = (name: EventName, args: readonly unknown[], self: unknown, below: Below): Message | undefined => {
      try {
        return seam.passes?.(args, self) === true ? undefined : new MethodMessage(seam, below, name, self, args)
      } catch {
        return undefined
      }
    }
    const layer = (below: Below): AnyFunction =>
      function (this: unknown, ...args: readonly unknown[]): unknown {
        // A call that cannot be read passes: the client itself says what is wrong with it. Most calls pass here, so this is all that they pay.
        let name: EventName | undefined
        try {
          name = seam.name(args, this)
          if (name !== undefined && !tap.covers(name)) name = undefined
        } catch {
          name = undefined
        }
        const message = name === undefined ? undefined : messageOf(name, args, this, below)
        return message === undefined ? (below.call.apply(this, args) as unknown) : tap.take(message)
      }
    steps.patch(object, method, layer, { inherited })
  }
}

class MethodMessage implements Message {
  readonly name: EventName
  readonly args: readonly unknown[]
  readonly subscriber: Message['subscriber']
  readonly deliveries?: () => readonly Message[]
  readonly refuse?: () => unknown
  readonly #seam: MethodSeam
  readonly #below: Below
  readonly #self: unknown

  constructor(seam: MethodSeam, below: Below, name: EventName, self: unknown, args: readonly unknown[]) {
    this.name = name
    this.args = args
    this.#seam = seam
    this.#below = below
    this.#self = self
    this.subscriber = seam.subscriber?.(args, self)
    const { deliveries, refuse } = seam
    if (deliveries !== undefined) this.deliveries = () => deliveries(this, args, self)
    if (refuse !== undefined) this.refuse = () => refuse(args, self)
  }

  get isAwaited(): boolean {
    return this.#seam.isAwaited === true
  }
  get isRedelivered(): boolean {
    return this.#seam.isRedelivered?.(this.args, this.#self) === true
  }
  get payload(): unknown {
    const { payload } = this.#seam
    return typeof payload === 'number' ? this.args[payload] : payload.read(this.args, this.#self)
  }
  forward(): unknown {
    return this.#below.call.apply(this.#self, this.args) as unknown
  }
  withPayload(value: unknown): Message {
    const { payload } = this.#seam
    return this.#with(
      typeof payload === 'number' ? replaced(this.args, payload, value) : payload.replace(this.args, value),
    )
  }
  snapshot(): Message {
    const { snapshot } = this.#seam
    return snapshot === undefined ? this : this.#with(snapshot(this.args))
  }
  copy(): Message {
    const { copy } = this.#seam
    return copy === undefined ? this : this.#with(copy(this.args, this.#self))
  }
  lose(): void {
    this.#seam.lose?.(this.args, this.#self)
  }
  isGone(): boolean {
    return this.#seam.isGone?.(this.args, this.#self) === true
  }
  loseLate(): void {
    this.#seam.loseLate?.(this.args, this.#self)
  }
  answer(): unknown {
    return this.#seam.answer?.(this.args, this.#self)
  }
  fail(error: Error, how: Failure): unknown {
    const { fail } = this.#seam
    if (fail !== undefined) return fail(error, how, this.args, this.#self)
    if (how === 'throw') throw error
    return Promise.reject(error)
  }
  #with(args: readonly unknown[]): Message {
    return new MethodMessage(this.#seam, this.#below, this.name, this.#self, args)
  }
}

/** Arguments with one of them replaced. */
export function replaced(args: readonly unknown[], index: number, value: unknown): unknown[] {
  const copy = [...args]
  copy[index] = value
  return copy
}
