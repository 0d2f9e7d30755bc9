import { currentScope, type Scope } from '@chaos/core'
import { enterScope, needScopes, openScope, runInScope } from '@chaos/core/authoring'

/** The scope of a running test. */
export interface TestScope {
  readonly scope: Scope
  /** Tells the test apart from all others that run: its path, numbered where several tests of a path run at a time. */
  readonly key: string
  /** Has scopes carried until the test ends. */
  readonly carry: () => void
  /** Has the rest of the current call run in the scope of the test, if scopes are carried for the test. */
  readonly enter: () => void
  /** Runs work in the scope of the test, if scopes are carried for it. */
  readonly run: <Result>(work: () => Result) => Result
  readonly leave: () => void
}

/** The paths of the tests that run at present. Tests that are made in a loop may share their names. */
const running = new Map<string, Set<number>>()

/**
 * Opens the scope of a test.
 *
 * @param names The names of the suites around the test and its own, outermost first.
 */
export function openTestScope(names: readonly string[]): TestScope {
  const [first = 'test', ...inner] = names
  const scope = inner.reduce(
    (parent, name) => openScope(name, { parent, numbered: false }),
    openScope(first, { parent: undefined, numbered: false }),
  )
  const { key, release } = take(scope.path)
  let leaveScopes: (() => void) | undefined
  let isOver = false
  const enter = (): void => {
    if (leaveScopes !== undefined && !isWithin(scope)) enterScope(scope)
  }
  return {
    scope,
    key,
    enter,
    carry() {
      if (isOver) return
      leaveScopes ??= needScopes()
    },
    run: (work) => (leaveScopes === undefined || isWithin(scope) ? work() : runInScope(scope, work)),
    leave() {
      isOver = true
      leaveScopes?.()
      leaveScopes = undefined
      release()
    },
  }
}

function isWithin({ id }: Scope): boolean {
  for (let at = currentScope(); at !== undefined; at = at.parent) if (at.id === id) return true
  return false
}

/** Takes the lowest number that no running test of this path has. */
function take(path: string): { readonly key: string; readonly release: () => void } {
  const numbers = running.get(path) ?? new Set()
  running.set(path, numbers)
  let number = 1
  while (numbers.has(number)) number += 1
  numbers.add(number)
  return {
    key: number === 1 ? path : `${path} #${number}`,
    release() {
      numbers.delete(number)
      if (numbers.size === 0 && running.get(path) === numbers) running.delete(path)
    },
  }
}
