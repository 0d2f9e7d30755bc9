import { defineFault, markInjected, option, type OptionsOf, type SeamOperation } from '@chaos/core/authoring'
import { failOperations } from '../../operations/fail.js'
import { dnsModule, lookupSeam } from '../seam.js'
import { networkErrors } from '../../errors/network.js'

const NAME = 'adapter/fail-lookups'
const options = {
  error: option.optional(option.oneOf(['dns/eai-again', 'dns/enotfound'], 'How the lookup fails.'), 'dns/eai-again'),
  afterMs: option.optional(option.durationMs('Time until the lookup fails, in ms.'), 0),
}

/** Options of {@link failLookups}. */
export type FailLookupsOptions = OptionsOf<typeof failLookups>

/**
 * Fails lookups of host names.
 *
 * Models a resolver that gives no answer, or a host name that no longer exists. Every client that connects by name
 * (`net`, `http`, `fetch`, drivers) gets the error, since all of them use `dns.lookup`; callers of
 * `dns.promises.lookup` get it too. Addresses need no lookup and pass. An operation is a lookup; its name is the host
 * name.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `afterMs` does not fit a timer.
 */
export const failLookups = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Fails lookups of host names.',
  options,
  target: dnsModule,
  inject(target, { error, afterMs }, context) {
    const errorOf = ({ name }: SeamOperation): Error =>
      markInjected(networkErrors[error]({ host: name, port: 0 }), NAME)
    failOperations(lookupSeam, target, context, errorOf, afterMs)
  },
})
