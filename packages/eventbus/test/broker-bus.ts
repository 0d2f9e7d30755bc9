import type { Content } from './fault-table.js'

/** What arrived, as the table wants it: content that was damaged beyond reading is `undefined`. */
export function contentOf(payload: { toString(): string }): Content | undefined {
  try {
    return JSON.parse(payload.toString()) as Content
  } catch {
    return undefined
  }
}

let names = 0

/** A name that no other test uses: of a channel, topic, subject or queue. */
export const uniqueName = (separator = ':'): string => ['chaos', process.pid, Date.now(), (names += 1)].join(separator)
