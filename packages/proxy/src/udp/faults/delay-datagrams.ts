import { defineFault, delayOptions, delaysOf, option, type OptionsOf } from '@chaos/core/authoring'
import { affectDatagrams } from '../datagrams/affect-datagrams.js'
import { datagramStreamOption } from '../datagrams/stream-option.js'
import { udpProxyTarget } from '../datagrams/target.js'

const NAME = 'proxy/delay-datagrams'
const options = {
  ...delayOptions('each affected datagram'),
  order: option.optional(
    option.oneOf(
      ['keep', 'free'],
      'Order of the datagrams of one session and direction. keep: later ones wait behind delayed ones; free: they may overtake.',
    ),
    'keep',
  ),
  ...datagramStreamOption,
}

/** Options of {@link delayDatagrams}. */
export type DelayDatagramsOptions = OptionsOf<typeof delayDatagrams>

/**
 * Delays datagrams on their way, never early.
 *
 * Models distance, or with jitter a busy network. With `order: 'free'`, jitter reorders datagrams, as `netem` does and several
 * paths do. Datagrams that are held when the fault ends go on then, in order of arrival.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if a duration does not fit a timer.
 */
export const delayDatagrams = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Delays datagrams on their way.',
  options,
  target: udpProxyTarget,
  inject(proxy, options, context) {
    const delay = delaysOf(options, context)
    affectDatagrams(proxy, NAME, options, context, {
      keepsOrder: options.order === 'keep',
      affect: (datagram, { hold }) => hold(datagram, delay(datagram.route.key)),
    })
  },
})
