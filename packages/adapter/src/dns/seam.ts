import type { RestOfOperation, Seam, SeamOperation, TargetKind } from '@chaos/core/authoring'
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { isIP } from 'node:net'

/**
 * The target of lookup faults: the `dns` module of Node.js, with which every client in the process resolves host names.
 */
export interface DnsModule {
  readonly lookup: typeof dns.lookup
  readonly promises: typeof dns.promises
}

/** Returns whether a value is the default export of the `dns` module. A namespace cannot be patched. */
function isDnsModule(value: unknown): value is DnsModule {
  return value === dns
}

/** The kind of target that lookup faults accept. */
export const dnsModule: TargetKind<DnsModule> = {
  expects: 'the `node:dns` module',
  accepts: isDnsModule,
}

type LookupCallback = (error: Error | null, ...found: unknown[]) => void

/** The lookups of host names. The name of a lookup is its host. Addresses pass. */
export const lookupSeam: Seam<DnsModule, SeamOperation> = (target, context, act) => {
  const isChosen = (args: readonly unknown[]): args is [host: string, ...unknown[]] => {
    const [host] = args
    return typeof host === 'string' && host !== '' && isIP(host) === 0 && context.operation(host).shouldInject(args)
  }
  // Updates the named ESM imports of the module. The first step is undone last, so this also updates them after the
  // patch is undone.
  context.defer(syncBuiltinESMExports)
  context.patch(
    target,
    'lookup',
    (below) =>
      function lookup(this: unknown, ...args: unknown[]): unknown {
        const callback = args.at(-1)
        const proceed = (): unknown => below.call.apply(this, args)
        if (typeof callback !== 'function' || !isChosen(args)) return proceed()
        const report = callback as LookupCallback
        return act({
          name: args[0],
          args,
          proceed,
          fail(error) {
            process.nextTick(report, error)
            return {}
          },
          later(keep) {
            keep(restOf(() => void proceed(), report))
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

/** The ways to continue a held lookup. */
function restOf(proceed: () => void, fail: (error: Error) => void): RestOfOperation {
  return {
    fail,
    proceed() {
      try {
        proceed()
      } catch (error) {
        // `lookup` throws invalid arguments to its caller, but has returned by now.
        fail(error as Error)
      }
    },
  }
}
