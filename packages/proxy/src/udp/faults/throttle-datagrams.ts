import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import type { Stream } from '../../links/stage.js'
import { affectDatagrams } from '../datagrams/affect-datagrams.js'
import { datagramStreamOption } from '../datagrams/stream-option.js'
import { udpProxyTarget } from '../datagrams/target.js'

const NAME = 'proxy/throttle-datagrams'
const options = {
  bytesPerSecond: option.count('Bytes of payload per second and direction, all sessions together.', 1),
  queueBytes: option.optional(
    option.count('The most bytes that wait in one direction. Datagrams beyond it are dropped.'),
    65_536,
  ),
  ...datagramStreamOption,
}

/** Options of {@link throttleDatagrams}. */
export type ThrottleDatagramsOptions = OptionsOf<typeof throttleDatagrams>

/**
 * Limits the bytes per second of each direction, and drops what its queue has no room for.
 *
 * Models a slow line behind a router with a drop-tail queue. A datagram arrives when its last byte would. Headers of IP and UDP
 * are not counted. A datagram that finds an empty queue is carried whatever its length. Datagrams that wait when the fault ends
 * go on then, in order.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `bytesPerSecond` is no whole number of at least 1.
 */
export const throttleDatagrams = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Limits the bytes per second, and drops what a full queue has no room for.',
  options,
  target: udpProxyTarget,
  inject(proxy, options, context) {
    const { bytesPerSecond, queueBytes } = options
    /** When each direction has carried everything that was given to it. */
    const freeAt: Record<Stream, number> = { upstream: 0, downstream: 0 }
    affectDatagrams(proxy, NAME, options, context, {
      keepsOrder: true,
      affect(datagram, { hold }) {
        const { stream } = datagram.route
        const now = context.clock.now()
        const arrivesAt = Math.max(freeAt[stream], now) + (datagram.payload.length * 1_000) / bytesPerSecond
        if (hold(datagram, arrivesAt - now, queueBytes) !== undefined) freeAt[stream] = arrivesAt
      },
    })
  },
})
