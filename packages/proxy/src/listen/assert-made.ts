import { ChaosError } from '@chaos/core'
import { isMade } from '@chaos/core/authoring'

/**
 * Checks that the options of a fault are checked.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if no factory has made it.
 */
export function assertMade(fault: unknown): void {
  if (isMade(fault)) return
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    'Expected the second argument of `update` to be a fault that its factory made, got another value. Call the factory: `update(id, delayData({ delayMs: 10 }))`.',
  )
}
