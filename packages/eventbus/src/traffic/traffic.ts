import { ChaosError } from '@chaos/core'
import { type HeldWork, type InjectionContext, type Operation } from '@chaos/core/authoring'
import { busOf, type BusTarget } from '../in-process/bus-target.js'
import {
  seamBinding,
  type Begun,
  type Decision,
  type EventName,
  type Failure,
  type Message,
  type Seam,
  type SwiftTap,
} from '../seams/bus.js'
import { onBehalfOfSender } from '../seams/message-scope.js'
import { scopeTest, type Scope } from './scope.js'

/**
 * The account of one fault. At any time, sent + duplicated = delivered + dropped + held. `failed` counts the delivered
 * messages that ended as a failure.
 */
type Account = Record<'sent' | 'duplicated' | 'delivered' | 'dropped' | 'held' | 'failed', number>

/** A held message. */
export interface HeldMessage {
  /** What the sender gets meanwhile. */
  readonly answer: unknown
  /** Lets the message go on early. */
  deliver(): void
}

/** What a fault can do with a message. Each method updates the account. */
interface Traffic {
  readonly account: Account
  /** Lets the message go on: now, or behind held messages of its name. */
  deliver(message: Message): unknown
  /** Drops the message without the sender noticing. */
  drop(message: Message): unknown
  /**
   * Holds the message for `afterMs`, or until the injection ends.
   *
   * @param whenDue Runs when the time is over. Default: delivers the message.
   */
  hold(message: Message, afterMs: number, whenDue?: (deliver: () => void) => void): HeldMessage
  /** Delivers an additional copy after `afterMs`. */
  copy(message: Message, afterMs: number): void
  /** Ends the delivery as a failing listener does. */
  fail(message: Message, error: Error, how: Failure): unknown
  /** Ends the message as one that cannot be cloned. */
  failCloning(message: Message, error: Error): unknown
  /** The key of the messages that stay in order: the name, or the name and the subscriber. */
  keyOf(message: Message): PropertyKey
}

/** What a fault does with each affected message. @returns What the sender gets. */
export type Act = (message: Message, traffic: Traffic) => unknown

/** How a fault handles the messages of a bus. */
export interface TrafficOptions extends Pick<Scope, 'where' | 'subscriber'> {
  readonly seam: Seam
  /** `keep`: an unaffected message waits behind held messages of its name and subscriber. Default `keep`. */
  readonly order?: 'keep' | 'free'
  /**
   * Whether the fault acts on each listener separately, if the bus identifies its listeners. Default: only with
   * `subscriber`.
   */
  readonly eachListener?: boolean
  /** Whether the fault rejects messages at once, so that they need no copy. Default `false`. */
  readonly refuses?: boolean
  /** Whether the fault can affect a message. Other messages are outside its scope. */
  readonly applies?: ((message: Message) => boolean) | undefined
}

/**
 * Passes the messages of a bus to a fault. Every fault of this package reaches every bus through this function.
 *
 * @param act Called for each affected message.
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when the bus does not have the seam, or does not identify its subscribers.
 */
export function directTraffic(target: BusTarget, options: TrafficOptions, context: InjectionContext, act: Act): void {
  const bus = busOf(target)
  const { seam, subscriber, eachListener = false } = options
  const binding = seamBinding(bus, seam)
  if (subscriber !== undefined && bus.knowsSubscribers !== true) {
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `The option \`subscriber\` needs a bus that identifies its subscribers, and ${bus.kind} does not. Leave out \`subscriber\`.`,
    )
  }
  binding(
    new BusTraffic(
      options,
      {
        eachListener: subscriber !== undefined || eachListener,
        callsClient: bus.isLocal !== true && seam !== 'delivery',
      },
      context,
      act,
    ),
    context,
  )
}

class BusTraffic implements SwiftTap, Traffic {
  // Plain fields: the optimising compiler folds their loads into the layer of an emitter, and those of `#private` fields not.
  readonly account: Account
  /** Whether names are enough to decide. */
  readonly isByName: boolean
  readonly isHolding: (key: PropertyKey) => boolean
  readonly #context: InjectionContext
  readonly #operation: InjectionContext['operation']
  readonly #act: Act
  readonly #inScope: ((message: Message) => boolean) | undefined
  readonly #applies: ((message: Message) => boolean) | undefined
  readonly #refuses: boolean
  readonly #keepsOrder: boolean
  readonly #eachListener: boolean
  readonly #callsClient: boolean
  readonly #isDelivery: boolean
  readonly #keys: OrderKeys
  readonly #ends: (() => void)[] = []

