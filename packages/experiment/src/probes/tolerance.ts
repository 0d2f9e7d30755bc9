import * as v from 'valibot'
import { number } from '../shared/schemas.js'

/** How the bounds of a probe are written. */
export const tolerance = v.pipe(
  v.strictObject(
    {
      below: v.optional(number),
      above: v.optional(number),
      atLeast: v.optional(number),
      atMost: v.optional(number),
      equals: v.optional(v.union([number, v.boolean('true or false')], 'a number, true or false')),
    },
    'bounds: `below`, `above`, `atLeast`, `atMost` or `equals`',
  ),
  v.minEntries(1, 'at least one bound: `below`, `above`, `atLeast`, `atMost` or `equals`'),
  v.description('Bounds that the value must keep; all of them. `true` counts as 1, `false` as 0.'),
)

/** Bounds of a reading. */
export type Tolerance = v.InferOutput<typeof tolerance>

/** Whether a value keeps all bounds. */
export function isWithin(value: number, { below, above, atLeast, atMost, equals }: Tolerance): boolean {
  return (
    (below === undefined || value < below) &&
    (above === undefined || value > above) &&
    (atLeast === undefined || value >= atLeast) &&
    (atMost === undefined || value <= atMost) &&
    (equals === undefined || value === Number(equals)) &&
    !Number.isNaN(value)
  )
}

/** Whether any number can keep the bounds. */
export function isPossible(bounds: Tolerance): boolean {
  const { below = Infinity, above = -Infinity, atLeast = -Infinity, atMost = Infinity, equals } = bounds
  if (equals !== undefined) return isWithin(Number(equals), bounds)
  return above < below && above < atMost && atLeast < below && atLeast <= atMost
}

const SIGNS = { below: '<', above: '>', atLeast: '≥', atMost: '≤', equals: '=' } as const

/** Bounds as people write them: `≥ 95 Hz`. */
export function boundsInWords(bounds: Tolerance, unit = ''): string {
  const suffix = unit === '' ? '' : ` ${unit}`
  return Object.entries(SIGNS)
    .flatMap(([name, sign]) => {
      const bound = bounds[name as keyof Tolerance]
      return bound === undefined ? [] : [`${sign} ${bound}${suffix}`]
    })
    .join(' and ')
}
