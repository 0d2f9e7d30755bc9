import { ChaosError, type Clock } from '@chaos/core'
import { printable } from '@chaos/core/authoring'
import { toJson } from './json.js'
import { checkPortable } from './portable.js'

/** An event that the app sends over the event stream, for example when an alert fires or a recovery is complete. */
export interface AppEvent {
  /** The kind of event: `alert`. */
  readonly topic: string
  /** When the event was sent, in ms since the epoch. */
  readonly at: number
  readonly data: Readonly<Record<string, unknown>>
}

/** The largest app event, in bytes. */
const MAX_EVENT_BYTES = 65_536

/**
 * Creates an app event with the current time.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when the topic is invalid, or the data is too large or not JSON
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
      `The event has ${bytes} bytes, more than ${MAX_EVENT_BYTES}. Send less data, or a link to it.`,
    )
  return event
}
