import type { Scope } from '@chaos/core'
import { scopeOfMember, withScopeMember, type AnyFunction, type Below } from '@chaos/core/authoring'
import { headerText } from './message-scope.js'
import type { Begun, EventName, Failure, Message, SeamBinding, Subscriber } from './bus.js'

/** The parts of the message that one method call carries. Only the content is required. */
export interface MessageParts<Args extends readonly unknown[] = readonly unknown[]> {
  /** The content. Make it a getter where reading costs time or may throw: most faults never read it. */
  readonly payload: unknown
  /** The arguments that an `only` predicate gets. Default: those of the method. */
  readonly shown?: readonly unknown[] | undefined
  /** The arguments with other content. Returns new arguments and leaves the original ones unchanged. */
  withPayload(payload: unknown): Args
  /** The `baggage` header, as the client gives it. Default: the bus has no headers. */
  baggage?(): unknown
  /** The arguments with a `baggage` header. @param write Makes its value from that of the application, if any. */
  readonly withBaggage?: ((write: (given?: unknown) => string) => Args) | undefined
  /** What the caller gets without a fault, for a message that a fault holds or drops. Default: `undefined`. */
  answer?(): unknown
  /** See {@link Message.begin}. `forward` calls the method. */
  readonly begin?: ((forward: () => unknown) => Begun | undefined) | undefined
  /** See {@link Message.lose}. */
  readonly lose?: (() => void) | undefined
  /** See {@link Message.isGone}. */
  isGone?(): boolean
  /** See {@link Message.loseLate}. */
  loseLate?(): void
  /** One message for each subscriber. */
  readonly deliveries?: (() => readonly Message[]) | undefined
  /** See {@link Message.fail}. Default: throws the error, or returns a promise that rejects with it. */
  fail?(error: Error, how: Failure): unknown
  /** See {@link Message.subscriber}. */
  readonly subscriber?: Subscriber | undefined
  /** See {@link Message.refuse}. */
  readonly refuse?: (() => unknown) | undefined
  /** The arguments of a copy, see {@link Message.copy}. Default: the same arguments. */
  copy?(): Args
  /** The arguments as they are now, for a call that is made later. Default: the same arguments. */
  snapshot?(): Args
  /** Whether the broker has delivered the message before. Default `false`. */
  readonly isRedelivered?: boolean
}

/**
 * How the calls of one method become messages.
 *
 * @typeParam Args The arguments that the method takes. A call with other arguments fails in `name` or `read`, and passes.
 * @typeParam Self The `this` of the calls.
 */
export type MethodSeam<Args extends readonly unknown[] = readonly unknown[], Self = unknown> = SeamMethod<Args, Self> &
  (ReadingByIndex | ReadingByFunction<Args, Self>)

interface SeamMethod<Args extends readonly unknown[], Self> {
  /** The object that has or inherits the method. */
  readonly object: object
  readonly method: PropertyKey
  /** Covers the inherited method even if `object` has its own. Default `false`. */
  readonly inherited?: boolean
  /** Whether the caller awaits a promise. Default `false`. */
  readonly isAwaited?: boolean
  /**
   * The name of the message. Runs on every call, so keep it cheap. On `undefined`, or if it throws, the call passes.
   */
  readonly name: (args: Args, self: Self) => EventName | undefined
}

interface ReadingByIndex {
  /** The index of the argument that is the content, for a message that has no other parts. */
  readonly payload: number
  readonly read?: undefined
}

interface ReadingByFunction<Args extends readonly unknown[], Self> {
  /**
   * Reads the message. Runs once for a call whose name a fault may affect, and once for each changed list of its
   * arguments. On `undefined`, or if it throws, the call passes.
   */
  readonly read: (args: Args, self: Self) => MessageParts<Args> | undefined
  readonly payload?: undefined
}

type Read<Args extends readonly unknown[], Self> = ReadingByFunction<Args, Self>['read']

/** Binds a seam that is a method: each of its calls is a message. */
export function methodSeam<Args extends readonly unknown[] = readonly unknown[], Self = unknown>(
  seam: MethodSeam<Args, Self>,
): SeamBinding {
  const { object, method, inherited = false, isAwaited = false } = seam
  const { payload: index } = seam
  const read: Read<Args, Self> =
    index === undefined
      ? seam.read
      : (args) => ({ payload: args[index], withPayload: (payload) => replaced(args, index, payload) })
  return (tap, steps) => {
    const messageOf = (layer: Layer<Args, Self>, name: EventName, self: Self, args: Args): Message | undefined => {
      try {
        const parts = read(args, self)
        return parts && new MethodMessage(layer, name, self, args, parts)
      } catch {
        return undefined
      }
    }
    const layerOn = (below: Below): AnyFunction => {
      const layer = { below, read, isAwaited }
      return function (this: Self, ...args: Args): unknown {
        // A call that cannot be read passes: the client itself reports what is wrong with it. Most calls end here, so
        // nothing else runs for them.
        let name: EventName | undefined
        try {
          name = seam.name(args, this)
          if (name !== undefined && !tap.covers(name)) name = undefined
        } catch {
          name = undefined
        }
        const message = name === undefined ? undefined : messageOf(layer, name, this, args)
        return message === undefined ? (below.call.apply(this, args) as unknown) : tap.take(message)
      }
    }
    steps.patch(object, method, layerOn, { inherited })
  }
}

