import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { proxyTarget } from '../toxics/engine.js'
import { putInForce } from '../toxics/put-in-force.js'
import type { OpeningBehaviour } from '../toxics/toxic.js'

const NAME = 'proxy/refuse-connections'
const options = {
  how: option.optional(
    option.oneOf(
      ['reset', 'close', 'hang'],
      'reset: RST; close: FIN, as when the server is down; hang: no answer until the fault ends.',
    ),
    'reset',
  ),
  afterMs: option.optional(option.durationMs('Time until the connection is reset or closed, in ms.'), 0),
}

interface Options {
  readonly how: 'reset' | 'close' | 'hang'
  readonly afterMs: number
}

/** Options of {@link refuseConnections}. */
export type RefuseConnectionsOptions = OptionsOf<typeof refuseConnections>

/**
 * Refuses new connections before the server hears of them. Live connections go on.
 *
 * Models a server that is down, full or unreachable. A proxy has always accepted the client already, so that the client
 * connects and then loses the connection; for a client whose connect fails, disable the proxy. `limit: 3` lets the first three
 * connections fail. Connections that hang are connected to the server when the fault ends.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `afterMs` does not fit a timer.
 */
export const refuseConnections = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Resets, closes or hangs new connections.',
  options,
  target: proxyTarget,
  inject: (proxy, given, context) => putInForce(proxy, NAME, given, context, { open }),
})

const open: OpeningBehaviour<Options> = ({ options: { how, afterMs } }, encounter, opening) => {
  const { proceed, refuse, isClosed } = opening
  const on = { isGone: isClosed }
  if (how === 'hang') {
    if (!encounter.hit({ afterMs: Number.POSITIVE_INFINITY, run: proceed, on })) proceed()
  } else if (afterMs > 0) {
    if (!encounter.hit({ afterMs, run: () => refuse(how), on })) proceed()
  } else if (encounter.hit()) refuse(how)
  else proceed()
}