  /** @param of.callsClient Whether a message goes on to a client library instead of listeners of the application. */
  constructor(
    options: TrafficOptions,
    of: { readonly eachListener: boolean; readonly callsClient: boolean },
    context: InjectionContext,
    act: Act,
  ) {
    this.account = context.account('sent', 'duplicated', 'delivered', 'dropped', 'held', 'failed')
    this.#context = context
    this.#operation = context.operation
    this.#act = act
    this.#inScope = scopeTest(options)
    this.#applies = options.applies
    this.#refuses = options.refuses === true
    this.#keepsOrder = options.order !== 'free'
    this.#eachListener = of.eachListener
    this.#callsClient = of.callsClient
    this.#isDelivery = options.seam === 'delivery'
    this.#keys = new OrderKeys(context.isHolding)
    this.isByName = this.#inScope === undefined && this.#applies === undefined && !this.#eachListener
    this.isHolding = this.#keepsOrder ? context.isHolding : () => false
  }

  covers(name: EventName): boolean {
    return this.#operation(name).covers()
  }

  operationOf(name: EventName): Operation | undefined {
    const operation = this.#operation(name)
    return operation.covers() ? operation : undefined
  }

  decide(operation: Operation, name: EventName): Decision {
    if (!this.isByName || operation.readsArguments === true || this.isHolding(name)) return 'take'
    if (operation.shouldInject(NO_ARGUMENTS)) return 'affect'
    this.account.sent += 1
    this.account.delivered += 1
    return 'pass'
  }

  affect(message: Message): unknown {
    const own = this.#refuses ? message : (message.snapshot?.() ?? message)
    this.account.sent += 1
    return this.#act(own, this)
  }

  take(message: Message): unknown {
    return this.#isDelivery ? onBehalfOfSender(message, () => this.#take(message)) : this.#take(message)
  }

  #take(message: Message): unknown {
    const deliveries = this.#eachListener ? deliveriesOf(message) : undefined
    if (deliveries === undefined) return this.#takeOne(message)
    for (const delivery of deliveries) this.#takeOne(delivery)
    return message.answer()
  }

  #takeOne(message: Message): unknown {
    const operation = this.#operation(message.name)
    if (operation.isElsewhere?.() === true) return message.forward()
    if (!operation.covers(message.args) || !this.#concerns(message)) {
      return this.#mustWait(message) ? this.#queue(message) : message.forward()
    }
    if (operation.shouldInject(message.args)) return this.affect(message)
    if (this.#mustWait(message)) return this.#queue(message)
    this.account.sent += 1
    return this.#forward(message)
  }

  /**
   * Whether a message is within the scope. A payload or predicate that throws must not throw in the application's call,
   * so its message is not affected.
   */
  #concerns(message: Message): boolean {
    try {
      return this.#inScope?.(message) !== false && this.#applies?.(message) !== false
    } catch {
      this.#context.account('unreadable').unreadable += 1
      return false
    }
  }

  deliver(message: Message): unknown {
    return this.#mustWait(message) ? this.hold(message, 0).answer : this.#forward(message)
  }

  drop(message: Message): unknown {
    this.account.dropped += 1
    message.lose?.()
    return message.answer()
  }

  copy(original: Message, afterMs: number): void {
    this.account.duplicated += 1
    const message = original.copy?.() ?? original
    // The original may have been the last delivery, for example to a `once` listener.
    if (message.isGone?.() === true) {
      this.account.dropped += 1
      message.loseLate?.()
      return
    }
    const answer = afterMs > 0 ? this.hold(message, afterMs).answer : this.deliver(message)
    // No caller awaits a copy, so its failure must not become an unhandled rejection.
    if (message.isAwaited === true) void Promise.resolve(answer).catch(() => undefined)
  }

  fail(message: Message, error: Error, how: Failure): unknown {
    this.account.delivered += 1
    this.account.failed += 1
    if (message.fail !== undefined) return message.fail(error, how)
    if (how === 'throw') throw error
    return Promise.reject(error)
  }

  failCloning(message: Message, error: Error): unknown {
    this.account.dropped += 1
    return message.failCloning?.(error)
  }

  keyOf(message: Message): PropertyKey {
    return this.#keys.of(message)
  }

  hold(message: Message, afterMs: number, whenDue?: (deliver: () => void) => void): HeldMessage {
    const kept = this.#keep(message)
    const held = this.#context.hold({
      afterMs,
      order: this.#keepsOrder ? this.#keys.of(message) : undefined,
      run: whenDue === undefined ? kept.deliver : () => whenDue(kept.deliver),
      ...kept.late,
    })
    return {
      answer: kept.answer,
      deliver: () => held.run(),
    }
  }

  endAfterHeld(end: () => void): boolean {
    if (this.account.held === 0) return false
    this.#ends.push(end)
    return true
  }

  /** Called after a held message has left. */
  #end(): void {
    if (this.account.held > 0 || this.#ends.length === 0) return
    for (const end of this.#ends.splice(0)) end()
  }

  #forward(message: Message): unknown {
    this.account.delivered += 1
    return message.forward()
  }

  #mustWait(message: Message): boolean {
    return this.#keepsOrder && this.#context.isHolding(this.#keys.of(message))
  }

  #queue(passing: Message): unknown {
    const message = passing.snapshot?.() ?? passing
    this.account.sent += 1
    const { deliver, answer, late } = this.#keep(message)
    this.#context.queue({ order: this.#keys.of(message), run: deliver, ...late })
    return answer
  }

  /** Counts a message as held and prepares what the sender gets: an answer now, or a promise of the later result. */
  #keep(message: Message): Kept {
    const kept = this.#kept(message)
    const { lose } = kept.late
    const thenEnd = (work: () => void) => (): void => {
      try {
        work()
      } finally {
        this.#end()
      }
    }
    return {
      ...kept,
      deliver: thenEnd(kept.deliver),
      late: { ...kept.late, lose: lose && thenEnd(lose) },
    }
  }

  #kept(message: Message): Kept {
    const { account } = this
    account.held += 1
    const leave = (into: 'delivered' | 'dropped'): void => {
      account.held -= 1
      account[into] += 1
    }
    const on = message.isGone === undefined ? undefined : { isGone: () => message.isGone?.() === true }
    const begun = message.begin?.()
    if (begun !== undefined) return keptBegun(begun, leave)
    if (message.isAwaited !== true) {
      const lose = (): void => {
        leave('dropped')
        message.loseLate?.()
      }
      return {
        answer: message.answer(),
        deliver: () => {
          if (!this.#callsClient) {
            leave('delivered')
            forwardHeld(message)
            return
          }
          forwardHeld(message)
          leave('delivered')
        },
        late: { on, lose, fail: this.#callsClient ? lose : undefined },
      }
    }
    let settle: (work: () => unknown) => void = () => undefined
    const answer = new Promise((resolve) => {
      // The executor turns a thrown error into a rejection.
      settle = (work) => resolve(new Promise((done) => done(work())))
    })
    return {
      answer,
      deliver: () => {
        leave('delivered')
        settle(() => message.forward())
      },
      late: {
        on,
        lose: () => {
          leave('dropped')
          // The closed client itself rejects the call that the sender awaits.
          settle(() => message.forward())
        },
      },
    }
  }
}

