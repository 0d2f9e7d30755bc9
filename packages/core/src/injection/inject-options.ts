import type { BlastRadius, OperationFilter } from '../blast-radius/blast-radius-options.js'
import type { OutsideCall, SeenCall } from '../blast-radius/scoped.js'
import { scopePredicate, type ScopePredicate } from '../blast-radius/scope-predicate.js'
import { isScope, type Scope } from '../scopes/scope.js'
import { NAMES, option } from '../fault/option.js'
import { optionsSchema } from '../fault/options-schema.js'

/** How to inject a fault: its lease, its blast radius and its seed. */
export interface InjectOptions extends BlastRadius {
  /** The longest time that the fault stays in force, in ms. Default 60,000; at most the controller's `maxLeaseMs`. */
  readonly leaseMs?: number
  /**
   * The seed of random decisions. Equal seed and injection id give equal decisions. The default id repeats with a given seed,
   * so the same seed gives the same run, in one process or in two. Default: a random seed, which the injection reports.
   */
  readonly seed?: string | number
  /**
   * The name of the injection, which is part of every decision. No two injections in force in one process share an id.
   * Default: `fault@target#k`. With a given `seed`, k is the lowest number that no injection in force has; else injections
   * are counted, per target object or controller. Name targets that are in force side by side, so that the order in which
   * they are injected changes no id.
   */
  readonly id?: string
  /** Ends the injection when it aborts. */
  readonly signal?: AbortSignal
  /**
   * Whether `observed` of the injection counts the calls that it sees by operation and scope. With `rate: 0` the fault affects none of
   * them. Default `false`.
   */
  readonly observe?: boolean
  /** Called for each call that is within `only` and `scope`, before it is decided: also for one that passes. What it throws is a warning. */
  readonly onSeen?: (call: SeenCall) => void
  /** Called for each call that the fault affects, before the fault acts. What it throws is a warning. */
  readonly onAffected?: (call: SeenCall) => void
  /** Called for the first call that is within `only` but outside of `scope`. What it throws is a warning. */
  readonly onOutside?: (call: OutsideCall) => void
}

/** The {@link InjectOptions} that JSON can carry. */
export type PortableInjectOptions = Omit<
  InjectOptions,
  'signal' | 'only' | 'scope' | 'onSeen' | 'onAffected' | 'onOutside'
> & {
  readonly only?: string | readonly string[]
  readonly scope?: string | ScopePredicate
}

/** The default lease, in ms. */
export const DEFAULT_LEASE_MS = 60_000

const MAX_SEED = 200
const SEED = `a string of at most ${MAX_SEED} characters or a whole number`
const ID = 'up to 200 letters, digits or @#/._:-'

const only = option.names('Operations that the fault may affect: names or globs.')
const MAX_SCOPE = 11_000
const SCOPE = 'the path or id of a scope, or a predicate'
const scope = option.either(
  option.text('Path or id of the scope that a call must be made in.', MAX_SCOPE),
  scopePredicate,
  SCOPE,
)
const seed = 'Seed of the random decisions: the same seed repeats the run.'

/** The declarations of {@link PortableInjectOptions}. */
export const portableInjectOptions = {
  leaseMs: option.optional(option.durationMs('The longest time that the fault stays in force, in ms.')),
  rate: option.optional(option.rate('Share of the calls to affect, 0 to 1.')),
  limit: option.optional(option.count('Calls to affect in total; then the fault ends.', 1)),
  limitPerOperation: option.optional(option.count('Calls to affect per operation name.', 1)),
  skip: option.optional(option.count('First calls of each operation to let pass.')),
  every: option.optional(option.count('Affect every n-th call of each operation.', 1)),
  only: option.optional(only),
  scope: option.optional(scope),
  observe: option.optional(option.flag('Whether to count the calls that are seen by operation and scope.')),
  seed: option.optional(option.either(option.text(seed, MAX_SEED), option.integer(seed), SEED)),
  id: option.optional(option.matching(/^[\w@#/.:-]{1,200}$/, ID, 'The name of the injection.')),
}

/** The schema of {@link InjectOptions}. */
export const injectSchema = optionsSchema({
  ...portableInjectOptions,
  only: option.optional(
    option.either(
      only,
      option.func<OperationFilter>('Decides whether a call may be affected.'),
      `${NAMES}, or a predicate`,
    ),
  ),
  scope: option.optional(
    option.either(
      scope,
      option.live<Scope>(isScope, 'a scope', 'The scope that a call must be made in.'),
      `a scope, ${SCOPE}`,
    ),
  ),
  onSeen: option.optional(option.func<(call: SeenCall) => void>('Called for each call that is seen.')),
  onAffected: option.optional(option.func<(call: SeenCall) => void>('Called for each call that is affected.')),
  onOutside: option.optional(
    option.func<(call: OutsideCall) => void>('Called for the first call outside of the scope.'),
  ),
  signal: option.optional(
    option.live<AbortSignal>(
      (value) => 'aborted' in value && 'addEventListener' in value,
      'an AbortSignal',
      'Ends the injection when it aborts.',
    ),
  ),
})
