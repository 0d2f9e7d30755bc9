import { isChaosError } from '@chaos/core'
import { messageOf, systemClock } from '@chaos/core/authoring'
import type { Terminal } from './terminal.js'

/** The pause between two looks, in ms. */
const PAUSE_MS = 1_000

/**
 * Looks at an engine each second, until the user interrupts. One that is away is waited for, and told of once an outage.
 *
 * @throws What `look` throws besides `CHAOS_FLEET_UNREACHABLE`.
 */
export async function everySecond(
  { signal, err }: Pick<Terminal, 'signal' | 'err'>,
  look: () => Promise<void>,
): Promise<void> {
  const outage = { isTold: false }
  const isOver = (): boolean => signal.aborted
  while (!isOver()) {
    await pause(signal)
    try {
      await look()
      outage.isTold = false
    } catch (error) {
      if (!isChaosError(error, 'CHAOS_FLEET_UNREACHABLE')) throw error
      if (!outage.isTold)
        err(`warning: ${messageOf(error)} Looking again each second; every instance reverts within its lease.`)
      outage.isTold = true
    }
  }
}

/** Waits for a second, or until a signal aborts. */
function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const cancel = systemClock.after(PAUSE_MS, end)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end)
  })
}
