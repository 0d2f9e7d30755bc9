import { ChaosError, type Scope } from '@chaos/core'
import { listed, type InjectionContext, type Operation } from '@chaos/core/authoring'

/** The name of an event: an event name, topic, subject, channel or routing key. `only` is matched against it. */
export type EventName = string | symbol

/**
 * Where a fault acts on a bus. `publish`: before the event reaches the bus. `delivery`: between the bus and its listeners,
 * after the bus has stamped, counted or transported the event. `ack`: where a consumer acknowledges a delivery.
 */
export type Seam = 'publish' | 'delivery' | 'ack'

/** A receiver of messages: a listener, a consumer or a group. */
export interface Subscriber {
  /**
   * The name that `subscriber` is matched against: the name of the listener, or the tag, group or client id of the
   * consumer.
   */
  readonly name: string
  /** Distinguishes subscribers of the same name. The listener itself where there is one. */
  readonly identity: unknown
}

/** One message at a seam. A fault reads, changes, holds, repeats or drops it. */
export interface Message {
  readonly name: EventName
  /** The arguments that an `only` predicate gets. */
  readonly args: ArrayLike<unknown>
  /** The content, as a listener sees it. */
  readonly payload: unknown
  /** The subscriber of this delivery, where the seam shows it. */
  readonly subscriber?: Subscriber | undefined
  /**
   * Whether the sender awaits a promise, which settles when a held message has gone on. Default `false`: the sender
   * gets `answer()` at once.
   */
  readonly isAwaited?: boolean
  /** On whose behalf the message was sent, if it carries that. Default: unknown. */
  readonly scope?: Scope | undefined
  /** The same message, which carries a scope to its receivers. Missing where the bus has no place for it. */
  withScope?(scope: Scope): Message
  /** Lets the message go on, now or later, once for each copy. @returns What the sender gets without a fault. */
  forward(): unknown
  /**
   * Lets a held message go on after its sender has continued. A failure goes to the callback of the sender, or is
   * ignored. Default: {@link Message.forward}.
   */
  forwardLate?(): unknown
  /**
   * Begins a held message: the client does everything with it except send it, so that its timeouts and retries run. Default:
   * the client gets the message when it is sent.
   */
  begin?(): Begun | undefined
  /** The same message with other content. The original stays unchanged. */
  withPayload(payload: unknown): Message
  /** What the sender gets without a fault, for a message that a fault holds or drops. */
  answer(): unknown
  /**
   * The message is dropped. Reports success to all that wait for it besides the answer: a callback, or a broker that
   * needs an acknowledgement.
   */
  lose?(): void
  /** Whether its channel or connection is closed for good. A held message is then lost. Default: never. */
  isGone?(): boolean
  /**
   * A held message cannot go on any more. Reports the loss as the client does, for example as an error of a callback.
   * Must not use the closed channel.
   */
  loseLate?(): void
  /** At delivery: one message for each current subscriber, in order. */
  deliveries?(): readonly Message[]
  /**
   * At delivery: ends the message as a listener that throws, or whose promise rejects. Default: throws, or returns a
   * rejected promise.
   *
   * @returns What the listener would return.
   */
  fail?(error: Error, how: Failure): unknown
  /**
   * At delivery and acknowledgement: requeues the message at the broker (a negative acknowledgement). Does nothing if
   * the message is settled already.
   *
   * @returns What an acknowledgement returns.
   */
  refuse?(): unknown
  /**
   * The message with copies of all data that the sender may change later. Called for affected messages only. Default:
   * this message.
   */
  snapshot?(): Message
  /** A repetition of the message, as the bus itself repeats it. Default: this message. */
  copy?(): Message
  /** Whether the broker has delivered the message before. Default `false`. */
  readonly isRedelivered?: boolean
  /**
   * Whether the message transfers something that cannot exist twice, for example a port. Such a message is never
   * copied. Default `false`.
   */
  readonly isUnique?: boolean
  /**
   * On a channel that clones: ends the message as one that cannot be cloned. Throws at publish; emits `messageerror` at
   * delivery.
   */
  failCloning?(error: Error): unknown
}

/** How a listener fails: it throws, or its promise rejects. */
export type Failure = 'throw' | 'reject'

/** A message that a client has begun and cannot send. */
export interface Begun {
  /** What the sender gets. */
  readonly answer: unknown
  /** Lets the client send the message. */
  send(): void
  /** Whether the client has given the message up itself, so that nothing is left to send. */
  isGone(): boolean
}

/** Receives the messages of a binding. */
export interface Tap {
  /**
   * Whether messages of this name may be affected. If not, the binding lets the message pass without making a {@link
   * Message}.
   */
  covers(name: EventName): boolean
  /** Handles a message. @returns What the seam returns to its caller. */
  take(message: Message): unknown
  /**
   * Keeps an end of the messages, such as `complete`, behind all messages that are held now. Default: nothing is held.
   *
   * @param end Runs as soon as no message is held.
   * @returns Whether messages are held. If not, `end` never runs.
   */
  endAfterHeld?(end: () => void): boolean
}

