import type { BlastRadius, OperationFilter } from '../blast-radius/blast-radius-options.js'
import { NAMES, option } from '../fault/option.js'
import { optionsSchema } from '../fault/options-schema.js'

/** How a fault is put in force. */
export interface InjectOptions extends BlastRadius {
  /** The longest the fault stays in force, in ms. Default 60,000; at most the controller's `maxLeaseMs`. */
  readonly leaseMs?: number
  /** Where decisions come from: same seed, same injection id, same decisions. Default: drawn at random and reported. */
  readonly seed?: string | number
  /** The injection's name, part of every decision. Default `fault@target#k`, the k-th such injection. */
  readonly id?: string
  /** Ends the injection when it aborts. */
  readonly signal?: AbortSignal
}

/** {@link InjectOptions} that JSON can carry. */
export type PortableInjectOptions = Omit<InjectOptions, 'signal' | 'only'> & {
  readonly only?: string | readonly string[]
}

/** How long a fault stays in force unless it is told otherwise, in ms. */
export const DEFAULT_LEASE_MS = 60_000

const MAX_SEED = 200
const SEED = `a text of at most ${MAX_SEED} characters or a whole number`
const ID = 'up to 200 letters, digits or @#/._:-'

const only = option.names('Operations it may affect: names or globs.')
const seed = 'Where decisions come from: same seed, same run.'

/** How a fault is put in force, as JSON can carry it. */
export const portableInjectOptions = {
  leaseMs: option.optional(option.durationMs('The longest the fault stays in force, in ms.')),
  rate: option.optional(option.rate('Share of the operations to affect, 0 to 1.')),
  limit: option.optional(option.count('Operations to affect in all; then the fault ends.', 1)),
  limitPerOperation: option.optional(option.count('Operations to affect per operation name.', 1)),
  skip: option.optional(option.count('Calls of each operation to let pass first.')),
  every: option.optional(option.count('Affect every n-th call of each operation.', 1)),
  only: option.optional(only),
  seed: option.optional(option.either(option.text(seed, MAX_SEED), option.integer(seed), SEED)),
  id: option.optional(option.matching(/^[\w@#/.:-]{1,200}$/, ID, 'The name of the injection.')),
}

/** How a fault is put in force, within the process. */
export const injectSchema = optionsSchema({
  ...portableInjectOptions,
  only: option.optional(
    option.either(
      only,
      option.func<OperationFilter>('Says whether a call may be affected.'),
      `${NAMES}, or a predicate`,
    ),
  ),
  signal: option.optional(
    option.live<AbortSignal>(
      (value) => 'aborted' in value && 'addEventListener' in value,
      'an AbortSignal',
      'Ends the injection when it aborts.',
    ),
  ),
})
