import { ChaosError, printable, type Clock } from '@chaos/core'
import { toJson } from './json.js'
import { checkPortable } from './portable.js'

/** What an app says over the event stream of itself, beside what chaos does to it: an alert that fires, a recovery that is complete. */
export interface Notice {
  /** What it is about: `alert`. */
  readonly topic: string
  /** In ms since the epoch. */
  readonly at: number
  readonly data: Readonly<Record<string, unknown>>
}

/** The largest notice, in bytes. */
const MAX_NOTICE_BYTES = 65_536

/**
 * Makes a notice of now.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for a topic that is no name, and for data that JSON cannot carry or that is too large
 */
export function noticeOf(topic: string, data: Readonly<Record<string, unknown>>, clock: Clock): Notice {
  if (!/^[\w.:-]{1,100}$/.test(topic))
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected \`topic\` to be up to 100 letters, digits, dots, colons or dashes, got \`${printable(topic)}\`.`,
    )
  checkPortable(data, 'data')
  const notice: Notice = { topic, at: clock.now(), data }
  const bytes = Buffer.byteLength(toJson(notice))
  if (bytes > MAX_NOTICE_BYTES)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected a notice of at most ${MAX_NOTICE_BYTES} bytes, got ${bytes}. Say where the rest can be read.`,
    )
  return notice
}
