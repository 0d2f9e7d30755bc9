import type { Clock } from '../basics/clock.js'
import type { AnyFunction, Below } from '../patch/below.js'
import type { Delegation } from './delegation.js'
import type { TargetKind } from './target-kind.js'

/** `standing`: stays in force until it ends. `instant`: happens once and ends by itself. */
export type FaultKind = 'standing' | 'instant'

/** A way to break a target. Made by the factory that {@link defineFault} returns. */
export interface Fault<in Target = never> {
  /** Package and fault: `eventbus/delay-events`. */
  readonly name: string
  readonly kind: FaultKind
  /** Checked and frozen. */
  readonly options: Readonly<Record<string, unknown>>
  /** `false` if an option holds a function or an object that JSON cannot carry. Such a fault works in process only. */
  readonly portable: boolean
  readonly inject: (target: Target, context: InjectionContext) => void | Promise<void>
  /** The kind of target that the fault breaks. */
  readonly target: TargetKind
}

/** What a fault breaks its target with. Each step also records how it is undone. */
export interface InjectionContext {
  /** The injection's id, by which a target tells what affects it. */
  readonly id: string
  /**
   * Replaces `object[key]`, an own or inherited member, by a layer. The undo step is recorded at once.
   *
   * @param layer Called once. Returns the replacement, which calls the original, or the layer below it, as `below.call`.
   * @param options.inherited Patch the inherited member even if `object` has an own one. `super.key()` in a method of
   *   `object` calls the inherited one. Default `false`.
   * @param options.getter Patch the getter of an accessor instead of a method. Default `false`.
   * @param options.outermost Stay above layers that come later, to observe what the caller sees. Default `false`.
   * @throws ChaosError `CHAOS_TARGET_SEALED` if the member cannot be replaced, `CHAOS_TARGET_MISMATCH` if it is not a function,
   *   `CHAOS_INJECTION_ENDED` if the injection has ended.
   */
  readonly patch: (
    object: object,
    key: PropertyKey,
    layer: (below: Below) => AnyFunction,
    options?: { readonly inherited?: boolean; readonly getter?: boolean; readonly outermost?: boolean },
  ) => void
  /**
   * Records the undo of any other step.
   *
   * @throws ChaosError `CHAOS_INJECTION_ENDED` if the injection has ended. `undo` then runs at once.
   */
  readonly defer: (undo: () => void | Promise<void>) => void
  /**
   * Asks whether operations of the target are watched already as this seam would find them, so that there is nothing to patch.
   * Present only where a tool watches for several faults at once, and none of them acts.
   *
   * @param seam The name of the seam, and every option on which it depends which operations it finds.
   */
  readonly isWatched?: (target: object, seam: string) => boolean
  /** Returns the decision maker for one operation (a method, an event name). Resolve it once if the name is fixed. */
  readonly operation: (name: string | symbol) => Operation
  /**
   * Holds an affected operation back. It runs after its delay or when the injection ends, in order; after the end of the
   * injection it runs at once.
   */
  readonly hold: (work: HeldWork) => Held
  /** Whether work is held under this key. */
  readonly isHolding: (order: PropertyKey) => boolean
  /**
   * Queues an operation that was not chosen behind held work of the same key, so that it does not overtake. It counts as
   * passed and is reported as queued.
   */
  readonly queue: (work: QueuedWork) => void
  /**
   * Declares the fault's own counters, each starting at 0 and shown live as {@link Injection.account}. Use them to say what
   * became of the operations. Count by plain assignment. A second call adds names.
   */
  readonly account: <const Name extends string>(...names: readonly Name[]) => Record<Name, number>
  /**
   * Returns a stream of seeded random numbers, for choices such as a delay or a bit to flip. Equal seed, injection and
   * stream give equal numbers.
   *
   * @returns For the n-th call, a number from 0 (included) to 1 (excluded).
   */
  readonly rolls: (stream: string) => (call: number) => number
  /**
   * Reports what an instant fault did. Strings are cut to 1,000 characters, lists and objects to 100 entries and 4 levels.
   * A standing fault lands with its first hit and need not call this.
   */
  readonly landed: (evidence: Readonly<Record<string, unknown>>) => void
  /**
   * Leaves the decisions, hits and counts to where the target really is, such as another thread that has a copy of core. There,
   * inject the fault by its name and options with `how`; here, report what it does. The injection here ends on its own terms as
   * well: have the fault there end in an undo step, which waits for the last report. Call it at most once, instead of
   * {@link operation} and {@link hold}.
   *
   * @param onLease Called when the lease here was prolonged or shortened, with the rest of it in ms.
   * @throws ChaosError `CHAOS_INVALID_OPTION` if the injection has a predicate, a scope or an observer, which cannot be sent.
   */
  readonly delegate: (onLease: (leaseMs: number) => void) => Delegation
  readonly clock: Clock
  /** Returns the rest of the lease, in ms. Nothing can end a synchronous block early, so a fault that blocks asks for no more than this. */
  readonly leaseLeftMs: () => number
  /** Aborts when the injection ends, also during an async `inject`. */
  readonly signal: AbortSignal
}

