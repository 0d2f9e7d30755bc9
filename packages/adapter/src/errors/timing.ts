import type { ErrorPreset } from './index.js'

/**
 * When an error reaches its caller, relative to the call. `same-turn`: before the event loop continues, by a promise
 * that rejects at once or a next tick. `later-turn`: after the event loop has continued, since the error comes from a
 * socket, a timer or another thread.
 */
export type Timing = 'same-turn' | 'later-turn'

/** The errors that the client itself raises without I/O. All others come from outside. */
const AT_ONCE: ReadonlySet<ErrorPreset> = new Set(['fail-fast', 'redis/connection-closed'])

/**
 * Returns when the real error of a preset reaches its caller. Tests compare this with the real errors that can be
 * produced in the process.
 */
export function timingOf(preset: ErrorPreset): Timing {
  return AT_ONCE.has(preset) ? 'same-turn' : 'later-turn'
}
