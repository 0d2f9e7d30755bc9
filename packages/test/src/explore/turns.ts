import { ChaosError, currentScope, type Scope } from '@chaos/core'

let last: Promise<unknown> = Promise.resolve()
const exploring = new WeakSet<Scope>()

/** Marks the scope of a test that is being explored. */
export function markExploring(scope: Scope): void {
  exploring.add(scope)
}

/**
 * Runs one search of this process after the other: unhandled errors belong to the process, so two searches could not tell whose
 * they are.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if called by a test that is being explored: it would wait for itself.
 */
export async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let scope = currentScope(); scope !== undefined; scope = scope.parent)
    if (exploring.has(scope))
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        'A test that is being explored cannot explore. Explore it on its own.',
      )
  const before = last
  const own = before.then(work)
  last = own.catch(() => undefined)
  return own
}
