import type { InstanceOutcome } from '../../controller/outcomes.js'
import type { FleetView, WatchedRun } from './fleet-view.js'

/** What has changed between two looks at a fleet. */
export type FleetChange =
  | { readonly type: 'window'; readonly at: number; readonly isPermitted: boolean; readonly halt: string | undefined }
  | {
      readonly type: 'run'
      readonly at: number
      readonly run: string
      readonly phase: WatchedRun['phase']
      readonly target: string
      readonly fault: string
      readonly by: string
      readonly instances: number
    }
  | ({ readonly type: 'instance'; readonly at: number; readonly run: string } & Pick<
      InstanceOutcome,
      'id' | 'status' | 'why' | 'hits'
    >)

/** Lists what has changed; without a view of before, all that there is. Hits alone are no news: a table shows them. */
export function changesBetween(before: FleetView | undefined, now: FleetView): readonly FleetChange[] {
  const { at, window } = now
  const { isPermitted, halt } = window
  const isSame = before?.window.isPermitted === isPermitted && before.window.halt === halt
  return [
    ...(isSame ? [] : [{ type: 'window', at, isPermitted, halt } as const]),
    // The oldest first, as they happened.
    ...[...now.runs].reverse().flatMap((run) =>
      runChanges(
        before?.runs.find(({ id }) => id === run.id),
        run,
        at,
      ),
    ),
  ]
}

function runChanges(before: WatchedRun | undefined, run: WatchedRun, at: number): readonly FleetChange[] {
  const { id, plan, phase, instances } = run
  const { target, fault, by } = plan
  const known = new Map(before?.instances.map((one) => [one.id, one.status]))
  return [
    ...(before?.phase === phase
      ? []
      : [{ type: 'run', at, run: id, phase, target, fault, by, instances: instances.length } as const]),
    ...instances
      .filter((one) => one.status !== (known.get(one.id) ?? 'waiting'))
      .map(
        (one) =>
          ({ type: 'instance', at, run: id, id: one.id, status: one.status, why: one.why, hits: one.hits }) as const,
      ),
  ]
}
