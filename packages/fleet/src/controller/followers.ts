import type { JournalEntry } from '@chaos/core'

/** Those who follow a journal. */
export interface Followers {
  readonly emit: (entry: JournalEntry) => void
  /** @returns A function that stops following. */
  readonly follow: (listener: (entry: JournalEntry) => void) => () => void
}

/** Makes an empty list of followers. A listener that throws neither stops the others nor the run. */
export function followers(): Followers {
  const listeners = new Set<(entry: JournalEntry) => void>()
  return {
    emit(entry) {
      // A copy, since a listener may add another one.
      for (const listener of [...listeners]) {
        try {
          listener(entry)
        } catch (error) {
          // Its own error, reported as one that nobody caught.
          queueMicrotask(() => {
            throw error
          })
        }
      }
    },
    follow(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
