import { systemClock, type Cancel } from '../basics/clock.js'
import { endInjections } from './end-injections.js'
import { isDisabled } from './guard.js'
import { processState } from './process-state.js'

/** How often `CHAOS_DISABLED` is read while a fault is in force, in ms. */
const LOOK_EVERY_MS = 250

/** The callbacks of the injections in force. */
const watching = new Set<() => void>()
let cancel: Cancel | undefined

/**
 * Ends every injection of the process once `CHAOS_DISABLED` is set. One timer reads the variable every 250 ms. It does not
 * keep the process alive and exists only while a fault is in force. The application's own calls never read the environment.
 *
 * @param onDisabled Called before the injection is ended for this reason.
 * @returns A function that stops watching for this injection.
 */
export function watchForDisabling(onDisabled: () => void): () => void {
  watching.add(onDisabled)
  cancel ??= systemClock.after(LOOK_EVERY_MS, look, { ref: false })
  return () => {
    watching.delete(onDisabled)
    if (watching.size > 0) return
    cancel?.()
    cancel = undefined
  }
}

/** Whether the timer is running. */
export function isWatching(): boolean {
  return cancel !== undefined
}

function look(): void {
  cancel = systemClock.after(LOOK_EVERY_MS, look, { ref: false })
  endIfDisabled()
}

/** Ends every injection of the process at once if `CHAOS_DISABLED` is set. */
export function endIfDisabled(): void {
  const { live } = processState()
  if (live.size === 0 || !isDisabled()) return
  for (const onDisabled of [...watching]) onDisabled()
  // Each injection's state reports its failures.
  void endInjections(live, (one) => one.mark('stopped'))
}
