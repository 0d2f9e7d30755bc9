import type { BlastRadius, OperationFilter } from './blast-radius-options.js'
import type { Operation } from './fault.js'
import { globMatcher, isGlob } from './glob.js'
import { rolls, type Rolls } from './random.js'

/** What one injection has seen; `seen = affected + passed`. */
export interface Account {
  seen: number
  affected: number
}

/** What the decisions of one injection depend on. */
export interface DecisionSource extends BlastRadius {
  readonly seed: string
  readonly injection: string
  /** Counted into by every operation. */
  readonly account: Account
  /** Called for each hit, before it is acted on. */
  readonly onHit: (operation: string | symbol, call: number) => void
}

/** Makes the decision makers of one injection. */
export interface Decisions {
  operation(name: string | symbol): Operation
  /** From now on nothing is affected, and nothing counted. */
  end(): void
}

/** Outside the blast radius: never affected, never counted. */
const OUTSIDE: Operation = { shouldInject: () => false }

/** Names outside the blast radius that are remembered at most; a bus may make up a new name for every event. */
const MAX_REMEMBERED_OUTSIDE = 10_000

/**
 * Decides in this order: ended, `only`, `skip`, `every`, `rate`, `limit`.
 *
 * What can be decided once is decided when an operation is first named; a single exact name in `only` is compared, never looked up.
 */
export function decisions(source: DecisionSource): Decisions {
  const shared: Shared = { ended: false, source, filter: typeof source.only === 'function' ? source.only : undefined }
  const { only } = source
  const names = typeof only === 'string' ? [only] : typeof only === 'function' || only === undefined ? undefined : only

  const make = (name: string | symbol): CountedOperation => new CountedOperation(name, shared, rolls(source.seed, source.injection, String(name)))
  const end = (): void => {
    shared.ended = true
  }

  const exact = names?.length === 1 && !isGlob(names[0] as string) ? names[0] : undefined
  if (exact !== undefined) {
    const inside = make(exact)
    return { operation: (name) => (name === exact ? inside : OUTSIDE), end }
  }

  const covers = names === undefined ? () => true : globMatcher(names)
  const inside = new Map<string | symbol, CountedOperation>()
  const outside = new Set<string | symbol>()
  let lastName: string | symbol | undefined
  let last: Operation = OUTSIDE
  const find = (name: string | symbol): Operation => {
    const known = inside.get(name)
    if (known !== undefined) return known
    if (outside.has(name)) return OUTSIDE
    if (names !== undefined && (typeof name === 'symbol' || !covers(name))) {
      if (outside.size >= MAX_REMEMBERED_OUTSIDE) outside.clear()
      outside.add(name)
      return OUTSIDE
    }
    const made = make(name)
    inside.set(name, made)
    return made
  }
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

interface Shared {
  ended: boolean
  readonly source: DecisionSource
  readonly filter: OperationFilter | undefined
}

class CountedOperation implements Operation {
  readonly #name: string | symbol
  readonly #shared: Shared
  readonly #rolls: Rolls
  readonly #skip: number
  readonly #every: number
  readonly #rate: number
  readonly #limit: number
  readonly #limitPerOperation: number
  /** Calls that passed `only`. */
  #calls = 0
  #affected = 0

  constructor(name: string | symbol, shared: Shared, rolls: Rolls) {
    const { skip = 0, every = 1, rate = 1, limit = Infinity, limitPerOperation = Infinity } = shared.source
    this.#name = name
    this.#shared = shared
    this.#rolls = rolls
    this.#skip = skip
    this.#every = every
    this.#rate = rate
    this.#limit = limit
    this.#limitPerOperation = limitPerOperation
  }

  shouldInject(args: ArrayLike<unknown>): boolean {
    const shared = this.#shared
    if (shared.ended) return false
    if (shared.filter !== undefined && !shared.filter(args, this.#name)) return false
    const { account } = shared.source
    account.seen += 1
    const call = (this.#calls += 1)
    if (!this.#chosen(call) || this.#affected >= this.#limitPerOperation || account.affected >= this.#limit) return false
    this.#affected += 1
    account.affected += 1
    shared.source.onHit(this.#name, call)
    return true
  }

  #chosen(call: number): boolean {
    const afterSkipped = call - this.#skip
    if (afterSkipped < 1 || (this.#every > 1 && (afterSkipped - 1) % this.#every !== 0)) return false
    return this.#rate >= 1 || (this.#rate > 0 && this.#rolls(call) < this.#rate)
  }
}
