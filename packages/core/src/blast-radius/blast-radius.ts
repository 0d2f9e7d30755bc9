import type { BlastRadius, OperationFilter } from './blast-radius-options.js'
import { byName } from './by-name.js'
import type { Chance, Operation } from '../fault/fault.js'
import { globMatcher, isGlob } from './glob.js'
import { scoped, type Decisions, type ScopeSource } from './scoped.js'
import { synchronousAnswer } from './predicate.js'
import { rolls, type Rolls } from './random.js'
import { keptName, MAX_NAME_LENGTH } from '../basics/text.js'

/** The counts of one injection: `seen = affected + passed`. */
interface Account {
  seen: number
  affected: number
}

/** The inputs to the decisions of one injection. */
export interface DecisionSource extends BlastRadius, ScopeSource {
  readonly seed: string
  readonly injection: string
  /** The counts that all operations add to. */
  readonly account: Account
  /** Returns the time in ms. Called once per hit. */
  readonly now: () => number
  /** Returns the end of the lease. There is no hit at or after it, even if a loop that never yields keeps the lease's timer from firing. */
  readonly endsAt: () => number
  /** Called for each hit, before the fault acts on it. */
  readonly onHit: (operation: string | symbol, call: number, at: number) => void
  /** Called when a call was chosen after `endsAt`. The call is not affected. */
  readonly onOverdue: () => void
  /** Called when the predicate throws for the first time. A call on which it throws is outside the blast radius. */
  readonly onFilterFailed: (error: unknown) => void
}

/** Outside the blast radius: never affected, never counted. */
const OUTSIDE: Operation = { covers: () => false, shouldInject: () => false, chance: () => undefined }

/** The most names outside the blast radius that are cached. A bus may use a new name for every event. */
const MAX_REMEMBERED_OUTSIDE = 10_000
/** The longest name that is cached. A longer one is matched each time. */
const MAX_REMEMBERED_LENGTH = 200

/**
 * Makes decisions, in this order: ended, `only`, `skip`, `every`, `rate`, `limit`.
 *
 * As much as possible is decided when an operation is first named. A single exact name in `only` is compared and never
 * looked up. Memory is bounded: {@link byName} says how many and how long names are handled.
 */
export function decisions(source: DecisionSource): Decisions {
  const made = decisionsInAnyScope(source)
  return hasScopes(source) ? scoped(made, source) : made
}

/** Whether an injection asks for the scope of a call. */
export function hasScopes({ scope, onSeen, onAffected }: Partial<ScopeSource>): boolean {
  return scope !== undefined || onSeen !== undefined || onAffected !== undefined
}

function decisionsInAnyScope(source: DecisionSource): Decisions {
  const shared: Shared = { ended: false, filterFailed: false, source }
  const { only } = source
  const names = typeof only === 'string' ? [only] : typeof only === 'function' || only === undefined ? undefined : only

  const make = (name: string | symbol): CountedOperation => {
    const rolled = rolls(source.seed, source.injection, String(name))
    return typeof only === 'function'
      ? new FilteredOperation(name, shared, rolled, only)
      : new CountedOperation(name, shared, rolled)
  }
  const end = (): void => {
    shared.ended = true
  }

  const exact = names?.length === 1 && !isGlob(names[0] as string) ? names[0] : undefined
  if (exact !== undefined) {
    const inside = make(exact)
    // Strict equality first: a bus may use names that are numbers, which are rare.
    return { operation: (name) => (name === exact || isNumberNamed(name, exact) ? inside : OUTSIDE), end }
  }

  const inside = byName<Operation>(make, (group, name) => new GroupedOperation(group as CountedOperation, name))
  const find = names === undefined ? inside : among(globMatcher(names), inside)
  let lastName: string | symbol | undefined
  let last: Operation = OUTSIDE
  return {
    operation(name) {
      // Consecutive events mostly have the same name.
      if (name === lastName) return last
      last = find(name)
      lastName = name
      return last
    },
    end,
  }
}

/** Returns the operation for a name that matches, else {@link OUTSIDE}. */
function among(
  covers: (name: string) => boolean,
  inside: (name: string | symbol) => Operation,
): (name: string | symbol) => Operation {
  const outside = new Set<string>()
  return (given: string | symbol | number) => {
    // An event of `EventEmitter` may be named by a number, whatever the types say.
    const name = typeof given === 'number' ? String(given) : given
    if (typeof name !== 'string' || outside.has(name)) return OUTSIDE
    if (covers(name)) return inside(name)
    if (outside.size === MAX_REMEMBERED_OUTSIDE) outside.clear()
    if (name.length <= MAX_REMEMBERED_LENGTH) outside.add(keptName(name))
    return OUTSIDE
  }
}

/** Whether a name is a number that is written so, as a key of an object would be: 1, 1.5, 0 for -0. */
function isNumberNamed(name: unknown, exact: string): boolean {
  return typeof name === 'number' && String(name) === exact
}

