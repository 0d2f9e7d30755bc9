import { attributesWithin, boundedAttribute } from './attributes.js'
import { MAX_DEPTH, MAX_NAME, WITHIN, type Scope } from './scope.js'
import { rememberScope, scopeState } from './state.js'

/** What a scope has besides its name. */
type Details = Pick<Scope, 'route' | 'attributes' | 'expiresAt'>

/**
 * A scope as data, for another thread of this process: the id and name of each scope around it and its own, outermost first, and
 * what it has besides.
 */
export type ScopeChain = readonly (readonly [id: string, name: string, details?: Details])[]

const ID = /^[\w-]{1,64}$/

/** Returns a scope as data. */
export function chainOfScope(innermost: Scope): ScopeChain {
  rememberScope(innermost)
  const chain: ScopeChain[number][] = []
  for (let scope: Scope | undefined = innermost; scope !== undefined; scope = scope.parent) {
    const { id, name, parent: _parent, path: _path, ...details } = scope
    chain.unshift(Object.keys(details).length === 0 ? [id, name] : [id, name, details])
  }
  return chain
}

/**
 * Finds a scope again, or makes it from its data.
 *
 * @param data What {@link chainOfScope} has returned, also in another thread. Anything else has no scope.
 */
export function scopeOfChain(data: unknown): Scope | undefined {
  if (!Array.isArray(data) || data.length > MAX_DEPTH) return undefined
  let scope: Scope | undefined
  for (const entry of data as readonly unknown[]) {
    if (!Array.isArray(entry)) return undefined
    const [id, name, details] = entry as readonly unknown[]
    if (typeof id !== 'string' || !ID.test(id) || typeof name !== 'string' || name.length > MAX_NAME) return undefined
    const path: string = scope === undefined ? name : scope.path + WITHIN + name
    const given = detailsOf(details)
    const known = scopeState()?.sent.get(id)
    // One id may be minted twice, for different times.
    scope =
      known !== undefined && known.expiresAt === given.expiresAt
        ? known
        : rememberScope({ id, name, path, parent: scope, ...given })
  }
  return scope
}

/** Reads the details of a scope. What is not valid is left out. */
function detailsOf(data: unknown): Details {
  if (typeof data !== 'object' || data === null) return {}
  const { route: givenRoute, attributes: given, expiresAt } = data as Readonly<Record<string, unknown>>
  const route = boundedAttribute(givenRoute)
  const attributes = typeof given === 'object' && given !== null ? attributesWithin(undefined, given) : undefined
  return {
    ...(route !== undefined && { route }),
    ...(attributes !== undefined && { attributes }),
    ...(typeof expiresAt === 'number' && { expiresAt }),
  }
}
