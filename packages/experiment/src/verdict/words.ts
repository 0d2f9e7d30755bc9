/** Formats a duration in ms: `250 ms`. */
export const ms = (value: number): string => `${Math.round(value)} ms`

/** Formats a duration in seconds: `12.3 s`. */
export const seconds = (value: number): string => `${(value / 1_000).toFixed(1)} s`

/** Ends a text with a period unless it already ends as a sentence. */
export const sentence = (text: string): string => (/[.?!]$/.test(text) ? text : `${text}.`)
