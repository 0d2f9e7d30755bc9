import { checkOptions } from '../fault/check-options.js'
import { option } from '../fault/option.js'
import { optionsSchema } from '../fault/options-schema.js'
import { processState } from '../process/process-state.js'
import type { InjectionRecord } from './injection-record.js'

const extension = optionsSchema({ leaseMs: option.durationMs('How long the lease lasts from now, in ms.') })

/**
 * Prolongs the lease of an injection of this process, for tools that keep a fault in force while somebody else vouches for
 * it. The lease then ends `leaseMs` from now. It never ends earlier than before, unless `mayShorten` is set, and never later
 * than the controller's `maxLeaseMs` after the injection was armed. A fault that is still being put in force has a lease as
 * well. The journal has no entry for it, unlike for `renew` of a controller.
 *
 * @param id The id of the injection. Any copy of core may have made it.
 * @param options.mayShorten Whether the lease may end earlier than before. Default `false`.
 * @returns Whether the injection is still in force. One that has ended, or whose lease is over, stays ended.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid time.
 */
export function extendLease(
  id: string,
  leaseMs: number,
  { mayShorten = false }: { readonly mayShorten?: boolean } = {},
): boolean {
  checkOptions(extension, { leaseMs }, 'extendLease')
  for (const injection of processState().live as ReadonlySet<Partial<InjectionRecord>>)
    // A copy of core of an earlier version cannot do it.
    if (injection.id === id) return injection.extendLease?.(leaseMs, mayShorten) ?? false
  return false
}
