// How Chaos Mesh writes durations, percentages and rates. It is written in Go, so durations are those of Go's `time.ParseDuration`.

const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3_600e9,
}
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy
/** Longer texts are no durations that anybody writes. It bounds the cost of reading one. */
const MAX_LENGTH = 64

/** Whole ms as a duration: `1500` → `1500ms`, `90000` → `90s`. */
export const durationText = (ms: number): string => (ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`)

/** @returns The duration in ms; `undefined` if Go cannot parse the text, or if it has a sign. */
export function durationMs(text: unknown): number | undefined {
  if (typeof text !== 'string' || text.length > MAX_LENGTH) return undefined
  if (text === '0') return 0
  let end = 0
  let nanoseconds = 0
  for (const [part, digits = '', unit = ''] of text.matchAll(PART)) {
    end += part.length
    nanoseconds += Number(digits) * (NANOSECONDS[unit] ?? 0)
  }
  return end > 0 && end === text.length ? nanoseconds / 1e6 : undefined
}

/** A share as a percentage, to four decimals: `0.07` → `7`. */
export const percentText = (share: number): string => String(Number((share * 100).toFixed(4)))

/** Whether a text is a percentage from 0 to 100. */
export const isPercent = (text: unknown): boolean =>
  typeof text === 'string' && /^\d{1,3}(?:\.\d{1,12})?$/.test(text) && Number(text) <= 100

/** Whether a text is a rate in bytes per second, such as `128kbps`. Chaos Mesh takes `bps` for bytes, not bits. */
export const isByteRate = (text: unknown): boolean =>
  typeof text === 'string' && /^[1-9]\d{0,14}(?:[kmgt]?bps)$/i.test(text)
