import { defineFault, markInjected, option, type OptionsOf, type SeamOperation } from '@chaos/core/authoring'
import { failOperations } from '../../operations/fail.js'
import { dnsModule, lookupSeam } from '../seam.js'
import { networkErrors } from '../../errors/network.js'

const NAME = 'adapter/fail-lookups'
const options = {
  error: option.optional(
    option.oneOf(['dns/eai-again', 'dns/enotfound'], 'How the lookup fails. Default: dns/eai-again.'),
    'dns/eai-again',
  ),
  afterMs: option.optional(option.durationMs('Time until it fails, in ms. Default: 0.'), 0),
}

/** Options of {@link failLookups}. */
export type FailLookupsOptions = OptionsOf<typeof failLookups>

/**
 * Fails the lookup of names.
 *
 * Models a resolver that gives no answer, or a name that is gone: whoever connects by name hears it, `net`, `http`, `fetch` and drivers, since they all
 * look up by `dns.lookup`, and so does who calls `dns.promises.lookup`. Addresses need no lookup and pass. An operation is a lookup; its name is the
 * host's.
 */
export const failLookups = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Fails the lookup of names.',
  options,
  target: dnsModule,
  inject(target, { error, afterMs }, context) {
    const errorOf = ({ name }: SeamOperation): Error =>
      markInjected(networkErrors[error]({ host: name, port: 0 }), NAME)
    failOperations(lookupSeam, target, context, errorOf, afterMs)
  },
})
