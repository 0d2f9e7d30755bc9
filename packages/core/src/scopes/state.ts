import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import { processState } from '../process/process-state.js'
import type { Scope } from './scope.js'

/** Opens scopes for what reaches this process, such as requests. */
export interface ScopeOpener {
  /** Whether it is in force. */
  readonly isOpen: () => boolean
  /** Puts it in force again, if it is not. Never throws. */
  readonly open: () => void
}

/** What all copies of core share about scopes: plain data. */
export interface ScopeState {
  /** How many need scopes at present. */
  needs: number
  /** Carries the current scope. It exists only while somebody needs scopes: on Node.js before 24 it makes each await slower. */
  storage: AsyncLocalStorage<Scope | undefined> | undefined
  /** Stands for the parent of scopes that have none. Made anew when nobody needs scopes, so that their numbers begin at 1 again. */
  roots: object
  /** The number of the last scope of each name, within one parent. */
  readonly numbers: WeakMap<object, Map<string, number>>
  /** The scopes that were named outside of this thread, by id. */
  readonly sent: Map<string, Scope>
  /** What opens scopes whenever somebody needs them, also after `stopAll` has ended it. */
  readonly openers: Set<ScopeOpener>
  /** Whether a scope has been entered since somebody needs scopes. */
  entered: boolean
  /** The key for such members of a process that is given none. */
  readonly key: string
}

/** Returns the state of the process. It is made by the first who needs scopes, or mints one. */
export function scopeState(): ScopeState | undefined {
  return processState().scopes as ScopeState | undefined
}

/** Returns the state of the process, which then exists. It carries nothing by itself. */
export function madeScopeState(): ScopeState {
  return (processState().scopes ??= {
    needs: 0,
    storage: undefined,
    roots: {},
    numbers: new WeakMap(),
    sent: new Map(),
    openers: new Set(),
    entered: false,
    key: randomBytes(32).toString('base64url'),
  } satisfies ScopeState) as ScopeState
}

/** The most scopes that can be found by their id. The oldest is forgotten first: work on its behalf then has a scope of the same id. */
const MAX_SENT = 10_000

/** Lets a scope be found by its id, when what it was sent with comes back. */
export function rememberScope(scope: Scope): Scope {
  const sent = scopeState()?.sent
  if (sent === undefined || sent.get(scope.id) === scope) return scope
  const oldest = sent.size < MAX_SENT || sent.has(scope.id) ? undefined : sent.keys().next().value
  if (oldest !== undefined) sent.delete(oldest)
  sent.set(scope.id, scope)
  return scope
}

/** Whether scopes are carried at present. While they are not, opening one is of no use. */
export function areScopesNeeded(): boolean {
  return scopeState()?.storage !== undefined
}

/** Whether some part of this process opens scopes, or has entered one since somebody needs them. */
export function areScopesOpened(): boolean {
  const state = scopeState()
  return state !== undefined && (state.entered || [...state.openers].some((opener) => opener.isOpen()))
}

/**
 * A storage that follows promises from now on. Otherwise it does so when it is entered for the first time. What goes on then, before
 * Node.js 24, behind promises that were made before is all one: what one of them enters, the others are in as well.
 */
function followed(): AsyncLocalStorage<Scope | undefined> {
  const storage = new AsyncLocalStorage<Scope | undefined>()
  storage.enterWith(undefined)
  return storage
}

/**
 * Has scopes carried through promises, timers, streams and events, until the returned function is called. Nobody needs scopes:
 * nothing is carried, and an await costs what it costs without chaos.
 */
export function needScopes(): () => void {
  const state = madeScopeState()
  state.needs += 1
  state.storage ??= followed()
  for (const opener of state.openers) opener.open()
  let isNeeded = true
  return () => {
    if (!isNeeded) return
    isNeeded = false
    state.needs -= 1
    if (state.needs > 0) return
    // Without this, promises are followed for as long as the process lives, on Node.js before 24.
    state.storage?.disable()
    state.storage = undefined
    state.roots = {}
    state.entered = false
    state.sent.clear()
  }
}
