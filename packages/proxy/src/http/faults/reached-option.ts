import { option } from '@chaos/core/authoring'
import type { Gate, RequestBehaviour } from '../request-fault.js'

/** How far a request gets whose client does not get the upstream's answer. */
type Reached = 'never' | 'upstream'

/** The option `reached`, which the faults share that keep the upstream's answer from the client. */
export const reachedOption = {
  reached: option.optional(
    option.oneOf(
      ['never', 'upstream'],
      'Whether the request reaches the service. never: the service does not hear of it; upstream: the service has handled it and begun to answer.',
    ),
    'never',
  ),
}

/** Puts a gate where the option `reached` says. */
export function gateAt<Options>(reached: Reached, gate: Gate<Options>): RequestBehaviour<Options> {
  return reached === 'never' ? { onRequest: gate } : { onAnswer: gate }
}
