/** How Prometheus writes a time that does not exist. */
const NEVER = '0001-01-01T00:00:00Z'

/** A time in ms since the epoch, as Prometheus writes it. */
export function isoTime(at: number | undefined): string {
  return at === undefined ? NEVER : new Date(at).toISOString()
}
