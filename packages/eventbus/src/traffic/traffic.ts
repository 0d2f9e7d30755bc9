import { ChaosError } from '@chaos/core'
import { type HeldWork, type InjectionContext } from '@chaos/core/authoring'
import { busOf, type BusTarget } from '../in-process/bus-target.js'
import { seamBinding, type EventName, type Failure, type Message, type Seam, type Tap } from '../seams/bus.js'
import { scopeTest, type Scope } from './scope.js'

/** What became of the messages of one fault: at any instant, sent + duplicated = delivered + dropped + held. `failed` of the delivered ended as a failure. */
type Account = Record<'sent' | 'duplicated' | 'delivered' | 'dropped' | 'held' | 'failed', number>

/** A message that is kept back. */
export interface HeldMessage {
  /** What its sender gets meanwhile. */
  readonly answer: unknown
  /** Lets it go on before its time. */
  deliver(): void
  /** Loses it. */
  drop(): void
}

/** What a fault can do with a message. Each keeps the account. */
interface Traffic {
  readonly account: Account
  /** Lets it go on: now, or behind what is held of its name. */
  deliver(message: Message): unknown
  /** Loses it; its sender does not notice. */
  drop(message: Message): unknown
  /**
   * Keeps it back for so many ms, or until the injection ends.
   *
   * @param whenDue What to do when its time is up. Default: deliver it.
   */
  hold(message: Message, afterMs: number, whenDue?: (deliver: () => void) => void): HeldMessage
  /** Delivers an additional copy, after so many ms. */
  copy(message: Message, afterMs: number): void
  /** Ends its delivery as a listener that fails. */
  fail(message: Message, error: Error, how: Failure): unknown
  /** Ends it as one that cannot be cloned. */
  failCloning(message: Message, error: Error): unknown
  /** Under what it stays in order with others: its name, or its name and subscriber. */
  keyOf(message: Message): PropertyKey
}

/** What a fault does with each message that it affects. @returns What the sender gets. */
export type Act = (message: Message, traffic: Traffic) => unknown

/** How a fault taps a bus. */
export interface TrafficOptions extends Pick<Scope, 'where' | 'subscriber'> {
  readonly seam: Seam
  /** Default `keep`: a message that is not affected waits behind held ones of its name and subscriber. */
  readonly order?: 'keep' | 'free'
  /** Whether it acts on each listener by itself, where the bus tells them apart. Default: only if `subscriber` is given. */
  readonly eachListener?: boolean
  /** Whether the fault never takes a message from its sender: it is not copied first. Default `false`. */
  readonly refuses?: boolean
  /** Whether the fault can do anything with a message; others are outside its scope. */
  readonly applies?: ((message: Message) => boolean) | undefined
}

/**
 * Leads the messages of a bus through a fault: the one way in which every fault of this package reaches every bus.
 *
 * @param act Called for each message that the blast radius and the scope cover and the decision chooses.
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when the bus has no such seam, or cannot tell its subscribers apart.
 */
export function directTraffic(target: BusTarget, options: TrafficOptions, context: InjectionContext, act: Act): void {
  const bus = busOf(target)
  const { seam, subscriber, eachListener = false } = options
  const binding = seamBinding(bus, seam)
  if (subscriber !== undefined && bus.knowsSubscribers !== true) {
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `Expected a bus that tells its subscribers apart, got ${bus.kind}, which does not. Leave \`subscriber\` out, or choose a fault of the whole event.`,
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

class BusTraffic implements Tap, Traffic {
  readonly account: Account
  readonly #context: InjectionContext
  readonly #operation: InjectionContext['operation']
  readonly #act: Act
  readonly #inScope: ((message: Message) => boolean) | undefined
  readonly #applies: ((message: Message) => boolean) | undefined
  readonly #refuses: boolean
  readonly #keepsOrder: boolean
  readonly #eachListener: boolean
  readonly #callsClient: boolean
  readonly #keys: OrderKeys

  /** @param of.callsClient Whether a message goes on into a client library, and not to listeners of the application. */
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
    this.#keys = new OrderKeys(context.isHolding)
  }

  covers(name: EventName): boolean {
    return this.#operation(name).covers()
  }

  take(message: Message): unknown {
    if (!this.#eachListener || message.deliveries === undefined) return this.#takeOne(message)
    for (const delivery of message.deliveries()) this.#takeOne(delivery)
    return message.answer()
  }

  #takeOne(message: Message): unknown {
    const operation = this.#operation(message.name)
    if (!operation.covers(message.args) || !this.#concerns(message)) {
      return this.#mustWait(message) ? this.#queue(message) : message.forward()
    }
    if (operation.shouldInject(message.args)) {
      const own = this.#refuses ? message : (message.snapshot?.() ?? message)
      this.account.sent += 1
      return this.#act(own, this)
    }
    if (this.#mustWait(message)) return this.#queue(message)
    this.account.sent += 1
    return this.#forward(message)
  }

  /** Whether scope and fault concern it. A payload or a predicate that throws must not throw in the application's own call: such a message is left alone. */
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
    // The original may have been the last that goes: a listener of `once` hears one.
    if (message.isGone?.() === true) {
      this.account.dropped += 1
      message.loseLate?.()
      return
    }
    const answer = afterMs > 0 ? this.hold(message, afterMs).answer : this.deliver(message)
    // Nobody awaits a copy: what becomes of it is no business of the sender's.
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
      drop: () => {
        held.drop()
        kept.drop()
      },
    }
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

  /** Counts a message as held, and finds what its sender gets: an answer now, or a promise of what comes of it. */
  #keep(message: Message): Kept {
    const { account } = this
    account.held += 1
    const leave = (into: 'delivered' | 'dropped'): void => {
      account.held -= 1
      account[into] += 1
    }
    const on = message.isGone === undefined ? undefined : { isGone: () => message.isGone?.() === true }
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
            goOn(message)
            return
          }
          goOn(message)
          leave('delivered')
        },
        drop: () => {
          leave('dropped')
          message.lose?.()
        },
        late: { on, lose, fail: this.#callsClient ? lose : undefined },
      }
    }
    let settle: (work: () => unknown) => void = () => undefined
    const answer = new Promise((resolve) => {
      // An executor that throws rejects its promise, as an async function would.
      settle = (work) => resolve(new Promise((done) => done(work())))
    })
    return {
      answer,
      deliver: () => {
        leave('delivered')
        settle(() => message.forward())
      },
      drop: () => {
        leave('dropped')
        message.lose?.()
        settle(() => message.answer())
      },
      late: {
        on,
        lose: () => {
          leave('dropped')
          // Whoever awaits it hears from the client itself that it is closed.
          settle(() => message.forward())
        },
      },
    }
  }
}

/** Lets a held message go on. */
const goOn = (message: Message): unknown =>
  message.forwardLate === undefined ? message.forward() : message.forwardLate()

/** A message that is counted as held. */
interface Kept {
  /** What its sender gets. */
  readonly answer: unknown
  readonly deliver: () => void
  readonly drop: () => void
  /** What becomes of it when it cannot go on any more. */
  readonly late: Pick<HeldWork, 'on' | 'lose' | 'fail'>
}

/** Messages of one name to one subscriber stay in order among themselves. */
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

/** Entries that are remembered before it is asked which of them are in use. */
const FEW = 1_000

/** Values by key that forgets those which are not in use, whenever it has twice as many as were in use the last time. */
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
