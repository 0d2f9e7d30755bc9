import { ChaosError } from '@chaos/core'
import { asChaosError } from './errors.js'
import { fieldIn } from './request-field.js'

/**
 * Names the injection of a batch in an error: in its message, and in the field that it is about.
 *
 * @param fault The fault of the injection.
 * @param after What else the message says.
 */
export function batchError(thrown: unknown, index: number, fault: unknown, after = ''): ChaosError {
  const error = asChaosError(thrown)
  const details = error.details
  const field = details === undefined ? undefined : fieldIn(details, fault)
  return new ChaosError(error.code, `Injection ${index} of the batch (counted from 0): ${error.message}${after}`, {
    cause: thrown,
    errors: error.errors,
    details: {
      of: 'POST /batches',
      field: `/injections/${index}${field ?? ''}`,
      expected: field === undefined ? undefined : details?.expected,
    },
  })
}
