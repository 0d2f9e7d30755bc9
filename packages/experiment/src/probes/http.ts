import * as v from 'valibot'
import { drain, jsonOf, own } from '../shared/answer.js'
import { address, described, number } from '../shared/schemas.js'
import { asNumber, measured, probeFields, probeType } from './probe-type.js'
import { isPossible, isWithin, tolerance } from './tolerance.js'

const STATUS = 'a status from 100 to 599'

/** Asks an address: whether it answers with a status, or for a number in its JSON answer. */
export const httpProbe = probeType({
  type: 'http',
  schema: v.strictObject({
    ...probeFields,
    type: v.literal('http'),
    url: address('Where to ask.'),
    status: v.optional(
      v.pipe(
        number,
        v.integer('a whole number'),
        v.minValue(100, STATUS),
        v.maxValue(599, STATUS),
        v.description(
          'Status to expect. Without `path` the value is 1 when it comes, with a whole answer, and 0 when another comes. Redirects are not followed. Default 200.',
        ),
      ),
    ),
    path: v.optional(described('Dotted path of a number in the JSON answer, taken as the value.')),
    tolerance: v.optional(tolerance),
  }),
  origin: ({ url }) => url,
  read:
    ({ url, status = 200, path }) =>
    async (signal) => {
      // A page that redirects, such as to a login, has not answered itself.
      const response = await fetch(url, { signal, redirect: 'manual' })
      const isExpected = response.status === status
      if (path !== undefined && isExpected) return measured(asNumber(valueAt(await jsonOf(response), path), path))
      // An answer that hangs behind its head, or is cut off, is none.
      await (isExpected ? drain(response) : response.body?.cancel())
      if (path !== undefined) throw new Error(`status ${response.status}`)
      return measured(isExpected ? 1 : 0)
    },
  /** Without `path` the value is 0 or 1: bounds must tell the one from the other. */
  problems({ tolerance: bounds, path }) {
    if (bounds === undefined || !isPossible(bounds) || path !== undefined) return []
    const kept = [0, 1].filter((value) => isWithin(value, bounds)).length
    return kept === 1
      ? []
      : [
          {
            path: ['tolerance'],
            message: `Expected bounds that 1 (the expected status came) or 0 (another came) keeps, but not both, got bounds that ${kept === 0 ? 'neither keeps' : 'both keep'}. For a number in the answer, add \`path\`.`,
          },
        ]
  },
})

/** What stands at a dotted path, by own keys only. */
function valueAt(json: unknown, path: string): unknown {
  return path.split('.').reduce(own, json)
}
