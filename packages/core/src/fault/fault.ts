import type { Clock } from '../basics/clock.js'
import type { AnyFunction, Below } from '../patch/below.js'
import type { TargetKind } from './target-kind.js'

/** `standing`: in force until it ends. `instant`: happens once, and ends by itself. */
export type FaultKind = 'standing' | 'instant'

/** A way to break a target. Made by the factory that {@link defineFault} returns. */
export interface Fault<in Target = never> {
  /** Package and break: `eventbus/delay-events`. */
  readonly name: string
  readonly kind: FaultKind
  /** Checked and frozen. */
  readonly options: Readonly<Record<string, unknown>>
  /** `false` if an option holds a function or an object that JSON cannot carry: such a fault works in process only. */
  readonly portable: boolean
  readonly inject: (target: Target, context: InjectionContext) => void | Promise<void>
  /** What the fault breaks. */
  readonly target: TargetKind
}

/** What a fault is given to break a target with. Every step it takes records its own way back. */
export interface InjectionContext {
  /**
   * Lays a function over `object[key]`, an own member or an inherited one. The way back is recorded at once.
   *
   * @param layer Called once; returns the function that stands there from now on. It reaches what it covers by `below.call`.
   * @param options.inherited Cover the member that `object` inherits even if it has an own one: what `super.key()` calls
   *   from a method of `object`. Default `false`.
   * @param options.getter Cover the getter of an accessor instead of a method. Default `false`.
   * @throws ChaosError `CHAOS_TARGET_SEALED` when the member cannot be replaced, `CHAOS_TARGET_MISMATCH` when it is no function.
   */
  readonly patch: (
    object: object,
    key: PropertyKey,
    layer: (below: Below) => AnyFunction,
    options?: { readonly inherited?: boolean; readonly getter?: boolean },
  ) => void
  /** Records the way back of any other step, as it is made. */
  readonly defer: (undo: () => void | Promise<void>) => void
  /** The decision maker for one operation (a method, an event name). Resolve it once where the name is fixed. */
  readonly operation: (name: string | symbol) => Operation
  /** Keeps an affected operation back. It runs after its delay, or when the injection ends, in order; at once when it has ended. */
  readonly hold: (work: HeldWork) => Held
  /** Whether work is held under this key. */
  readonly isHolding: (order: PropertyKey) => boolean
  /** Lets an operation that was not chosen wait behind held work of its key, so that it does not overtake. Counted as passed, reported as queued. */
  readonly queue: (work: QueuedWork) => void
  /**
   * Counters of its own, each 0 at first, shown live as {@link Injection.account}: what became of the operations, where `affected` does not
   * say it all. Count by plain assignment. A second call adds names.
   */
  readonly account: <const Name extends string>(...names: readonly Name[]) => Record<Name, number>
  /**
   * A stream of seeded chance for what is not the decision itself: how long, which bit. Equal seed, injection and stream give equal rolls.
   *
   * @returns For the n-th call, a number from 0 (included) to 1 (excluded).
   */
  readonly rolls: (stream: string) => (call: number) => number
  /** An instant fault says what it did; texts are cut to 1,000 characters, lists and objects to 100 entries. A standing one lands with its first hit. */
  readonly landed: (evidence: Readonly<Record<string, unknown>>) => void
  readonly clock: Clock
  /** Aborts when the injection ends, also during an async `inject`. */
  readonly signal: AbortSignal
}

/** What work is held on: a connection, a channel, a database, a listener. */
export interface HeldOn {
  /** Whether it is closed for good, so that work must not run on it any more. One that reconnects by itself is not gone. */
  readonly isGone: () => boolean
}

/** Work waiting behind held work. */
export interface QueuedWork {
  /** Work of one key runs in the order in which it came. */
  readonly order: PropertyKey
  /** Does what was kept back. */
  readonly run: () => void
  /** What it is held on. Work whose time comes when that is gone is lost: `run` is not called. Default: nothing that could go. */
  readonly on?: HeldOn | undefined
  /** Called instead of `run` when what it is held on is gone. */
  readonly lose?: (() => void) | undefined
  /**
   * Takes what `run` throws; the work counts as lost. Give it where `run` calls a library, whose errors must not be uncaught because they come late. Without it, what `run` throws is the
   * application's own (a listener that fails) and ends as an uncaught exception.
   */
  readonly fail?: ((error: unknown) => void) | undefined
  /** Called instead of `run` when `signal` aborts first. */
  readonly abandon?: ((reason: unknown) => void) | undefined
  /** The caller's own signal. */
  readonly signal?: AbortSignal | undefined
}

/** An event or call that a fault keeps back. */
export interface HeldWork extends Omit<QueuedWork, 'order'> {
  /** How long it is kept, in ms. `Infinity`: until the injection ends. */
  readonly afterMs: number
  /** Work of one key runs in the order in which it came; work without a key runs when its time is up. */
  readonly order?: PropertyKey | undefined
}

/** Held work, in the hands of who held it. */
export interface Held {
  /** Runs it now, before its time. Harmless when it has run or was dropped. */
  run(): void
  /** Forgets it: it never runs. Harmless when it has run. */
  drop(): void
}

/** Decides for each call of one operation whether the fault affects it. */
export interface Operation {
  /**
   * Whether the blast radius covers a call at all, which counts nothing. Without arguments: whether it may cover some call of this name.
   * Stays true when the injection has ended, so that what still comes can join what is held.
   */
  covers(args?: ArrayLike<unknown>): boolean
  /** Counts the call and says whether to break it. Call it once per call. */
  shouldInject(args: ArrayLike<unknown>): boolean
}
