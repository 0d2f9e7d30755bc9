import type { Scope } from '@chaos/core'
import { messageOf } from '@chaos/core/authoring'
import type { ProcessError } from '../oracles/process-errors.js'
import type { Hit, LateError } from '../search/model.js'

const MAX_REASON = 2_000

/** A run that has ended. */
interface EndedRun {
  readonly hits: readonly Hit[]
  /** Whether it broke: what goes wrong later is then no news. */
  readonly isBroken: boolean
}

const endedRuns = new WeakMap<Scope, EndedRun>()

/** Remembers a run by its scope, so that an error which comes later is known to be its own. */
export function rememberRun(root: Scope, run: EndedRun): void {
  endedRuns.set(root, run)
}

/** Tells the errors of a run from those of runs that had ended. Errors of no scope are taken for its own. */
export function sortErrors(errors: readonly ProcessError[]): {
  readonly own: readonly unknown[]
  readonly late: readonly LateError[]
} {
  const own: unknown[] = []
  const late: LateError[] = []
  for (const { error, scope } of errors) {
    const ended = endedRunOf(scope)
    if (ended === undefined) own.push(error)
    else if (!ended.isBroken)
      late.push({ hits: ended.hits, reason: messageOf(error, { max: MAX_REASON, lines: true }) })
  }
  return { own, late }
}

function endedRunOf(scope: Scope | undefined): EndedRun | undefined {
  let outermost = scope
  while (outermost?.parent !== undefined) outermost = outermost.parent
  return outermost && endedRuns.get(outermost)
}