/** One message for each subscriber. `undefined`: the subscribers are not known, so the message counts as a whole. */
function deliveriesOf(message: Message): readonly Message[] | undefined {
  try {
    return message.deliveries?.()
  } catch {
    return undefined
  }
}

const NO_ARGUMENTS: readonly unknown[] = []

/** Forwards a held message. */
const forwardHeld = (message: Message): unknown =>
  message.forwardLate === undefined ? message.forward() : message.forwardLate()

/** The handling of a message that counts as held. */
interface Kept {
  /** What the sender gets. */
  readonly answer: unknown
  readonly deliver: () => void
  /** What happens when the message cannot go on any more. */
  readonly late: Pick<HeldWork, 'on' | 'lose' | 'fail'>
}

const keptBegun = (begun: Begun, leave: (into: 'delivered' | 'dropped') => void): Kept => ({
  answer: begun.answer,
  deliver: () => {
    leave('delivered')
    begun.send()
  },
  late: { on: begun, lose: () => leave('dropped') },
})

/** Keys of the messages that stay in order: those of one name to one subscriber. */
class OrderKeys {
  readonly #isInUse: (key: symbol) => boolean
  readonly #ofListeners = new WeakMap<object, Bounded<EventName, symbol>>()
  readonly #ofOthers: Bounded<unknown, Bounded<EventName, symbol>>

  constructor(isInUse: (key: symbol) => boolean) {
    this.#isInUse = isInUse
    this.#ofOthers = new Bounded((keys) => keys.isInUse())
  }

  of({ name, subscriber }: Message): PropertyKey {
    return subscriber === undefined ? name : this.#keysOf(subscriber.identity).get(name, () => Symbol('order'))
  }

  #keysOf(identity: unknown): Bounded<EventName, symbol> {
    const isObject = (typeof identity === 'object' && identity !== null) || typeof identity === 'function'
    if (!isObject) return this.#ofOthers.get(identity, () => new Bounded(this.#isInUse))
    let keys = this.#ofListeners.get(identity)
    if (keys === undefined) this.#ofListeners.set(identity, (keys = new Bounded(this.#isInUse)))
    return keys
  }
}

/** The number of entries below which no cleanup runs. */
const FEW = 1_000

/** A map that removes unused values when it reaches twice the number of values in use at the last cleanup. */
class Bounded<Key, Value> {
  readonly #values = new Map<Key, Value>()
  readonly #isInUse: (value: Value) => boolean
  #full = FEW

  constructor(isInUse: (value: Value) => boolean) {
    this.#isInUse = isInUse
  }

  get(key: Key, make: () => Value): Value {
    let value = this.#values.get(key)
    if (value !== undefined) return value
    if (this.#values.size >= this.#full) this.#forgetUnused()
    this.#values.set(key, (value = make()))
    return value
  }

  isInUse(): boolean {
    for (const value of this.#values.values()) if (this.#isInUse(value)) return true
    return false
  }

  #forgetUnused(): void {
    for (const [key, value] of this.#values) if (!this.#isInUse(value)) this.#values.delete(key)
    this.#full = Math.max(FEW, 2 * this.#values.size)
  }
}
