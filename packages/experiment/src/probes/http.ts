import * as v from 'valibot'
import { drain, jsonOf, own } from '../shared/answer.js'
import { address, described, number } from '../shared/schemas.js'
import { asNumber, measured, probeFields, probeType } from './probe-type.js'
import { isPossible, isWithin, tolerance } from './tolerance.js'

const STATUS = 'a status from 100 to 599'

/** A probe that requests an address. It checks the status, or reads a number from the JSON answer. */
export const httpProbe = probeType({
  type: 'http',
  schema: v.strictObject({
    ...probeFields,
    type: v.literal('http'),
    url: address('Address to request.'),
    status: v.optional(
      v.pipe(
        number,
        v.integer('a whole number'),
        v.minValue(100, STATUS),
        v.maxValue(599, STATUS),
        v.description(
          'Expected status. Without `path`, the value is 1 for a complete answer with this status and 0 for any other status. Redirects are not followed. Default 200.',
        ),
      ),
    ),
    path: v.optional(
      described(
        'Dotted path to a number in the JSON answer, which is the value of the probe. Default: the status is checked.',
      ),
    ),
    tolerance: v.optional(tolerance),
  }),
  origin: ({ url }) => url,
  read:
    ({ url, status = 200, path }) =>
    async (signal) => {
      // A redirect, for example to a login page, is not an answer of the page itself.
      const response = await fetch(url, { signal, redirect: 'manual' })
      const isExpected = response.status === status
      if (path !== undefined && isExpected) return measured(asNumber(valueAt(await jsonOf(response), path), path))
      // A body that hangs or is cut off makes the reading fail.
      await (isExpected ? drain(response) : response.body?.cancel())
      if (path !== undefined) throw new Error(`status ${response.status}`)
      return measured(isExpected ? 1 : 0)
    },
  /** Without `path`, the value is 0 or 1, and the bounds must accept exactly one of them. */
  problems({ tolerance: bounds, path }) {
    if (bounds === undefined || !isPossible(bounds) || path !== undefined) return []
    const kept = [0, 1].filter((value) => isWithin(value, bounds)).length
    return kept === 1
      ? []
      : [
          {
            path: ['tolerance'],
            message: `The bounds accept ${kept === 0 ? 'neither' : 'both'} of the possible values 1 (expected status) and 0 (another status). Accept exactly one of them. To read a number from the answer, add \`path\`.`,
          },
        ]
  },
})

/** The value at a dotted path. Inherited keys are ignored. */
function valueAt(json: unknown, path: string): unknown {
  return path.split('.').reduce(own, json)
}
