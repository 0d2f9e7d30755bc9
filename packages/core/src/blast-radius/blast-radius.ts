import type { BlastRadius, OperationFilter } from './blast-radius-options.js'
import { byName } from './by-name.js'
import type { Operation } from '../fault/fault.js'
import { globMatcher, isGlob } from './glob.js'
import { synchronousAnswer } from './predicate.js'
import { rolls, type Rolls } from './random.js'
import { keptName, MAX_NAME_LENGTH } from '../basics/text.js'

/** What one injection has seen; `seen = affected + passed`. */
interface Account {
  seen: number
  affected: number
}

/** What the decisions of one injection depend on. */
export interface DecisionSource extends BlastRadius {
  readonly seed: string
  readonly injection: string
  /** Counted into by every operation. */
  readonly account: Account
  /** Asked once for each hit, in ms. */
  readonly now: () => number
  /** No hit from this time on, though no timer may have told yet: a loop that never yields lets none fire. */
  readonly endsAt: number
  /** Called for each hit, before it is acted on. */
  readonly onHit: (operation: string | symbol, call: number, at: number) => void
  /** A call was chosen after `endsAt`; nothing is affected any more. */
  readonly onOverdue: () => void
  /** The predicate threw, for the first time. What it throws on is outside the blast radius. */
  readonly onFilterFailed: (error: unknown) => void
}

/** Makes the decision makers of one injection. */
export interface Decisions {
  readonly operation: (name: string | symbol) => Operation
  /** From now on nothing is affected, and nothing counted. */
  readonly end: () => void
}

/** Outside the blast radius: never affected, never counted. */
const OUTSIDE: Operation = { covers: () => false, shouldInject: () => false }

/** Names outside the blast radius that are remembered at most; a bus may make up a new name for every event. */
const MAX_REMEMBERED_OUTSIDE = 10_000
/** Characters of such a name; a longer one is matched each time. */
const MAX_REMEMBERED_LENGTH = 200

/**
 * Decides in this order: ended, `only`, `skip`, `every`, `rate`, `limit`.
 *
 * What can be decided once is decided when an operation is first named; a single exact name in `only` is compared, never looked up. Memory is
 * bounded: see {@link byName} for what becomes of very many names, or very long ones.
 */
export function decisions(source: DecisionSource): Decisions {
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
    return { operation: (name) => (name === exact ? inside : OUTSIDE), end }
  }

  const inside = byName<Operation>(make, (group, name) => new GroupedOperation(group as CountedOperation, name))
  const find = names === undefined ? inside : among(globMatcher(names), inside)
  let lastName: string | symbol | undefined
  let last: Operation = OUTSIDE
  return {
    operation(name) {
      // Events mostly come in runs of one name.
      if (name === lastName) return last
      last = find(name)
      lastName = name
      return last
    },
    end,
  }
}

/** The operations whose name fits; the others are outside. */
function among(
  covers: (name: string) => boolean,
  inside: (name: string | symbol) => Operation,
): (name: string | symbol) => Operation {
  const outside = new Set<string>()
  return (name) => {
    if (typeof name !== 'string' || outside.has(name)) return OUTSIDE
    if (covers(name)) return inside(name)
    if (outside.size === MAX_REMEMBERED_OUTSIDE) outside.clear()
    if (name.length <= MAX_REMEMBERED_LENGTH) outside.add(keptName(name))
    return OUTSIDE
  }
}

interface Shared {
  ended: boolean
  filterFailed: boolean
  readonly source: DecisionSource
}

/**
 * Every call of a patched member passes here.
 *
 * `shouldInject` has no use for `args` and is small enough (27 bytes of bytecode) for V8 to inline it before it decides whether the array
 * of a layer's `...args` must exist at all: mostly it need not. Fields are plain, because V8 folds loads of those, and not of `#private`
 * ones, into the caller.
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

  count(): boolean {
    if (this.shared.ended) return false
    this.account.seen += 1
    this.calls += 1
    return this.rate > 0 && this.takes(this.calls)
  }

  /** Whether this call, the n-th that passed `only`, is chosen and within the limits; it is a hit then. */
  takes(call: number): boolean {
    const afterSkipped = call - this.skip
    if (afterSkipped < 1 || (this.every > 1 && (afterSkipped - 1) % this.every !== 0)) return false
    if (this.rate < 1 && this.rolls(call) >= this.rate) return false
    if (this.affected >= this.limitPerOperation || this.account.affected >= this.limit) return false
    const { source } = this.shared
    // The clock is read for a hit alone, which needs its time anyway.
    const at = source.now()
    if (at >= source.endsAt) {
      source.onOverdue()
      return false
    }
    this.affected += 1
    this.account.affected += 1
    source.onHit(this.name, call, at)
    return true
  }
}

/** Its blast radius is a predicate. */
class FilteredOperation extends CountedOperation {
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

  /** A predicate that throws, or returns a promise, must not throw in the app's own call. */
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

/** One of the many names that share the counts of their group. */
class GroupedOperation implements Operation {
  readonly name: string | symbol

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
}
