import { inject, type Injection, type Scope } from '@chaos/core'
import type { KnownHit, RunningApp } from '../src/shared/corpus-app.js'

/**
 * Puts hits in force, one injection for each, as a regression test does.
 *
 * @param root The scope of the run.
 * @throws Error if the app has no such fault.
 */
export async function planned(app: RunningApp, hits: readonly KnownHit[], root: Scope): Promise<readonly Injection[]> {
  const injections: Injection[] = []
  // The injection made last sees a call first: a hit must not hide a call from the hits behind it.
  for (const { scope, target, operation, call, times, fault } of [...hits].sort((a, b) => a.call - b.call)) {
    const found = app.faults[target]?.find(({ name }) => name === fault)
    const object = app.targets[target]
    if (found === undefined || object === undefined) throw new Error(`The app has no ${fault} for ${target}.`)
    injections.push(
      await inject(found, object, {
        scope: scope === undefined ? root.path : `${root.path} > ${scope}`,
        only: operation,
        skip: call - 1,
        ...(times === undefined ? { limit: 1 } : {}),
        clock: app.clock,
      }),
    )
  }
  return injections
}
