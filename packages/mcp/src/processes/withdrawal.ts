import type { LocalProcess } from '@chaos/control'
import type { Clock } from '@chaos/core'
import type { Arming } from '../permit/arming.js'
import type { Connections } from './connections.js'

/** The time between two looks at the permit while this server has something in force, in ms. */
const EVERY_MS = 1_000

/**
 * Ends what this server armed in a process when a person withdraws the permit for it.
 *
 * @param onWithdrawn Called with the injections that are stopped for it, before they are.
 * @returns Stops watching.
 */
export function watchPermit(
  connections: Connections,
  arming: Arming,
  clock: Clock,
  onWithdrawn: (ids: readonly string[]) => void,
): () => void {
  const isPermitted = (process: LocalProcess): boolean => {
    try {
      return arming.stateOf(process).isOpen
    } catch {
      // Others can access the directory of the permit, so it is not believed.
      return false
    }
  }
  let cancel = clock.after(EVERY_MS, look)
  function look(): void {
    for (const { process, client, armed } of connections.open()) {
      if (armed.size === 0 || isPermitted(process)) continue
      const ids = [...armed]
      armed.clear()
      onWithdrawn(ids)
      // One that cannot be stopped now ends with its lease. It is not waited for: a process that hangs must not keep the
      // faults of another in force.
      void Promise.allSettled(ids.map((id) => client.stop(id)))
    }
    cancel = clock.after(EVERY_MS, look)
  }
  return () => cancel()
}
