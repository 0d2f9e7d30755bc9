import { defineFault, option, seededStream, type OptionsOf } from '@chaos/core/authoring'
import { lossOf, lossOptions } from '../../toxics/loss.js'
import { affectDatagrams } from '../datagrams/affect-datagrams.js'
import type { Route } from '../datagrams/route.js'
import { datagramStreamOption } from '../datagrams/stream-option.js'
import { udpProxyTarget } from '../datagrams/target.js'

const NAME = 'proxy/lose-datagrams'
const { lossRate, correlation } = lossOptions('datagram')

/** Options of {@link loseDatagrams}. */
export type LoseDatagramsOptions = OptionsOf<typeof loseDatagrams>

/**
 * Drops datagrams. Nobody is told, as on a network.
 *
 * Models a lossy or overloaded network, or with rate 1 a firewall that drops everything. The injection's `rate` is the share
 * that is lost, each datagram decided alone. `lossRate` with `correlation` loses datagrams in bursts instead.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if a rate is not from 0 to 1.
 */
export const loseDatagrams = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Drops datagrams, alone or in bursts.',
  options: { lossRate: option.optional(lossRate, 1), correlation, ...datagramStreamOption },
  target: udpProxyTarget,
  inject(proxy, options, context) {
    const draw = seededStream(context, 'loss')
    const losses = new WeakMap<Route, ReturnType<typeof lossOf>>()
    const lossesOf = (route: Route): ReturnType<typeof lossOf> => {
      const known = losses.get(route)
      if (known !== undefined) return known
      const made = lossOf(() => draw(route.key))
      losses.set(route, made)
      return made
    }
    affectDatagrams(proxy, NAME, options, context, {
      applies: ({ route }) => lossesOf(route)(options),
      affect: (datagram, { drop }) => drop(datagram),
    })
  },
})
