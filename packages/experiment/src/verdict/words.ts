/** A time span as verdicts write it. */
export const ms = (value: number): string => `${Math.round(value)} ms`

/** A longer one. */
export const seconds = (value: number): string => `${(value / 1_000).toFixed(1)} s`
