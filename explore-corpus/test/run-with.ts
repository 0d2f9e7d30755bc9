import type { Injection } from '@chaos/core'
import { openScope, runInScope } from '@chaos/core/authoring'
import type { KnownHit, RunningApp } from '../src/shared/corpus-app.js'
import { planned } from './planned.js'

/** How a run under planned hits ended. */
export interface RunByHand {
  /** Whether each hit has affected its call. */
  readonly hasLanded: readonly boolean[]
  /** The error of the body. `undefined`: all that must be true was. */
  readonly brokenBy: unknown
}

/** Runs the body of an app under hits, without a search. */
export async function runWith(app: RunningApp, hits: readonly KnownHit[]): Promise<RunByHand> {
  app.reset()
  const root = openScope('corpus', { parent: undefined, numbered: false })
  let injections: readonly Injection[] = []
  try {
    injections = await planned(app, hits, root)
    const brokenBy = await runInScope(root, app.body).then(
      () => undefined,
      (error: unknown) => error,
    )
    return { hasLanded: injections.map(({ affected }) => affected > 0), brokenBy }
  } finally {
    for (const injection of [...injections].reverse()) await injection.rollback()
    app.close?.()
  }
}
