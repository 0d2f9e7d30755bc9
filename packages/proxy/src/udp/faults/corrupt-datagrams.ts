import { defineFault, option, seededStream, type OptionsOf } from '@chaos/core/authoring'
import { affectDatagrams } from '../datagrams/affect-datagrams.js'
import { datagramStreamOption } from '../datagrams/stream-option.js'
import { udpProxyTarget } from '../datagrams/target.js'

const NAME = 'proxy/corrupt-datagrams'
const options = {
  bits: option.optional(option.count('Bits to flip in each affected datagram, each at a random place.', 1, 1_000), 1),
  ...datagramStreamOption,
}

/** Options of {@link corruptDatagrams}. */
export type CorruptDatagramsOptions = OptionsOf<typeof corruptDatagrams>

/**
 * Flips bits of datagrams. Their length stays.
 *
 * Models faulty memory in something on the way, which has computed the checksum of the damaged datagram: the system drops
 * datagrams with a wrong one. A datagram without bytes is not affected.
 */
export const corruptDatagrams = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Flips bits of datagrams.',
  options,
  target: udpProxyTarget,
  inject(proxy, options, context) {
    const draw = seededStream(context, 'bits')
    affectDatagrams(proxy, NAME, options, context, {
      applies: ({ payload }) => payload.length > 0,
      affect({ route, payload }, { pass }) {
        pass({ route, payload: damaged(payload, options.bits, () => draw(route.key)) })
      },
    })
  },
})

/** A copy with some bits flipped: the original may still be under way elsewhere. */
function damaged(payload: Buffer, bits: number, draw: () => number): Buffer {
  const total = payload.length * 8
  const flipped = new Set<number>()
  // No bit is flipped twice, which would mend it.
  while (flipped.size < Math.min(bits, total)) flipped.add(Math.floor(draw() * total))
  const copy = Buffer.from(payload)
  for (const at of flipped) copy[at >> 3] = (copy[at >> 3] as number) ^ (1 << (at & 7))
  return copy
}
