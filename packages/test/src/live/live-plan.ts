import { isChaosError, type Clock, type InjectionState, type PortableInjectOptions } from '@chaos/core'
import { ReachedPoints } from '../explore/points.js'
import type { Hit, Reached } from '../search/model.js'
import type { LiveConnection } from './live-app.js'
import type { LiveKind } from './live-kinds.js'

/** The blast radius of one planned hit, as options of `inject`. */
export function placeOf({ point, times }: Hit): PortableInjectOptions & { readonly scope?: string } {
  return {
    only: point.operation,
    ...(point.scope !== '' && { scope: point.scope }),
    ...(point.call > 1 && { skip: point.call - 1 }),
    ...(times === undefined && { limit: 1 }),
  }
}

const BUSY_MS = 100
const MAX_ATTEMPTS = 100

/** Injects a fault that ends with the connection, at the latest with its lease. Waits where the endpoint takes no more requests. */
export async function injectLive(
  connection: LiveConnection,
  { target, fault, options }: LiveKind,
  how: PortableInjectOptions,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<InjectionState> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted()
    try {
      return await connection.inject(target, fault, options, { ...how, hold: 'connection' })
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !isChaosError(error, 'CHAOS_TOO_MANY_REQUESTS')) throw error
      await new Promise<void>((resolve) => void clock.after(BUSY_MS, resolve))
    }
  }
}

/** An injection of a kind without effect, which counts calls. */
export interface Watch {
  readonly kind: LiveKind
  readonly state: InjectionState
}

/** The points that watches have seen: each call of each operation in each scope. */
export function pointsOf(watches: readonly Watch[]): { readonly reached: readonly Reached[]; readonly isCut: boolean } {
  const points = new ReachedPoints()
  let hasUnlisted = false
  for (const { kind, calls, unlisted } of watches.map(countsOf)) {
    hasUnlisted ||= unlisted > 0
    for (const { scope, operation, seen } of calls)
      for (let call = 1; call <= seen && !points.isCut; call += 1)
        points.add({ scope, target: kind.target, operation, call }, [kind])
  }
  return { reached: points.list, isCut: points.isCut || hasUnlisted }
}

/** How many calls of each operation went through to the targets. */
export function passedOf(watches: readonly Watch[]): readonly string[] {
  return watches
    .map(countsOf)
    .flatMap(({ kind, calls }) =>
      calls.map(({ scope, operation, seen }) => JSON.stringify([kind.target, kind.name, scope, operation, seen])),
    )
}

/**
 * An injection can be limited to a scope, and not to what is in no scope. So an operation that is called outside of scopes as well
 * is one chain of calls, whatever their scopes.
 */
function countsOf({ kind, state: { observed } }: Watch) {
  const all = observed?.calls ?? []
  const outside = new Set(all.flatMap(({ scope, operation }) => (scope === undefined ? [operation] : [])))
  const counts = new Map<string, { scope: string; operation: string; seen: number }>()
  for (const { scope: path = '', operation, seen } of all) {
    const scope = outside.has(operation) ? '' : path
    const known = counts.get(JSON.stringify([scope, operation]))
    if (known === undefined) counts.set(JSON.stringify([scope, operation]), { scope, operation, seen })
    else known.seen += seen
  }
  return { kind, calls: [...counts.values()], unlisted: observed?.unlisted ?? 0 }
}
