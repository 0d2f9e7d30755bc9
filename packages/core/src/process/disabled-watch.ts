import { systemClock, type Cancel } from '../basics/clock.js'
import { endInjections } from './end-injections.js'
import { isDisabled } from './guard.js'
import { processState } from './process-state.js'

/** How often the environment is looked at while anything is in force, in ms. */
const LOOK_EVERY_MS = 250

/** What to tell of each injection in force. */
const watching = new Set<() => void>()
let cancel: Cancel | undefined

/**
 * Ends everything in force in this process as soon as `CHAOS_DISABLED` says yes: looked up every 250 ms by one timer, which keeps no process
 * alive and exists only while something is in force. No call of the app's ever reads the environment.
 *
 * @param onDisabled Called before an injection is ended for this reason.
 * @returns Stops watching on behalf of that injection.
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

/** Whether the timer runs. */
export function isWatching(): boolean {
  return cancel !== undefined
}

function look(): void {
  cancel = systemClock.after(LOOK_EVERY_MS, look, { ref: false })
  endIfDisabled()
}

/** Looks now, as whoever arms or asks does: ends everything in force in this process if `CHAOS_DISABLED` says yes. */
export function endIfDisabled(): void {
  const { live } = processState()
  if (live.size === 0 || !isDisabled()) return
  for (const tell of [...watching]) tell()
  // What fails is part of the state of each.
  void endInjections(live, (one) => one.mark('stopped'))
}
