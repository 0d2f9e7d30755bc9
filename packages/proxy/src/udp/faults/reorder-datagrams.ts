import { ChaosError } from '@chaos/core'
import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { affectDatagrams } from '../datagrams/affect-datagrams.js'
import type { HeldDatagram } from '../datagrams/held-datagrams.js'
import type { Route } from '../datagrams/route.js'
import { datagramStreamOption } from '../datagrams/stream-option.js'
import { udpProxyTarget } from '../datagrams/target.js'

const NAME = 'proxy/reorder-datagrams'
const options = {
  distance: option.optional(option.count('Datagrams that overtake an affected one.', 1, 1_000), 1),
  withinMs: option.optional(option.durationMs('The longest time that a datagram waits to be overtaken, in ms.'), 1_000),
  ...datagramStreamOption,
}

/** Options of {@link reorderDatagrams}. */
export type ReorderDatagramsOptions = OptionsOf<typeof reorderDatagrams>

/** A datagram that waits for others to overtake it. */
interface Waiting {
  readonly held: HeldDatagram
  overtakenBy: number
}

/**
 * Lets later datagrams overtake.
 *
 * Models several paths, or a link that sends lost frames again. An affected datagram is held until `distance` later datagrams
 * of its session and direction have gone ahead, at most `withinMs`. One datagram of a session and direction waits at a time,
 * and those that overtake it are not affected: with rate 1 and distance 1, pairs are swapped. A datagram that waits when the
 * fault ends goes on then.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `withinMs` is less than 1.
 */
export const reorderDatagrams = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Lets later datagrams overtake.',
  options,
  target: udpProxyTarget,
  check({ withinMs }) {
    if (withinMs < 1)
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `Expected \`withinMs\` of ${NAME} to be at least 1, got \`${withinMs}\`.`,
      )
  },
  inject(proxy, options, context) {
    const { distance, withinMs } = options
    const all = new WeakMap<Route, Waiting>()
    const waitingOn = (route: Route): Waiting | undefined => {
      const waiting = all.get(route)
      return waiting?.held.hasLeft === false ? waiting : undefined
    }
    affectDatagrams(proxy, NAME, options, context, {
      applies: ({ route }) => waitingOn(route) === undefined,
      affect(datagram, { hold }) {
        const held = hold(datagram, withinMs)
        if (held !== undefined) all.set(datagram.route, { held, overtakenBy: 0 })
      },
      passed({ route }, { giveNow }) {
        const waiting = waitingOn(route)
        if (waiting !== undefined && (waiting.overtakenBy += 1) === distance) giveNow(waiting.held)
      },
    })
  },
})
