import { damageOf, defineFault, option, seededStream, type OptionsOf } from '@chaos/core/authoring'
import { bodySeam } from '../bodies.js'
import { httpTarget } from '../target.js'

const options = {
  damage: option.optional(
    option.oneOf(
      ['garble', 'truncate', 'empty'],
      'garble: one bit of the piece is flipped; truncate: its second half is missing; empty: nothing is in it.',
    ),
    'garble',
  ),
}

/** Options of {@link corruptResponses}. */
export type CorruptResponsesOptions = OptionsOf<typeof corruptResponses>

/**
 * Damages pieces of the bodies that services answer with.
 *
 * Models a proxy that breaks what it passes on, a line of a stream that is cut short, a bad cable behind a checksum that nobody looks at. Framing stays
 * right, so that the response itself succeeds: the application reads wrong data. At a server a body whose `content-length` was announced is garbled
 * whatever `damage` says, since a shorter one would break the connection: that is `cutResponses`. An operation is a piece of a body as it comes; its name is
 * that of the request, `GET http://127.0.0.1:8080/items` at a client, `GET /items` at a server, without the query.
 */
export const corruptResponses = defineFault({
  name: 'adapter/corrupt-responses',
  kind: 'standing',
  summary: 'Damages pieces of the bodies that services answer with.',
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
