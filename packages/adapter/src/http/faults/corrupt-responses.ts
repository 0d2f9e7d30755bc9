import { damageOf, defineFault, option, seededStream, type OptionsOf } from '@chaos/core/authoring'
import { bodySeam } from '../bodies.js'
import { httpTarget } from '../target.js'

const options = {
  damage: option.optional(
    option.oneOf(
      ['garble', 'truncate', 'empty'],
      'garble: flips one bit of the piece; truncate: removes its second half; empty: removes all of it.',
    ),
    'garble',
  ),
}

/** Options of {@link corruptResponses}. */
export type CorruptResponsesOptions = OptionsOf<typeof corruptResponses>

/**
 * Damages pieces of response bodies.
 *
 * Models a proxy that corrupts data, a stream whose lines are cut short, or a bad cable behind an unchecked checksum.
 * The framing stays correct, so the response itself succeeds and the application reads wrong data. At a server, a body
 * with a `content-length` is garbled whatever `damage` is, since a shorter body would break the connection; use
 * `cutResponses` for that.
 *
 * An operation is a piece of a body as it arrives. Its name is the name of the request: `GET
 * http://127.0.0.1:8080/items` at a client, `GET /items` at a server, without the query.
 */
export const corruptResponses = defineFault({
  name: 'adapter/corrupt-responses',
  kind: 'standing',
  summary: 'Damages pieces of response bodies.',
  options,
  target: httpTarget,
  inject(target, { damage }, context) {
    const chance = seededStream(context, 'damage')
    const garble = damageOf({ damage: 'garble' })
    const chosen = damageOf({ damage })
    bodySeam(
      target,
      context,
      ({ bytes, keepsLength }) => (keepsLength ? garble : chosen).damaged(bytes, () => chance('body')) as Buffer,
    )
  },
})
