import * as v from 'valibot'
import { number } from '../shared/schemas.js'

const bound = (description: string) => v.optional(v.pipe(number, v.description(description)))

/** The schema of a probe's bounds. */
export const tolerance = v.pipe(
  v.strictObject(
    {
      below: bound('The value must be less than this.'),
      above: bound('The value must be greater than this.'),
      atLeast: bound('The value must be this or greater.'),
      atMost: bound('The value must be this or less.'),
      equals: v.optional(
        v.pipe(
          v.union([number, v.boolean('true or false')], 'a number, true or false'),
          v.description('The value must be equal to this.'),
        ),
      ),
    },
    'bounds: `below`, `above`, `atLeast`, `atMost` or `equals`',
  ),
  v.minEntries(1, 'at least one bound: `below`, `above`, `atLeast`, `atMost` or `equals`'),
  v.description('Bounds of the value. The value must be within all of them. `true` counts as 1, `false` as 0.'),
)

/** The bounds of a probe. */
export type Tolerance = v.InferOutput<typeof tolerance>

/** Whether a value is within all bounds. */
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

/** Whether any number is within the bounds. */
export function isPossible(bounds: Tolerance): boolean {
  const { below = Infinity, above = -Infinity, atLeast = -Infinity, atMost = Infinity, equals } = bounds
  if (equals !== undefined) return isWithin(Number(equals), bounds)
  return above < below && above < atMost && atLeast < below && atLeast <= atMost
}

const SIGNS = { below: '<', above: '>', atLeast: '≥', atMost: '≤', equals: '=' } as const

/** Bounds as text: `≥ 95 Hz`. */
export function boundsInWords(bounds: Tolerance, unit = ''): string {
  const suffix = unit === '' ? '' : ` ${unit}`
  return Object.entries(SIGNS)
    .flatMap(([name, sign]) => {
      const bound = bounds[name as keyof Tolerance]
      return bound === undefined ? [] : [`${sign} ${bound}${suffix}`]
    })
    .join(' and ')
}
