import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { hangOperations } from '../../operations/delay.js'
import { requestSeam } from '../seam.js'
import { httpTarget } from '../target.js'

const options = {}

/** Options of {@link hangRequests}. */
export type HangRequestsOptions = OptionsOf<typeof hangRequests>

/**
 * Leaves requests without an answer, until the fault ends or the caller gives up.
 *
 * Models a server that accepts connections and then does nothing, for example in a deadlock. The caller notices by its
 * own signal or timeout, if it has one. When the fault ends, held requests go on; a request that was given up never
 * reaches the service.
 *
 * An operation is a request; its name is `GET http://127.0.0.1:8080/items` at a client, `GET /items` at a server,
 * without the query.
 */
export const hangRequests = defineFault({
  name: 'adapter/hang-requests',
  kind: 'standing',
  summary: 'Leaves requests without an answer, until the fault ends or the caller gives up.',
  options,
  target: httpTarget,
  inject: (target, _options, context) => hangOperations(requestSeam, target, context),
})
