import type { Field } from './fields.js'

/** The options that every injection takes, beside its lease and its rate. */
export const COMMON_FIELDS: readonly Field[] = [
  count('limit', 'Calls to affect in total; then the fault ends.', 1),
  count('limitPerOperation', 'Calls to affect per operation name.', 1),
  count('skip', 'First calls of each operation to let pass.', 0),
  count('every', 'Affect every n-th call of each operation.', 1),
  {
    ...optional('only', 'Operations that the fault may affect: names or globs, one per line.'),
    kind: { type: 'names', isList: false },
  },
  {
    ...optional('seed', 'Seed of the random decisions: the same seed repeats the run.'),
    kind: { type: 'text', maxLength: 200 },
  },
]

/** How long the fault stays in force. */
export const LEASE_FIELD: Field = {
  name: 'leaseMs',
  description: 'The longest time that the fault stays in force, in ms.',
  isRequired: true,
  default: undefined,
  kind: { type: 'number', isWhole: false, min: 1, max: 2_147_483_647 },
}

/** The share of the calls. */
export const RATE_FIELD: Field = {
  ...optional('rate', 'Share of the calls to affect, 0 to 1.'),
  default: 1,
  kind: { type: 'number', isWhole: false, min: 0, max: 1 },
}

function optional(name: string, description: string): Omit<Field, 'kind'> {
  return { name, description, isRequired: false, default: undefined }
}

function count(name: string, description: string, min: number): Field {
  return {
    ...optional(name, description),
    kind: { type: 'number', isWhole: true, min, max: Number.MAX_SAFE_INTEGER },
  }
}