/** The resource that work is held on: a connection, a channel, a database, a listener. */
export interface HeldOn {
  /** Whether the resource is closed for good, so that no work may run on it. A resource that reconnects by itself is not gone. */
  readonly isGone: () => boolean
}

/** Work that waits behind held work. */
export interface QueuedWork {
  /** Work of one key runs in order of arrival. */
  readonly order: PropertyKey
  /** Runs the operation that was held back. */
  readonly run: () => void
  /** The resource that the work is held on. If it is gone when the work is due, the work is lost and `run` is not called. Default: none. */
  readonly on?: HeldOn | undefined
  /** Called instead of `run` if the resource is gone. */
  readonly lose?: (() => void) | undefined
  /**
   * Receives what `run` throws; the work counts as lost. Pass it if `run` calls a library, so that a late library error does
   * not end as an uncaught exception. Without it, the error is the application's own (a listener that fails) and ends as an
   * uncaught exception.
   */
  readonly fail?: ((error: unknown) => void) | undefined
  /** Called instead of `run` if `signal` aborts first. */
  readonly abandon?: ((reason: unknown) => void) | undefined
  /** The caller's own signal. */
  readonly signal?: AbortSignal | undefined
}

/** An event or call that a fault holds back. */
export interface HeldWork extends Omit<QueuedWork, 'order'> {
  /** The time until the work runs, in ms. `Infinity`: until the injection ends. */
  readonly afterMs: number
  /** Work of one key runs in order of arrival. Work without a key runs when it is due. */
  readonly order?: PropertyKey | undefined
}

/** A handle on held work. */
export interface Held {
  /** Runs the work now, before it is due. Does nothing if the work has run or was dropped. */
  run(): void
  /** Drops the work, so that it never runs. Does nothing if the work has run. */
  drop(): void
}

/** Decides for each call of one operation whether the fault affects it. */
export interface Operation {
  /** Whether decisions depend on the arguments, since `only` is a predicate. Default `false`: any arguments will do. */
  readonly readsArguments?: boolean
  /**
   * Whether the current call is made outside of the scope that the injection is for. Such a call never waits behind held ones.
   * Default: no call is.
   */
  readonly isElsewhere?: () => boolean
  /**
   * Whether the blast radius covers a call. Counts nothing. Without arguments: whether it may cover any call of this name.
   * Stays true after the end of the injection, so that late calls can queue behind held ones.
   */
  covers(args?: ArrayLike<unknown>): boolean
  /** Counts the call and decides whether to break it. Call it once per call. */
  shouldInject(args: ArrayLike<unknown>): boolean
  /**
   * Counts the call and decides whether to break it, for a fault that learns only later whether it has an effect, such as from
   * the answer. Call it instead of {@link shouldInject}, once per call. The call counts as passed until its hit is counted.
   *
   * @returns `undefined` if the call passes. Otherwise a function that counts the hit, once; call it right before the effect. It
   *   returns false, and the call passes, if the limit is spent or the injection has ended meanwhile.
   */
  chance(args: ArrayLike<unknown>): Chance | undefined
}

/** Counts the hit of a call. Returns whether the fault may affect the call. Later calls return the same. */
export type Chance = () => boolean
