import type { ErrorPreset } from './index.js'

/**
 * When an error reaches its caller, counted from the call. `same-turn`: before the event loop goes on, by a promise that rejects at once or a next tick.
 * `later-turn`: the event loop has gone on, since the error comes from a socket, a timer or another thread.
 */
export type Timing = 'same-turn' | 'later-turn'

/** What the client itself says, without asking anybody. Everything else has to come from outside. */
const AT_ONCE: ReadonlySet<ErrorPreset> = new Set(['fail-fast', 'redis/connection-closed'])

/** When the real error of an outage reaches its caller. Compared with real ones by test, where one is had in the process. */
export function timingOf(preset: ErrorPreset): Timing {
  return AT_ONCE.has(preset) ? 'same-turn' : 'later-turn'
}
