/** The days of a week, Monday first. */
export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

/** A span of time that comes back each week, by the clocks of a place. */
export interface Window {
  /** The days on which it begins. */
  readonly days: readonly (typeof DAYS)[number][]
  /** When it begins: `09:00`. */
  readonly from: string
  /** When it ends, the end excluded: `17:00`, at most `24:00`. An end before the beginning is on the next day. */
  readonly to: string
  /** The IANA time zone: `Europe/Berlin`. */
  readonly timeZone: string
}

const MINUTE_MS = 60_000
const QUARTER_MS = 15 * MINUTE_MS
const DAY = 24 * 60
const WEEK = 7 * DAY

/**
 * Whether at least one of the windows is open in every minute of a span.
 *
 * The clocks on the wall decide. When they are put forward, a window within the missing hour does not open that day; when
 * they are put back, one within the doubled hour opens twice.
 *
 * @param fromMs The begin of the span, in ms since the epoch.
 * @param forMs Its length, in ms.
 */
export function areOpen(windows: readonly Window[], fromMs: number, forMs: number): boolean {
  const tests = windows.map(openMinutes)
  for (let at = fromMs; at < fromMs + forMs;) {
    const minutes = Math.max(0, ...tests.map((test) => test(at)))
    if (minutes === 0) return false
    // Clocks are put forward and back at quarters of an hour, so nothing but the end of the window comes before the next one.
    at = Math.min(beginOf(at, MINUTE_MS) + minutes * MINUTE_MS, beginOf(at, QUARTER_MS) + QUARTER_MS)
  }
  return true
}

const beginOf = (at: number, unitMs: number): number => Math.floor(at / unitMs) * unitMs

/** Whether there is such a time zone. */
export function isTimeZone(name: string): boolean {
  try {
    wallClock(name)
    return true
  } catch {
    return false
  }
}

/** How many minutes of a window are left, by the clocks of its place; 0 while it is shut. */
function openMinutes({ days, from, to, timeZone }: Window): (at: number) => number {
  const [begin, end] = [minutesOf(from), minutesOf(to)]
  const length = end > begin ? end - begin : end + DAY - begin
  const begins = days.map((day) => DAYS.indexOf(day) * DAY + begin)
  const minuteAt = wallClock(timeZone)
  return (at) => {
    const minute = minuteAt(at)
    return Math.max(0, ...begins.map((start) => length - ((minute - start + WEEK) % WEEK)))
  }
}

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))

/** The clocks that were read last. To make one takes long, and the windows of a policy are mostly of one place. */
const clocks = new Map<string, (at: number) => number>()
const MAX_CLOCKS = 100

/** The minute of the week that the clocks of a place show, from Monday 00:00. */
function wallClock(timeZone: string): (at: number) => number {
  const clock = clocks.get(timeZone) ?? readOnce(minuteOfWeek(timeZone))
  if (clocks.size >= MAX_CLOCKS) clocks.clear()
  clocks.set(timeZone, clock)
  return clock
}

/** A clock that many windows read at the same time. */
function readOnce(read: (at: number) => number): (at: number) => number {
  let last = { at: Number.NaN, minute: 0 }
  return (at) => {
    if (last.at !== at) last = { at, minute: read(at) }
    return last.minute
  }
}

function minuteOfWeek(timeZone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
  })
  return (at) => {
    const shown = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]))
    const day = DAYS.findIndex((name) => name === shown.get('weekday')?.toLowerCase())
    return day * DAY + Number(shown.get('hour')) * 60 + Number(shown.get('minute'))
  }
}
