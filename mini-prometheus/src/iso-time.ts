/** The notation of Prometheus for "never". */
const NEVER = '0001-01-01T00:00:00Z'

/** Formats a time in ms since the epoch as Prometheus does. */
export function isoTime(at: number | undefined): string {
  return at === undefined ? NEVER : new Date(at).toISOString()
}
