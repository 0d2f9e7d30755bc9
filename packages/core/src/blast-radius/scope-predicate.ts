import { printable } from '../basics/text.js'
import { option } from '../fault/option.js'
import type { Scope } from '../scopes/scope.js'
import { globMatcher } from './glob.js'
import { rolls } from './random.js'

/**
 * Chooses requests, and what is done on their behalf. All fields that are given must match.
 *
 * `httpScopes` of `@chaos/adapter` gives requests their route and, with its option `identify`, the rest. A predicate sees what
 * this process knows: attributes are in no header, so another process that works for the request chooses by its own routes only.
 */
export interface ScopePredicate {
  /** Method and path of a request, without the query: `GET /items/7`, or globs such as `GET /items/*`. */
  readonly route?: string | readonly string[] | undefined
  /** Users, or globs. */
  readonly user?: string | readonly string[] | undefined
  /** Tenants, or globs. */
  readonly tenant?: string | readonly string[] | undefined
  /**
   * The share of the sessions, 0 to 1. The same session is always in or always out, in each process and after each start, and a
   * larger share has all sessions of a smaller one. A request without a session is out.
   */
  readonly sessions?: number | undefined
  /** Chooses which sessions: another seed, others. Default: none, so that faults of one share hit the same sessions. */
  readonly seed?: string | number | undefined
}

const MAX_SEED = 200
const SEED = `a string of at most ${MAX_SEED} characters or a whole number`

const seed = option.either(
  option.text('Chooses which sessions.', MAX_SEED),
  option.integer('Chooses which sessions.'),
  SEED,
)

/** The option that takes a {@link ScopePredicate}. */
export const scopePredicate = option.settings<ScopePredicate>(
  {
    route: option.optional(option.names('Method and path of requests: GET /items/*.')),
    user: option.optional(option.names('Users: names or globs.')),
    tenant: option.optional(option.names('Tenants: names or globs.')),
    sessions: option.optional(option.rate('Share of the sessions, 0 to 1.')),
    seed: option.optional(seed),
  },
  'Requests on whose behalf a call must be made.',
  ({ seed: given, ...conditions }) => {
    if (Object.values(conditions).every((condition) => condition === undefined))
      return 'at least one of route, user, tenant and sessions'
    return given !== undefined && conditions.sessions === undefined ? 'without `seed`, or with `sessions`' : undefined
  },
)

/** Returns whether a scope is one that a predicate chooses. Each scope is matched once: what a predicate sees of it never changes. */
export function byPredicate(predicate: ScopePredicate): (scope: Scope | undefined) => boolean {
  const isChosen = matcher(predicate)
  const known = new WeakMap<Scope, boolean>()
  return (scope) => {
    if (scope === undefined) return false
    let verdict = known.get(scope)
    if (verdict === undefined) known.set(scope, (verdict = isChosen(scope)))
    return verdict
  }
}

function matcher({ route, user, tenant, sessions, seed: given = '' }: ScopePredicate): (scope: Scope) => boolean {
  const isRoute = matching(route)
  const isUser = matching(user)
  const isTenant = matching(tenant)
  const isSession = (session: string | undefined): boolean =>
    sessions === undefined || (session !== undefined && rolls(String(given), 'sessions', session)(1) < sessions)
  return (scope) => {
    const { attributes = {} } = scope
    return (
      isUser(attributes.user) &&
      isTenant(attributes.tenant) &&
      isSession(attributes.session) &&
      (route === undefined || hasRoute(scope, isRoute))
    )
  }
}

/** Whether a scope is that of a request with a matching route, or within one. */
function hasRoute(innermost: Scope, isRoute: (route: string | undefined) => boolean): boolean {
  for (let scope: Scope | undefined = innermost; scope !== undefined; scope = scope.parent)
    if (isRoute(scope.route)) return true
  return false
}

function matching(names: string | readonly string[] | undefined): (value: string | undefined) => boolean {
  if (names === undefined) return () => true
  const matches = globMatcher([names].flat())
  return (value) => value !== undefined && matches(value)
}

/** The most characters of a predicate as text. */
const MAX_TEXT = 1_000

/** A predicate as text, for people: `{ route: GET /items/*, sessions: 0.1 }`. */
export function predicateText(predicate: ScopePredicate): string {
  const said = Object.entries(predicate).flatMap(
    ([name, value]: readonly [string, string | number | readonly string[] | undefined]) =>
      value === undefined ? [] : [`${name}: ${[value].flat().join(' or ')}`],
  )
  return printable(`{ ${said.join(', ')} }`, { max: MAX_TEXT })
}
