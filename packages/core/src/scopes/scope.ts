import { randomBytes } from 'node:crypto'
import { systemClock } from '../basics/clock.js'
import { ChaosError } from '../basics/errors.js'
import { printable } from '../basics/text.js'
import { attributesWithin, boundedAttribute, type ScopeAttributes } from './attributes.js'
import { areScopesNeeded, scopeState } from './state.js'

/**
 * On whose behalf work is done: a test, an incoming request, a delivered event, a job. Scopes nest. The path of a scope, with the
 * target, the operation and the number of the call within the scope, names a call so that the next run finds it again.
 */
export interface Scope {
  /** Unique across processes. */
  readonly id: string
  /** The given name. From the second scope of a name within one parent on, its number follows: `GET /orders #2`. */
  readonly name: string
  /** The names of the scopes around this one and its own, outermost first: `an order is charged once > POST /orders`. */
  readonly path: string
  readonly parent: Scope | undefined
  /** The method and path of the request that it is of, without the query: `GET /items/7`. Absent: it is of no request. */
  readonly route?: string
  /** Who the sender of the request is, for predicates. A scope within another has those of that, unless it has its own. */
  readonly attributes?: ScopeAttributes
  /** When a scope ends that was minted, and each scope within it, in ms since the epoch. Absent: it ends with its work. */
  readonly expiresAt?: number
}

/** How to open a scope. */
export interface ScopeOptions {
  /**
   * The scope around it. Default: the current one. `undefined`: none; such scopes are numbered together, from the time on since
   * which scopes have been carried.
   */
  readonly parent?: Scope | undefined
  /** The id, if another process has given one. Default: a new one. */
  readonly id?: string
  /** Whether a later scope of the same name gets a number. Default `true`. `false` for what is run again and again under one name. */
  readonly numbered?: boolean
  /** See {@link Scope.route}. */
  readonly route?: string | undefined
  /** See {@link Scope.attributes}. Values that are longer than 1,024 characters are ignored. */
  readonly attributes?: ScopeAttributes | undefined
  /** When the scope ends, in ms since the epoch. A scope within another ends with that at the latest. Default: with its work. */
  readonly expiresAt?: number | undefined
}

/** Separates the names in a path. */
export const WITHIN = ' > '
/** What in a name could be taken for that, also with the names around it. */
const SEPARATES = / >(?= |$)/g
/** A name may be longer by its number. */
const MAX_GIVEN_NAME = 200
export const MAX_NAME = 250
/** The most names within one parent that are numbered by themselves. */
const MAX_NAMES = 10_000
/** Stands for all further names, which are numbered together. */
const FURTHER = '\0'
/** Bounds the path of a service that calls itself. A scope that would be deeper is its parent. */
export const MAX_DEPTH = 50

/** Makes a scope. {@link runInScope} and {@link enterScope} enter it. */
export function openScope(name: string, options: ScopeOptions = {}): Scope {
  const parent = 'parent' in options ? options.parent : currentScope()
  if (parent !== undefined && depthOf(parent) >= MAX_DEPTH) return parent
  const given = printable(name, { max: MAX_GIVEN_NAME }).replaceAll(SEPARATES, '')
  const own = options.numbered === false ? given : numberedName(given, parent)
  const path = parent === undefined ? own : parent.path + WITHIN + own
  const route = boundedAttribute(options.route)
  const attributes = attributesWithin(parent?.attributes, options.attributes)
  const expiresAt = earlier(parent?.expiresAt, options.expiresAt)
  return {
    id: options.id ?? randomBytes(9).toString('base64url'),
    name: own,
    path,
    parent,
    ...(route !== undefined && { route }),
    ...(attributes !== undefined && { attributes }),
    ...(expiresAt !== undefined && { expiresAt }),
  }
}

const earlier = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b)

/** Whether a scope has ended that was minted for a time. */
export function isOver({ expiresAt }: Pick<Scope, 'expiresAt'>, now?: number): boolean {
  return expiresAt !== undefined && (now ?? systemClock.now()) >= expiresAt
}

/** The number of scopes from the outermost to this one. Counted anew each time: another copy of core may have made some of them. */
function depthOf(innermost: Scope): number {
  let depth = 0
  for (let scope: Scope | undefined = innermost; scope !== undefined; scope = scope.parent) depth += 1
  return depth
}

/**
 * Runs work in a scope, nested in the current one: a fault that is injected with this `scope` affects only what is done on behalf of
 * the work. The scope is carried through promises, timers, streams and events while a fault, a test or a search needs it.
 *
 * @returns What the work returns.
 */
export function withScope<Result>(name: string, work: (scope: Scope) => Result): Result {
  const scope = openScope(name)
  if (!areScopesNeeded()) uncarried.add(scope)
  return runInScope(scope, work)
}

/** Returns whether a value is a scope. Everything else that names scopes is text or a predicate. */
export function isScope(value: unknown): value is Scope {
  return typeof value === 'object' && value !== null && 'id' in value && 'path' in value
}

/** The scopes whose work was begun while nobody needed scopes. */
const uncarried = new WeakSet()

/** @throws ChaosError `CHAOS_INVALID_OPTION` for a scope whose work was begun while nobody needed scopes: no call is made in it. */
export function assertCarried(scope: unknown): void {
  if (!isScope(scope) || !uncarried.has(scope)) return
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `The scope "${printable(scope.path)}" was begun before anybody needed scopes, so no call is made in it. ` +
      'Inject the fault before the scope begins, for its path.',
  )
}

/** Runs work in a scope. While nobody needs scopes, it only runs the work. */
export function runInScope<Result>(scope: Scope, work: (scope: Scope) => Result): Result {
  const state = scopeState()
  if (state?.storage === undefined) return work(scope)
  state.entered = true
  return state.storage.run(scope, work, scope)
}

/** Enters a scope for the rest of the current call and for what it causes. For listeners of a library that calls no function of ours. */
export function enterScope(scope: Scope): void {
  const state = scopeState()
  if (state?.storage === undefined) return
  state.entered = true
  state.storage.enterWith(scope)
}

/** The scope on whose behalf the current call is done. `undefined`: none, or nobody needs scopes. */
export function currentScope(): Scope | undefined {
  return scopeState()?.storage?.getStore()
}

function numberedName(name: string, parent: Scope | undefined): string {
  const state = scopeState()
  if (state?.storage === undefined) return name
  const within = parent ?? state.roots
  let numbers = state.numbers.get(within)
  if (numbers === undefined) state.numbers.set(within, (numbers = new Map<string, number>()))
  const key = numbers.has(name) || numbers.size < MAX_NAMES ? name : FURTHER
  const number = (numbers.get(key) ?? 0) + 1
  numbers.set(key, number)
  return number === 1 && key !== FURTHER ? name : `${name} #${number}`
}
