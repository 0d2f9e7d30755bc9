import { ChaosError, printable, type Clock } from '@chaos/core'
import { toJson } from './json.js'
import { checkPortable } from './portable.js'

/** What an app says over the event stream of itself, beside what chaos does to it: an alert that fires, a recovery that is complete. */
export interface AppEvent {
  /** What it is about: `alert`. */
  readonly topic: string
  /** In ms since the epoch. */
  readonly at: number
  readonly data: Readonly<Record<string, unknown>>
}

/** The largest event, in bytes. */
const MAX_EVENT_BYTES = 65_536

/**
 * Makes an event of now.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for a topic that is no name, and for data that JSON cannot carry or that is too large
 */
export function appEventOf(topic: string, data: Readonly<Record<string, unknown>>, clock: Clock): AppEvent {
  if (!/^[\w.:-]{1,100}$/.test(topic))
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected \`topic\` to be up to 100 letters, digits, dots, colons or dashes, got \`${printable(topic)}\`.`,
    )
  checkPortable(data, 'data')
  const event: AppEvent = { topic, at: clock.now(), data }
  const bytes = Buffer.byteLength(toJson(event))
  if (bytes > MAX_EVENT_BYTES)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected an event of at most ${MAX_EVENT_BYTES} bytes, got ${bytes}. Say where the rest can be read.`,
    )
  return event
}
