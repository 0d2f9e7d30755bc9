import { journal, type JournalEntry } from '@chaos/core'

/** A call that a fault affected. */
export type Hit = Extract<JournalEntry, { readonly type: 'hit' }>

type HitListener = (hit: Hit) => void

/** By the id of an injection. Several have one id if a test injects one after the other has ended. */
const listeners = new Map<string, Set<HitListener>>()
let unfollow: (() => void) | undefined

/**
 * Calls `listener` with each hit of the injections of an id. All tests of a process share one listener of the journal.
 *
 * @returns A function that stops following.
 */
export function followHits(id: string, listener: HitListener): () => void {
  const ofId = listeners.get(id) ?? new Set()
  listeners.set(id, ofId.add(listener))
  unfollow ??= journal.follow((entry) => {
    if (entry.type === 'hit') for (const each of listeners.get(entry.id) ?? []) each(entry)
  })
  return () => {
    ofId.delete(listener)
    if (ofId.size === 0) listeners.delete(id)
    if (listeners.size > 0) return
    unfollow?.()
    unfollow = undefined
  }
}
