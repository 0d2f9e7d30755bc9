import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { currentScope, LIFE_CYCLE_CHANNEL, type JournalEntry, type Scope } from '@chaos/core'

/** The injections that a run made and left in force. */
export interface Orphans {
  readonly ids: readonly string[]
  readonly stop: () => void
}

/** Watches the injections that are made in a scope. What is still in force when the work has ended is an orphan. */
export function watchOrphans(isOwn: (scope: Scope | undefined) => boolean): Orphans {
  const inForce = new Set<string>()
  const onEntry = (message: unknown): void => {
    const entry = message as JournalEntry
    if (entry.type === 'armed' && isOwn(currentScope())) inForce.add(entry.injection.id)
    else if (entry.type === 'ended') inForce.delete(entry.injection.id)
  }
  subscribe(LIFE_CYCLE_CHANNEL, onEntry)
  return {
    get ids() {
      return [...inForce]
    },
    stop: () => void unsubscribe(LIFE_CYCLE_CHANNEL, onEntry),
  }
}