/** What all messages of one layer share. */
interface Layer<Args extends readonly unknown[], Self> {
  readonly below: Below
  readonly read: Read<Args, Self>
  readonly isAwaited: boolean
}

/** What a part of a binding returns. Its error must not reach the application's call, so `otherwise` stands in. */
function readOr<Value>(otherwise: Value, read: () => Value | undefined): Value {
  try {
    return read() ?? otherwise
  } catch {
    return otherwise
  }
}

class MethodMessage<Args extends readonly unknown[], Self> implements Message {
  readonly name: EventName
  readonly args: readonly unknown[]
  readonly subscriber: Subscriber | undefined
  readonly deliveries?: () => readonly Message[]
  readonly refuse?: () => unknown
  readonly withScope?: (scope: Scope) => Message
  readonly #given: Args
  readonly #layer: Layer<Args, Self>
  readonly #self: Self
  readonly #parts: MessageParts<Args>

  constructor(layer: Layer<Args, Self>, name: EventName, self: Self, args: Args, parts: MessageParts<Args>) {
    this.name = name
    this.args = parts.shown ?? args
    this.#given = args
    this.subscriber = parts.subscriber
    this.#layer = layer
    this.#self = self
    this.#parts = parts
    if (parts.deliveries !== undefined) this.deliveries = () => parts.deliveries?.() ?? []
    if (parts.refuse !== undefined) this.refuse = () => parts.refuse?.()
    const { withBaggage } = parts
    if (withBaggage !== undefined)
      this.withScope = (scope) =>
        this.#with(readOr(args, () => withBaggage((given) => withScopeMember(scope, headerText(given)))))
  }

  get isAwaited(): boolean {
    return this.#layer.isAwaited
  }
  get isRedelivered(): boolean {
    return this.#parts.isRedelivered === true
  }
  get payload(): unknown {
    return this.#parts.payload
  }
  get scope(): Scope | undefined {
    const header = readOr(undefined, () => headerText(this.#parts.baggage?.()))
    return header === undefined ? undefined : scopeOfMember(header)
  }
  forward(): unknown {
    return this.#layer.below.call.apply(this.#self, this.#given) as unknown
  }
  begin(): Begun | undefined {
    return this.#parts.begin?.(() => this.forward())
  }
  withPayload(payload: unknown): Message {
    return this.#with(readOr(this.#given, () => this.#parts.withPayload(payload)))
  }
  snapshot(): Message {
    return this.#parts.snapshot === undefined ? this : this.#with(readOr(this.#given, () => this.#parts.snapshot?.()))
  }
  copy(): Message {
    return this.#parts.copy === undefined ? this : this.#with(readOr(this.#given, () => this.#parts.copy?.()))
  }
  lose(): void {
    readOr(undefined, () => this.#parts.lose?.())
  }
  /** A client that cannot be asked is gone. */
  isGone(): boolean {
    return readOr(true, () => this.#parts.isGone?.() === true)
  }
  loseLate(): void {
    readOr(undefined, () => this.#parts.loseLate?.())
  }
  answer(): unknown {
    try {
      return this.#parts.answer?.()
    } catch {
      return this.isAwaited ? Promise.resolve() : undefined
    }
  }
  fail(error: Error, how: Failure): unknown {
    if (this.#parts.fail !== undefined) return this.#parts.fail(error, how)
    if (how === 'throw') throw error
    return Promise.reject(error)
  }
  #with(args: Args): Message {
    return new MethodMessage(this.#layer, this.name, this.#self, args, this.#partsOf(args))
  }
  /**
   * Changed content may be unreadable, or its client may have closed since. Everything but the content is then as
   * before.
   */
  #partsOf(args: Args): MessageParts<Args> {
    try {
      return this.#layer.read(args, this.#self) ?? this.#parts
    } catch {
      return this.#parts
    }
  }
}

/** Arguments with one of them replaced. */
export function replaced<Args extends readonly unknown[]>(args: Args, index: number, value: unknown): Args {
  const copy: unknown[] = [...args]
  copy[index] = value
  return copy as readonly unknown[] as Args
}
