import { defineFault, delayOf, delayOptions, type DelayOptions, type OptionsOf } from '@chaos/core/authoring'
import { proxyTarget } from '../toxics/engine.js'
import { putInForce } from '../toxics/put-in-force.js'
import type { OpeningBehaviour } from '../toxics/toxic.js'

const NAME = 'proxy/delay-connections'

/** Options of {@link delayConnections}. */
export type DelayConnectionsOptions = OptionsOf<typeof delayConnections>

/**
 * Delays the connection to the server. What the client sends waits meanwhile. Live connections go on.
 *
 * Models a server whose queue of new connections is full. When the fault ends, delayed connections are opened at once.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if a duration does not fit a timer.
 */
export const delayConnections = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Delays the connection to the server.',
  options: delayOptions('each new connection'),
  target: proxyTarget,
  inject: (proxy, given, context) => putInForce(proxy, NAME, given, context, { open }),
})

const open: OpeningBehaviour<DelayOptions> = (toxic, encounter, { connection, proceed, isClosed }) => {
  const roll = toxic.context.rolls(`connection ${connection.ordinal}`)
  let drawn = 0
  const afterMs = delayOf(toxic.options, () => roll((drawn += 1)))
  if (!encounter.hit({ afterMs, run: proceed, on: { isGone: isClosed } })) proceed()
}
