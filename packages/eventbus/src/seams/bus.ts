import { ChaosError } from '@chaos/core'
import { listed, type InjectionContext } from '@chaos/core/authoring'

/** The name of an event: an event name, topic, subject, channel or routing key. `only` is matched against it. */
export type EventName = string | symbol

/**
 * Where a bus is broken. `publish`: before it sees the event. `delivery`: after it has stamped, counted or carried the event, before its
 * listeners get it. `ack`: where a consumer tells a broker that it is done.
 */
export type Seam = 'publish' | 'delivery' | 'ack'

/** Who gets a message: a listener, a consumer, a group. */
export interface Subscriber {
  /** What `subscriber` is matched against: the listener's name, the consumer's tag, group or client id. */
  readonly name: string
  /** Tells it from others of its name; the listener itself where there is one. */
  readonly identity: unknown
}

/** One message on its way through a seam: what a fault reads, changes, keeps back, repeats or loses. */
export interface Message {
  readonly name: EventName
  /** What an `only` predicate sees. */
  readonly args: ArrayLike<unknown>
  /** Its content, as its listener would see it. */
  readonly payload: unknown
  /** Who is about to get it, where the seam is one of a single subscriber. */
  readonly subscriber?: Subscriber | undefined
  /** Its sender awaits a promise: a message kept back settles it when it has gone on. Otherwise the sender gets `answer()` at once. */
  readonly isAwaited?: boolean
  /** Lets it go on, now or later, once for each copy. @returns What its sender gets in health. */
  forward(): unknown
  /** Lets it go on when its sender has long gone on: a failure is told to the sender's callback, or to nobody. Default: as {@link Message.forward}. */
  forwardLate?(): unknown
  /** The same message with other content. The original stays as it is. */
  withPayload(payload: unknown): Message
  /** What its sender gets in health when the message itself does not go on now. */
  answer(): unknown
  /** It will not go on: ends as in health what waits for it beside the answer, a callback or a broker that keeps it until it is acknowledged. */
  lose?(): void
  /** Whether what it goes through is closed for good: a channel, a connection. A message that is held then is lost. Default: never. */
  isGone?(): boolean
  /** It was held, and could not go on when its time came. Tells whoever waits for it beside the answer that it is lost, as the client does: a callback gets an error. Must not use what is closed. */
  loseLate?(): void
  /** At delivery: one message for each subscriber that would get it now, in order. */
  deliveries?(): readonly Message[]
  /** At delivery: ends it as a listener that throws, or whose promise rejects. Default: throws, or returns such a promise. @returns What a listener would. */
  fail?(error: Error, how: Failure): unknown
  /** At delivery and acknowledgement, of a broker: gives it back to be delivered again (a nack that requeues). Harmless when it is too late. @returns What an acknowledgement returns. */
  refuse?(): unknown
  /** The message as it is now, for a fault that changes, keeps or repeats it: what its sender may use again is copied. Made of those that are affected only. Default: this very message. */
  snapshot?(): Message
  /** The same message once more, as the bus itself repeats it. Default: this very message. */
  copy?(): Message
  /** Of a broker: it was delivered before. */
  readonly isRedelivered?: boolean
  /** Whether it moves something that cannot exist twice, a port for example: it is never copied. Default `false`. */
  readonly isUnique?: boolean
  /** On a channel that clones: ends it as a message that cannot be cloned. Thrown at publish, heard as `messageerror` at delivery. */
  failCloning?(error: Error): unknown
}

/** How a listener fails: it throws, or the promise it returned rejects. */
export type Failure = 'throw' | 'reject'

/** Where a binding hands its messages over. */
export interface Tap {
  /** Whether messages of this name may be affected at all. If not, let the message pass without making a {@link Message} of it. */
  covers(name: EventName): boolean
  /** Takes a message over. @returns What the seam returns to its caller. */
  take(message: Message): unknown
}

/** What a binding may do to reach a seam: every step records its way back. */
export type Steps = Pick<InjectionContext, 'patch' | 'defer' | 'clock'>

/**
 * Leads the messages of a seam through `tap`, from now until `steps` are taken back. A message that `tap` does not take, and everything
 * by which a bus talks about itself, passes untouched.
 */
export type SeamBinding = (tap: Tap, steps: Steps) => void

/** One seam of several: messages may pass at each. */
export const allSeams =
  (...bindings: readonly SeamBinding[]): SeamBinding =>
  (tap, steps) =>
    bindings.forEach((bind) => bind(tap, steps))

/** The connection of a client to its broker, or those of a server to its clients. */
export interface Connection {
  /** What `only` is matched against: `publisher`, `subscriber`, or `connection` where a client has one for both. */
  readonly name: string
  /** Each connection that stands now: how to cut it, as a network does that fails. What the client does about it is its own business. */
  standing(): readonly (() => unknown)[]
  /**
   * Asks `isRefused` at each attempt to connect, from now on until `steps` are taken back, and makes it fail if so: as where nothing listens, or by
   * cutting the connection as soon as it stands. Left out where a connection does not come back by itself.
   */
  attempts?(isRefused: () => boolean, steps: Steps): void
}

/** What a binding says of a bus. */
export interface BusDefinition {
  /** What it is, in words: `a NATS connection`. */
  readonly kind: string
  /** The seams that it has. */
  readonly seams: Readonly<Partial<Record<Seam, SeamBinding | undefined>>>
  /** Whether its deliveries tell subscribers apart, by {@link Message.subscriber} or {@link Message.deliveries}. Default `false`. */
  readonly knowsSubscribers?: boolean
  /** Whether whoever publishes here is also who gets it: a bus within the process. Default `false`. */
  readonly isLocal?: boolean
  /** Shows each message that a fault hands to a single listener by itself, past every layer beneath. Default: no fault does. @returns Stops. */
  readonly watchListeners?: ((see: (message: Message) => void) => () => void) | undefined
  /** Default: none that could be cut. */
  readonly connections?: readonly Connection[] | undefined
  /** Whether its consumers can give a delivery back, so that the broker delivers it again ({@link Message.refuse}). Default `false`. */
  readonly requeues?: boolean
  /** Whether its messages are clones, which can fail to be made ({@link Message.failCloning}). Default `false`. */
  readonly clones?: boolean
}

const BUS = Symbol.for('@chaos/eventbus.Bus')

/** A bus that was bound: a target for the faults of this package. */
export interface Bus extends BusDefinition {
  readonly [BUS]: true
}

/** Binds a bus of any kind, so that every fault of this package works on it. */
export function bindBus(definition: BusDefinition): Bus {
  return Object.freeze({ ...definition, [BUS]: true as const })
}

/** Whether a value was made by {@link bindBus}, of this copy of the package or another. */
export function isBus(value: unknown): value is Bus {
  return typeof value === 'object' && value !== null && BUS in value
}

/**
 * The binding of a seam.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when the bus has no such seam.
 */
export function seamBinding({ kind, seams }: Bus, seam: Seam): SeamBinding {
  const binding = seams[seam]
  if (binding !== undefined) return binding
  throw new ChaosError(
    'CHAOS_TARGET_MISMATCH',
    `Expected a bus with the seam \`${seam}\`, got ${kind}, which has ${listed(Object.entries(seams).flatMap(([name, given]) => (given === undefined ? [] : [name])))}. Choose another \`seam\`, or a fault that this bus can feel.`,
  )
}
