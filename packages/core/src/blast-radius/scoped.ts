import type { Chance, Operation } from '../fault/fault.js'
import { currentScope, type Scope } from '../scopes/scope.js'
import { byName } from './by-name.js'
import { inScope } from './in-scope.js'
import type { ScopePredicate } from './scope-predicate.js'

/** A call that an injection has seen. */
export interface SeenCall {
  readonly operation: string | symbol
  /** The scope in which the call is made. `undefined`: in none. */
  readonly scope: Scope | undefined
  /** The number of the call among those of its operation that this injection has seen in this scope, from 1. */
  readonly call: number
  /** The arguments of the call. Not a copy. */
  readonly args: ArrayLike<unknown>
}

/** A call that is within `only` but outside of the scope of an injection. */
export type OutsideCall = Omit<SeenCall, 'call'>

/** Limits decisions to a scope, and tells of the calls that it sees. */
export interface ScopeSource {
  /** See `BlastRadius.scope`. */
  readonly scope?: string | Scope | ScopePredicate
  /** Called for each call that passed `only` and `scope`, before it is decided. */
  readonly onSeen?: (call: SeenCall) => void
  /** Called for each call that the fault affects, before it acts. */
  readonly onAffected?: (call: SeenCall) => void
  /** Called for the first call that passed `only` but not `scope`. */
  readonly onOutside?: (call: OutsideCall) => void
  /** Called when an observer throws for the first time. */
  readonly onObserverFailed: (error: unknown) => void
}

/** The decision makers of one injection. */
export interface Decisions {
  readonly operation: (name: string | symbol) => Operation
  /** Ends the decisions: no call is affected or counted any more. */
  readonly end: () => void
}

/** What stands for no scope, as a key. */
const NONE = {}

/**
 * Wraps the decision maker of each operation, so that it decides on calls in the scope alone.
 *
 * It asks for the scope at each call, as the same function is called on behalf of many. Injections without a scope and without an
 * observer do not come here, and cost nothing more.
 */
export function scoped({ operation, end }: Decisions, source: ScopeSource): Decisions {
  const covers = inScope(source.scope)
  const countsIn = new WeakMap<object, (name: string | symbol) => { calls: number }>()
  const countOf = (scope: Scope | undefined, name: string | symbol): { calls: number } => {
    const key = scope ?? NONE
    let counts = countsIn.get(key)
    if (counts === undefined) countsIn.set(key, (counts = byName(() => ({ calls: 0 }))))
    return counts(name)
  }
  let ended = false
  let failed = false
  const tell = <Call>(listener: ((call: Call) => void) | undefined, call: Call): void => {
    try {
      listener?.(call)
    } catch (error) {
      if (failed) return
      failed = true
      source.onObserverFailed(error)
    }
  }
  let { onOutside } = source
  const isWithin = (
    inner: Operation,
    name: string | symbol,
    args: ArrayLike<unknown> | undefined,
    scope: Scope | undefined,
  ): boolean => {
    const isCovered = covers(scope)
    if ((!isCovered && onOutside === undefined) || !inner.covers(args)) return false
    if (isCovered) return true
    const listener = onOutside
    onOutside = undefined
    tell(listener, { operation: name, scope, args: args ?? [] })
    return false
  }
  const see = (inner: Operation, name: string | symbol, args: ArrayLike<unknown>): SeenCall | undefined => {
    const scope = currentScope()
    if (ended || !isWithin(inner, name, args, scope)) return undefined
    const count = countOf(scope, name)
    count.calls += 1
    const call = { operation: name, scope, call: count.calls, args }
    tell(source.onSeen, call)
    return call
  }
  const wrap = (name: string | symbol, inner: Operation): Operation => ({
    readsArguments: true,
    isElsewhere() {
      const scope = currentScope()
      return !covers(scope) && !isWithin(inner, name, undefined, scope)
    },
    covers: (args) => (args === undefined ? inner.covers() : isWithin(inner, name, args, currentScope())),
    shouldInject(args) {
      const call = see(inner, name, args)
      if (call === undefined || !inner.shouldInject(args)) return false
      tell(source.onAffected, call)
      return true
    },
    chance(args) {
      const call = see(inner, name, args)
      const chance = call && inner.chance(args)
      if (call === undefined || chance === undefined) return undefined
      let isTold = false
      const told: Chance = () => {
        const isHit = chance()
        if (isHit && !isTold) tell(source.onAffected, call)
        isTold ||= isHit
        return isHit
      }
      return told
    },
  })
  // Operations are resolved for each event: one object for each that is made within.
  const wrapped = new WeakMap<Operation, Operation>()
  return {
    operation(name) {
      const inner = operation(name)
      let made = wrapped.get(inner)
      if (made === undefined) wrapped.set(inner, (made = wrap(name, inner)))
      return made
    },
    end() {
      ended = true
      onOutside = undefined
      end()
    },
  }
}