/** What becomes of an event: it passes and is counted, a message of it is read first, or the fault affects it. */
export type Decision = 'pass' | 'take' | 'affect'

/**
 * A tap that decides before there is a message. Name, `args`, payload and subscriber are not known then, so a fault that needs
 * them answers `take`.
 */
export interface SwiftTap extends Tap {
  /** The operation of a name. `undefined`: its messages pass. */
  operationOf(name: EventName): Operation | undefined
  /** Counts an event that passes unaffected, and says what becomes of any other. Call it once per event. */
  decide(operation: Operation, name: EventName): Decision
  /** Handles a message that the fault affects by an earlier decision. @returns What the seam returns to its caller. */
  affect(message: Message): unknown
}

/**
 * The name of an event as text. Emitters also take numbers as names, and treat most other values as their text.
 *
 * @returns `undefined` for a value that has no text.
 */
export function nameOfEvent(name: unknown): EventName | undefined {
  if (typeof name === 'string' || typeof name === 'symbol') return name
  if (name === undefined) return undefined
  try {
    // eslint-disable-next-line @typescript-eslint/no-base-to-string -- emitters, too, take the text of a value as the name
    return String(name)
  } catch {
    return undefined
  }
}

/** The steps by which a binding reaches a seam. Each step is rolled back when the fault ends. */
export type Steps = Pick<InjectionContext, 'patch' | 'defer' | 'clock'>

/**
 * Passes the messages of a seam to `tap`, until `steps` are rolled back. Messages that `tap` does not cover, and internal
 * events of the bus, pass unchanged.
 */
export type SeamBinding = (tap: Tap, steps: Steps) => void

/** Combines several bindings into one seam. */
export const allSeams =
  (...bindings: readonly SeamBinding[]): SeamBinding =>
  (tap, steps) =>
    bindings.forEach((bind) => bind(tap, steps))

/** The connection of a client to its broker, or the connections of a server to its clients. */
export interface Connection {
  /**
   * The name that `only` is matched against: `publisher`, `subscriber`, or `connection` where one connection serves
   * both.
   */
  readonly name: string
  /** One function for each open connection. It cuts the connection as a network failure does. */
  standing(): readonly (() => unknown)[]
  /**
   * Calls `isRefused` at each attempt to connect, until `steps` are rolled back. If it returns `true`, the attempt fails as
   * with a closed port, or the connection is cut as soon as it opens. Leave it out if the client never reconnects.
   */
  attempts?(isRefused: () => boolean, steps: Steps): void
}

/** The description of a bus. */
export interface BusDefinition {
  /** What the bus is, for messages: `a NATS connection`. */
  readonly kind: string
  /** The seams of the bus. */
  readonly seams: Readonly<Partial<Record<Seam, SeamBinding | undefined>>>
  /**
   * Whether deliveries identify their subscribers, by {@link Message.subscriber} or {@link Message.deliveries}. Default
   * `false`.
   */
  readonly knowsSubscribers?: boolean
  /** Whether publishers and subscribers are in this process. Default `false`. */
  readonly isLocal?: boolean
  /**
   * Reports each message that a fault passes directly to one listener, past all layers below. Default: no fault does
   * so.
   *
   * @returns A function that stops reporting.
   */
  readonly watchListeners?: ((see: (message: Message) => void) => () => void) | undefined
  /**
   * Where the application hands a message to the client, if the publish seam is further down. `observeDelivery` counts there,
   * so that a message that the client sends again counts once. Default: the publish seam.
   */
  readonly handsOver?: SeamBinding | undefined
  /** The connections that can be cut. Default: none. */
  readonly connections?: readonly Connection[] | undefined
  /** Whether consumers can requeue a delivery ({@link Message.refuse}). Default `false`. */
  readonly requeues?: boolean
  /** Whether messages carry a scope from where they are handed over ({@link Message.withScope}). Default `false`. */
  readonly carriesScopes?: boolean
  /** Whether the bus clones its messages, which can fail ({@link Message.failCloning}). Default `false`. */
  readonly clones?: boolean
}

const BUS = Symbol.for('@chaos/eventbus.Bus')

/** A bound bus: a target for the faults of this package. */
export interface Bus extends BusDefinition {
  readonly [BUS]: true
}

/**
 * Binds a bus of any kind. Every fault of this package works on the result, where the bus has the seam that the fault
 * needs.
 */
export function bindBus(definition: BusDefinition): Bus {
  return Object.freeze({ ...definition, [BUS]: true as const })
}

/** Whether a value comes from {@link bindBus}, in any copy of this package. */
export function isBus(value: unknown): value is Bus {
  return typeof value === 'object' && value !== null && BUS in value
}

/**
 * The binding of a seam.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when the bus does not have the seam.
 */
export function seamBinding({ kind, seams }: Bus, seam: Seam): SeamBinding {
  const binding = seams[seam]
  if (binding !== undefined) return binding
  throw new ChaosError(
    'CHAOS_TARGET_MISMATCH',
    `The fault needs the seam \`${seam}\`, and ${kind} has ${listed(Object.entries(seams).flatMap(([name, given]) => (given === undefined ? [] : [name])))}. Choose another \`seam\` or another fault.`,
  )
}
