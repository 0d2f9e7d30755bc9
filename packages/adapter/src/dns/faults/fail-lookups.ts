import { defineFault, markInjected, option, type OptionsOf } from '@chaos/core/authoring'
import { syncBuiltinESMExports } from 'node:module'
import { isIP } from 'node:net'
import { DNS_MODULE, isDnsModule, type DnsModule } from '../seam.js'
import { networkErrors } from '../../errors/network.js'

const NAME = 'adapter/fail-lookups'
const options = {
  error: option.optional(
    option.oneOf(['dns/eai-again', 'dns/enotfound'], 'How the lookup fails. Default: dns/eai-again.'),
    'dns/eai-again',
  ),
  afterMs: option.optional(option.durationMs('Time until it fails, in ms. Default: 0.'), 0),
}

/** Options of {@link failLookups}: `error`, `dns/eai-again` (default) or `dns/enotfound`; `afterMs`, the time until the lookup fails (default 0, and never at once). */
export type FailLookupsOptions = OptionsOf<typeof failLookups>

type LookupCallback = (error: Error | null, ...found: unknown[]) => void

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
  target: { expects: DNS_MODULE, accepts: isDnsModule },
  inject(dns: DnsModule, { error, afterMs }, context) {
    const errorFor = (host: string): Error => markInjected(networkErrors[error]({ host, port: 0 }), NAME)
    const isChosen = (args: readonly unknown[]): args is [host: string, ...unknown[]] => {
      const [host] = args
      return typeof host === 'string' && host !== '' && isIP(host) === 0 && context.operation(host).shouldInject(args)
    }
    /** What is still held when the fault ends is looked up for real. */
    const fail = (host: string, failed: (error: Error) => void, real: () => void): void => {
      const run = (): void => {
        if (!context.signal.aborted) {
          failed(errorFor(host))
          return
        }
        try {
          real()
        } catch (error) {
          // `lookup` throws what it cannot take where it is called, but by now has returned.
          failed(error as Error)
        }
      }
      context.hold({ afterMs, run })
    }

    // Named imports of ESM see the change, and, since the first step is the last to be taken back, see it go.
    context.defer(syncBuiltinESMExports)
    context.patch(
      dns,
      'lookup',
      (below) =>
        function lookup(this: unknown, ...args: unknown[]): unknown {
          const callback = args.at(-1)
          if (typeof callback !== 'function' || !isChosen(args)) return below.call.apply(this, args)
          fail(args[0], callback as LookupCallback, () => void below.call.apply(this, args))
          return {}
        },
    )
    context.patch(
      dns.promises,
      'lookup',
      (below) =>
        function lookup(this: unknown, ...args: unknown[]): unknown {
          if (!isChosen(args)) return below.call.apply(this, args)
          return new Promise((resolve, reject) => fail(args[0], reject, () => resolve(below.call.apply(this, args))))
        },
    )
    syncBuiltinESMExports()
  },
})
