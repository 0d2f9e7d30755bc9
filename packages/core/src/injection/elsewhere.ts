import { ChaosError } from '../basics/errors.js'
import type {
  DelegatedCounts,
  DelegatedHit,
  DelegatedOptions,
  DelegatedOutcome,
  Delegation,
} from '../fault/delegation.js'
import type { InjectOptions } from './inject-options.js'

/** What an injection takes over from elsewhere, until it has ended. */
export interface Taker {
  readonly isEnded: () => boolean
  readonly count: (counts: Omit<DelegatedCounts, 'held' | 'observed'>) => void
  readonly hit: Delegation['hit']
  readonly warn: Delegation['warn']
  readonly fail: (failures: readonly unknown[]) => void
  /** Called when it has ended there. */
  readonly onOver: () => void
}

/** The part of an injection whose decisions are made elsewhere. */
export class Elsewhere implements Delegation {
  readonly how: DelegatedOptions
  /** Called when the lease was prolonged or shortened, with the rest of it in ms. */
  readonly onLease: (leaseMs: number) => void
  held = 0
  observed: DelegatedCounts['observed']
  /** Why it has ended there. */
  outcome: DelegatedOutcome | undefined
  readonly #taker: Taker

  constructor(how: DelegatedOptions, onLease: (leaseMs: number) => void, taker: Taker) {
    this.how = how
    this.onLease = onLease
    this.#taker = taker
  }

  readonly count = ({ held, observed, ...counts }: DelegatedCounts): void => {
    if (this.#taker.isEnded()) return
    this.held = held
    this.observed = observed
    this.#taker.count(counts)
  }

  readonly hit = (hit: DelegatedHit): void => {
    if (!this.#taker.isEnded()) this.#taker.hit(hit)
  }

  readonly warn = (message: string): void => {
    if (!this.#taker.isEnded()) this.#taker.warn(message)
  }

  readonly end = (outcome: DelegatedOutcome, failures: readonly unknown[] = []): void => {
    if (this.#taker.isEnded()) return
    this.#taker.fail(failures)
    this.outcome = outcome
    this.#taker.onOver()
  }
}

/** What works only where it was made. */
const LOCAL = ['scope', 'onSeen', 'onAffected', 'onOutside'] as const

/**
 * Returns the options with which an injection is made elsewhere.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for what cannot be sent: a predicate, a scope or an observer.
 */
export function delegatedOptions(
  fault: string,
  { only, rate, limit, limitPerOperation, skip, every, observe, ...given }: InjectOptions,
  identity: Pick<DelegatedOptions, 'id' | 'seed' | 'leaseMs'>,
): DelegatedOptions {
  if (typeof only === 'function') throw cannotCross(fault, 'only', 'be a predicate. Pass names or globs')
  const local = LOCAL.find((name) => given[name] !== undefined)
  if (local !== undefined) throw cannotCross(fault, local, 'be used. Leave it out')
  const how = { only, rate, limit, limitPerOperation, skip, every, observe }
  return { ...Object.fromEntries(Object.entries(how).filter(([, value]) => value !== undefined)), ...identity }
}

function cannotCross(fault: string, name: string, rule: string): ChaosError {
  return new ChaosError(
    'CHAOS_INVALID_OPTION',
    `The target of ${fault} is in another thread or process, so \`${name}\` cannot ${rule}.`,
  )
}
