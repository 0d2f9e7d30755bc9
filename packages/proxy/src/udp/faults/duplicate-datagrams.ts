import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { affectDatagrams } from '../datagrams/affect-datagrams.js'
import { datagramStreamOption } from '../datagrams/stream-option.js'
import { udpProxyTarget } from '../datagrams/target.js'

const NAME = 'proxy/duplicate-datagrams'
const options = {
  copies: option.optional(option.count('Additional deliveries of each affected datagram.', 1, 1_000), 1),
  spacingMs: option.optional(
    option.durationMs('Time between two deliveries of the same datagram, in ms. 0: no pause.'),
    0,
  ),
  ...datagramStreamOption,
}

/** Options of {@link duplicateDatagrams}. */
export type DuplicateDatagramsOptions = OptionsOf<typeof duplicateDatagrams>

/**
 * Delivers datagrams more than once.
 *
 * Models networks that send a packet twice: a retransmission below IP, or two paths that both deliver. With `spacingMs`, a
 * copy may arrive behind newer datagrams. Copies that are held when the fault ends are delivered then.
 */
export const duplicateDatagrams = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Delivers datagrams more than once.',
  options,
  target: udpProxyTarget,
  inject(proxy, options, context) {
    const { copies, spacingMs } = options
    affectDatagrams(proxy, NAME, options, context, {
      affect(datagram, { pass, copy, hold }) {
        pass(datagram)
        for (let n = 1; n <= copies; n += 1) hold(copy(datagram), n * spacingMs)
      },
    })
  },
})
