import type { Tolerance } from '../model/experiment.js'

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

const SIGNS = { below: '<', above: '>', atLeast: '≥', atMost: '≤', equals: '=' } as const

/** Bounds as people write them. */
export function inWords(tolerance: Tolerance, unit = ''): string {
  const suffix = unit === '' ? '' : ` ${unit}`
  return Object.entries(SIGNS)
    .flatMap(([name, sign]) => {
      const bound = tolerance[name as keyof Tolerance]
      return bound === undefined ? [] : [`${sign} ${bound}${suffix}`]
    })
    .join(' and ')
}
