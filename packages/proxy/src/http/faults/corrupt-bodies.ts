import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { CorruptStage } from '../../toxics/corrupt-stage.js'
import type { BodySlot } from '../request-fault.js'
import { affectRequests, httpProxyTarget } from '../target.js'
import { messageOption } from './message-option.js'

const NAME = 'proxy/corrupt-bodies'
const options = {
  byteRate: option.optional(option.rate('Share of the bytes to corrupt, 0 to 1.'), 0.001),
  ...messageOption,
}

/** Options of {@link corruptBodies}. */
export type CorruptBodiesOptions = OptionsOf<typeof corruptBodies>

/**
 * Flips one random bit in a share of the bytes of bodies. No byte is added or lost.
 *
 * Models faulty memory in something on the way. The message itself stays valid, so that the request succeeds and the
 * application reads wrong data.
 *
 * An operation is a request; its name is `GET /items`, without the query. A body without a corrupted byte counts as passed.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `byteRate` is not from 0 to 1.
 */
export const corruptBodies = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Flips one bit in a share of the bytes of bodies.',
  options,
  target: httpProxyTarget,
  inject(proxy, given, context) {
    const stage = (slot: BodySlot<{ readonly byteRate: number }>): CorruptStage => new CorruptStage(slot)
    affectRequests(proxy, NAME, given, context, { body: { of: given.stream, stage } })
  },
})