interface Shared {
  ended: boolean
  filterFailed: boolean
  readonly source: DecisionSource
}

/**
 * Counts the calls of one operation. It is on the path of every call of a patched member.
 *
 * `shouldInject` ignores `args` and is small enough (27 bytes of bytecode) for V8 to inline it early. V8 can then skip
 * creating the array of a layer's `...args`. The fields are plain properties because V8 folds their loads into the caller,
 * which it does not do for `#private` fields.
 */
class CountedOperation implements Operation {
  readonly account: Account
  readonly skip: number
  readonly every: number
  readonly rate: number
  readonly limit: number
  readonly limitPerOperation: number
  /** Calls that passed `only`. */
  calls = 0
  affected = 0

  constructor(
    public name: string | symbol,
    readonly shared: Shared,
    readonly rolls: Rolls,
  ) {
    const { account, skip = 0, every = 1, rate = 1, limit = Infinity, limitPerOperation = Infinity } = shared.source
    this.account = account
    this.skip = skip
    this.every = every
    this.rate = rate
    this.limit = limit
    this.limitPerOperation = limitPerOperation
  }

  covers(_args?: ArrayLike<unknown>): boolean {
    return true
  }

  shouldInject(_args: ArrayLike<unknown>): boolean {
    return this.count()
  }

  chance(_args: ArrayLike<unknown>): Chance | undefined {
    if (this.shared.ended) return undefined
    this.account.seen += 1
    this.calls += 1
    const call = this.calls
    if (this.rate === 0 || !this.isChosen(call)) return undefined
    let isHit: boolean | undefined
    return () => (isHit ??= !this.shared.ended && this.lands(call))
  }

  count(): boolean {
    if (this.shared.ended) return false
    this.account.seen += 1
    this.calls += 1
    return this.rate > 0 && this.takes(this.calls)
  }

  /** Whether this call, the n-th that passed `only`, is a hit: chosen and within the limits. */
  takes(call: number): boolean {
    return this.isChosen(call) && this.lands(call)
  }

  isChosen(call: number): boolean {
    const afterSkipped = call - this.skip
    if (afterSkipped < 1 || (this.every > 1 && (afterSkipped - 1) % this.every !== 0)) return false
    return this.rate >= 1 || this.rolls(call) < this.rate
  }

  /** Counts a hit, if it is within the limits. */
  lands(call: number): boolean {
    if (this.affected >= this.limitPerOperation || this.account.affected >= this.limit) return false
    const { source } = this.shared
    // Only a hit reads the clock; its journal entry needs the time anyway.
    const at = source.now()
    if (at >= source.endsAt()) {
      source.onOverdue()
      return false
    }
    this.affected += 1
    this.account.affected += 1
    source.onHit(this.name, call, at)
    return true
  }
}

/** An operation whose blast radius is a predicate. */
class FilteredOperation extends CountedOperation {
  readonly readsArguments = true

  constructor(
    name: string | symbol,
    shared: Shared,
    rolls: Rolls,
    readonly filter: OperationFilter,
  ) {
    super(name, shared, rolls)
  }

  override covers(args?: ArrayLike<unknown>): boolean {
    return args === undefined || this.passes(args)
  }

  override shouldInject(args: ArrayLike<unknown>): boolean {
    return !this.shared.ended && this.passes(args) && this.count()
  }

  override chance(args: ArrayLike<unknown>): Chance | undefined {
    return this.shared.ended || !this.passes(args) ? undefined : super.chance(args)
  }

  /** Applies the predicate. An error of the predicate must not reach the application's call. */
  passes(args: ArrayLike<unknown>): boolean {
    try {
      return synchronousAnswer(this.filter(args, this.name))
    } catch (error) {
      if (!this.shared.filterFailed) {
        this.shared.filterFailed = true
        this.shared.source.onFilterFailed(error)
      }
      return false
    }
  }
}

/** An operation that shares its counts with a group of others. */
class GroupedOperation implements Operation {
  readonly name: string | symbol

  get readsArguments(): boolean {
    return this.group instanceof FilteredOperation
  }

  constructor(
    readonly group: CountedOperation,
    name: string | symbol,
  ) {
    this.name = typeof name === 'string' && name.length <= MAX_NAME_LENGTH ? keptName(name) : name
  }

  covers(args?: ArrayLike<unknown>): boolean {
    this.group.name = this.name
    return this.group.covers(args)
  }

  shouldInject(args: ArrayLike<unknown>): boolean {
    this.group.name = this.name
    return this.group.shouldInject(args)
  }

  chance(args: ArrayLike<unknown>): Chance | undefined {
    this.group.name = this.name
    const chance = this.group.chance(args)
    return (
      chance &&
      ((): boolean => {
        this.group.name = this.name
        return chance()
      })
    )
  }
}
