import type { RestOfOperation, Seam, SeamOperation, TargetKind } from '@chaos/core/authoring'
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { isIP } from 'node:net'

/** What the faults of lookups break: Node.js' own `dns` module, by which every client in the process finds addresses. */
export interface DnsModule {
  readonly lookup: typeof dns.lookup
  readonly promises: typeof dns.promises
}

/** Whether a value is the `dns` module by its default export; a namespace cannot be changed. */
function isDnsModule(value: unknown): value is DnsModule {
  return value === dns
}

/** The kind of target that faults take. */
export const dnsModule: TargetKind<DnsModule> = {
  expects: 'the `node:dns` module',
  accepts: isDnsModule,
}

type LookupCallback = (error: Error | null, ...found: unknown[]) => void

/** Lookups of names. The name of one is the host that is looked up; what is an address already passes. */
export const lookupSeam: Seam<DnsModule, SeamOperation> = (target, context, act) => {
  const isChosen = (args: readonly unknown[]): args is [host: string, ...unknown[]] => {
    const [host] = args
    return typeof host === 'string' && host !== '' && isIP(host) === 0 && context.operation(host).shouldInject(args)
  }
  // Named imports of ESM see the change, and, since the first step is the last to be taken back, see it go.
  context.defer(syncBuiltinESMExports)
  context.patch(
    target,
    'lookup',
    (below) =>
      function lookup(this: unknown, ...args: unknown[]): unknown {
        const callback = args.at(-1)
        const proceed = (): unknown => below.call.apply(this, args)
        if (typeof callback !== 'function' || !isChosen(args)) return proceed()
        const tell = callback as LookupCallback
        return act({
          name: args[0],
          args,
          proceed,
          fail(error) {
            process.nextTick(tell, error)
            return {}
          },
          later(keep) {
            keep(restOf(() => void proceed(), tell))
            return {}
          },
        })
      },
  )
  context.patch(
    target.promises,
    'lookup',
    (below) =>
      function lookup(this: unknown, ...args: unknown[]): unknown {
        const proceed = (): unknown => below.call.apply(this, args)
        if (!isChosen(args)) return proceed()
        return act({
          name: args[0],
          args,
          proceed,
          fail: (error) => Promise.reject(error),
          later: (keep) => new Promise((resolve, reject) => void keep(restOf(() => resolve(proceed()), reject))),
        })
      },
  )
  syncBuiltinESMExports()
}

/** What is left of a lookup. */
function restOf(proceed: () => void, fail: (error: Error) => void): RestOfOperation {
  return {
    fail,
    proceed() {
      try {
        proceed()
      } catch (error) {
        // `lookup` throws what it cannot take where it is called, but by now has returned.
        fail(error as Error)
      }
    },
  }
}
