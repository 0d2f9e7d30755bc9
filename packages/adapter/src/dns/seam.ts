import { injectedBy } from '@chaos/core'
import {
  builtin,
  isExempt,
  markInjected,
  type InjectionContext,
  type RestOfOperation,
  type Seam,
  type SeamOperation,
  type TargetKind,
} from '@chaos/core/authoring'
import importedDns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

const dns = builtin('node:dns', importedDns)
const { isIP } = builtin('node:net', net)

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

/** The libuv request of `dns.lookup`. Node.js turns its status into the error or the addresses for the callback. */
interface LookupRequest {
  callback: LookupCallback
  readonly oncomplete: (status: number) => void
}

/** Returns the native binding of `dns`, which `dns.lookup` calls; `undefined` where it is denied, as under `--permission`. */
function resolverBinding(): object | undefined {
  try {
    return (process as unknown as { readonly binding: (name: string) => object }).binding('cares_wrap')
  } catch {
    return undefined
  }
}

/** Decides whether the fault acts on a lookup. */
type IsChosen = (host: unknown, args: readonly unknown[]) => host is string
/** The fault's action on a chosen lookup. */
type Act = (lookup: SeamOperation) => unknown

/** The lookups of host names. The name of a lookup is its host. Addresses pass. */
export const lookupSeam: Seam<DnsModule, SeamOperation> = (target, context, act) => {
  const isChosen: IsChosen = (host, args): host is string =>
    typeof host === 'string' && host !== '' && isIP(host) === 0 && context.operation(host).shouldInject(args)
  const binding = resolverBinding()
  if (binding === undefined) patchCallbacks(target, context, isChosen, act)
  else patchRequests(binding, context, isChosen, act)
  patchPromises(target, context, isChosen, act)
}

/** Patches lookups with a callback where Node.js calls the system, so that functions captured before the fault are covered. */
function patchRequests(binding: object, context: InjectionContext, isChosen: IsChosen, act: Act): void {
  context.patch(
    binding,
    'getaddrinfo',
    (below) =>
      function getaddrinfo(this: unknown, ...args: [request: LookupRequest, host: unknown, ...unknown[]]): unknown {
        const [request, host] = args
        const proceed = (): unknown => below.call.apply(this, args)
        if (isExempt(request.callback) || !isChosen(host, args)) return proceed()
        const fail = (error: Error): void => {
          const { callback } = request
          const fault = injectedBy(error) ?? ''
          request.callback = (made) => callback(made && markInjected(made, fault))
          request.oncomplete((error as NodeJS.ErrnoException).errno as number)
        }
        return act({
          name: host,
          args,
          proceed,
          fail(error) {
            process.nextTick(fail, error)
            return 0
          },
          later(keep) {
            keep({
              fail,
              proceed() {
                const status = proceed() as number
                if (status !== 0) request.oncomplete(status)
              },
            })
            return 0
          },
        })
      },
  )
}

function patchCallbacks(target: DnsModule, context: InjectionContext, isChosen: IsChosen, act: Act): void {
  // Updates the named ESM imports of the module. The first step is undone last, so this also updates them after the
  // patch is undone.
  context.defer(syncBuiltinESMExports)
  context.patch(
    target,
    'lookup',
    (below) =>
      function lookup(this: unknown, ...args: unknown[]): unknown {
        const [host, callback] = [args[0], args.at(-1)]
        const proceed = (): unknown => below.call.apply(this, args)
        if (typeof callback !== 'function' || isExempt(callback) || !isChosen(host, args)) return proceed()
        const report = callback as LookupCallback
        return act({
          name: host,
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
  syncBuiltinESMExports()
}

/** Patches lookups with a promise at their function, since Node.js captured what lies beneath. */
function patchPromises(target: DnsModule, context: InjectionContext, isChosen: IsChosen, act: Act): void {
  context.defer(syncBuiltinESMExports)
  context.patch(
    target.promises,
    'lookup',
    (below) =>
      function lookup(this: unknown, ...args: unknown[]): unknown {
        const [host] = args
        const proceed = (): unknown => below.call.apply(this, args)
        if (!isChosen(host, args)) return proceed()
        return act({
          name: host,
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
