import { ChaosError } from '@chaos/core'

/** What a run throws that is given up: it shows nothing. */
export function givenUpError({ reason }: AbortSignal): ChaosError {
  return new ChaosError('CHAOS_NOT_EXPLORED', 'The search was given up, since its `signal` has aborted.', {
    cause: reason,
  })
}
