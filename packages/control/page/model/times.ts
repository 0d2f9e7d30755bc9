const two = (value: number): string => String(value).padStart(2, '0')

/** A time of day in the zone of the browser: `12:03:04`. */
export function clockTime(at: number): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return 'an unknown time'
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** The same with milliseconds: `12:03:04.250`. */
export const preciseTime = (at: number): string =>
  `${clockTime(at)}.${String(new Date(at).getMilliseconds()).padStart(3, '0')}`

/** A span in its two largest units: `850 ms`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** How far a time is from now: `12 s ago`, `in 3 s`. */
export const relativeTime = (at: number, now: number): string =>
  at > now ? `in ${span(at - now)}` : `${span(now - at)} ago`
