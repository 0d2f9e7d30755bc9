/** A message that was sent to all clients of an event stream. */
interface SentMessage {
  /** Its place in the order of messages, from 1. */
  readonly place: number
  readonly text: string
}

/** The last messages of an event stream, for clients that come back. */
export interface RecentMessages {
  add(message: SentMessage): void
  /**
   * Returns the messages after a place.
   *
   * @returns `missed`: how many messages after it are no longer kept
   */
  after(place: number): { readonly messages: readonly SentMessage[]; readonly missed: number }
}

/** The most messages. */
export const MAX_RECENT = 1_000
/** The most characters of all messages together. */
const MAX_CHARACTERS = 1_048_576

/** @param from The place after which messages are kept. */
export function recentMessages(from: number): RecentMessages {
  const kept: SentMessage[] = []
  let characters = 0
  let forgotten = from
  return {
    add(message) {
      kept.push(message)
      characters += message.text.length
      while (kept.length > MAX_RECENT || characters > MAX_CHARACTERS) {
        const oldest = kept.shift()
        if (oldest === undefined) return
        characters -= oldest.text.length
        forgotten = oldest.place
      }
    },
    after: (place) => ({
      messages: kept.filter((message) => message.place > place),
      missed: Math.max(0, forgotten - place),
    }),
  }
}
