import { isOver, isScope, WITHIN, type Scope } from '../scopes/scope.js'
import { byPredicate, predicateText, type ScopePredicate } from './scope-predicate.js'

/** Ends a path that names the scopes within a scope, besides the scope itself. */
const AND_WITHIN = ' > *'
/** Ends a name in a path that stands for all scopes of this name, whichever number they have. */
const ANY_NUMBER = ' #*'

/** Returns whether a scope is one that an injection is for. */
export function inScope(wanted: string | Scope | ScopePredicate | undefined): (scope: Scope | undefined) => boolean {
  if (wanted === undefined) return () => true
  if (typeof wanted === 'object' && !isScope(wanted)) return byPredicate(wanted)
  const isNamed = byName(wanted)
  // What goes on after its scope has ended is done on behalf of nobody who asked for a fault.
  return (scope) => isNamed(scope) && (scope === undefined || !isOver(scope))
}

/** What an injection is for, as text: the path or id of a scope, or a predicate. */
export function scopeText(wanted: string | Scope | ScopePredicate | undefined): string | undefined {
  if (typeof wanted !== 'object') return wanted
  return isScope(wanted) ? wanted.path : predicateText(wanted)
}

function byName(wanted: string | Scope): (scope: Scope | undefined) => boolean {
  if (typeof wanted !== 'string') return onBehalfOf(({ id }) => id === wanted.id)
  if (!wanted.endsWith(AND_WITHIN)) {
    const byId = onBehalfOf(({ id }) => id === wanted)
    const isIt = byPath(wanted)
    return (scope) => (scope !== undefined && isIt(scope)) || byId(scope)
  }
  return onBehalfOf(byPath(wanted.slice(0, -AND_WITHIN.length)))
}

function byPath(wanted: string): (scope: Scope) => boolean {
  if (!wanted.includes(ANY_NUMBER)) return ({ path }) => path === wanted
  const names = wanted.split(WITHIN)
  return ({ path }) => {
    const own = path.split(WITHIN)
    return own.length === names.length && names.every((name, at) => isNamed(own[at] ?? '', name))
  }
}

function isNamed(own: string, wanted: string): boolean {
  if (!wanted.endsWith(ANY_NUMBER)) return own === wanted
  const name = wanted.slice(0, -ANY_NUMBER.length)
  return own === name || (own.startsWith(`${name} #`) && /^\d+$/.test(own.slice(name.length + 2)))
}

function onBehalfOf(isIt: (scope: Scope) => boolean): (scope: Scope | undefined) => boolean {
  return (innermost) => {
    for (let scope = innermost; scope !== undefined; scope = scope.parent) if (isIt(scope)) return true
    return false
  }
}
