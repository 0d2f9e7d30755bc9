import { NAMES, option, optionsSchema } from '../fault/options.js'
import type { OperationFilter } from '../blast-radius/blast-radius-options.js'
import * as v from 'valibot'

/** How long a fault stays in force unless it is told otherwise, in ms. */
export const DEFAULT_LEASE_MS = 60_000

const MAX_SEED = 200
const SEED = `a text of at most ${MAX_SEED} characters or a whole number`
const ID = 'up to 200 letters, digits or @#/._:-'

const portable = {
  leaseMs: v.optional(option.durationMs('The longest the fault stays in force, in ms.')),
  rate: v.optional(option.rate('Share of the operations to affect, 0 to 1.')),
  limit: v.optional(option.count('Operations to affect in all; then the fault ends.', 1)),
  limitPerOperation: v.optional(option.count('Operations to affect per operation name.', 1)),
  skip: v.optional(option.count('Calls of each operation to let pass first.')),
  every: v.optional(option.count('Affect every n-th call of each operation.', 1)),
  only: v.optional(option.names('Operations it may affect: names or globs.')),
  seed: v.optional(
    v.pipe(
      v.union(
        [
          v.pipe(v.string(), v.minLength(1, SEED), v.maxLength(MAX_SEED, SEED)),
          v.pipe(v.number(), v.safeInteger(SEED)),
        ],
        SEED,
      ),
      v.description('Where decisions come from: same seed, same run.'),
    ),
  ),
  id: v.optional(v.pipe(v.string(ID), v.regex(/^[\w@#/.:-]{1,200}$/, ID), v.description('The name of the injection.'))),
}

/** How a fault is put in force, as JSON can carry it. */
export const portableInjectSchema = optionsSchema(portable)

/** How a fault is put in force, within the process. */
export const injectSchema = optionsSchema(portable, {
  only: v.optional(
    v.union(
      [portable.only.wrapped, v.custom<OperationFilter>((value) => typeof value === 'function')],
      `${NAMES}, or a predicate`,
    ),
  ),
  signal: v.optional(
    v.custom<AbortSignal>(
      (value) => typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value,
      'an AbortSignal',
    ),
  ),
})
