import type { Plan } from '../../plan/plan.js'
import { isOver, takeAcks, waitingFor, type InstanceOutcome } from '../../controller/outcomes.js'
import type { Ack, ControllerTransport } from '../../transports/transport.js'
import { plansOf } from '../views/plans-of-runs.js'
import type { Window } from '../views/window.js'

/** A run as somebody sees it who has not started it. */
export interface WatchedRun {
  readonly id: string
  readonly plan: Plan
  /** `halted`: somebody has called a halt since. `over`: it is closed, or its lease has ended. */
  readonly phase: 'prepare' | 'active' | 'halted' | 'over'
  /** The rest of the lease by the clock of the engine, in ms. No instance keeps the fault for longer, unless it is renewed. */
  readonly leaseLeftMs: number
  readonly instances: readonly InstanceOutcome[]
}

/** What somebody sees of a fleet at one time. */
export interface FleetView {
  /** By the clock of whoever watches, in ms since the epoch. */
  readonly at: number
  readonly window: Window
  /** Those that live, newest first, and then those that were seen to end. */
  readonly runs: readonly WatchedRun[]
}

/** The most runs that are still shown after their end. */
const MAX_OVER = 10

/** Looks at a fleet, and remembers what ended since. */
export function fleetWatcher(
  transport: Pick<ControllerTransport, 'runs' | 'acks' | 'status'>,
  now: () => number,
): () => Promise<FleetView> {
  let known: readonly WatchedRun[] = []
  return async () => {
    const [listed, window] = await Promise.all([transport.runs(), transport.status()])
    const live = plansOf(listed).flatMap(({ plan, id, phase, epoch, remainingMs }) =>
      plan === undefined
        ? []
        : [
            {
              id,
              plan,
              phase: epoch === window.epoch ? phase : ('halted' as const),
              leaseLeftMs: Math.max(0, remainingMs),
            },
          ],
    )
    const over = known
      .filter(({ id }) => !live.some((one) => one.id === id))
      .slice(0, MAX_OVER)
      .map((run) => ({ ...run, phase: 'over' as const, leaseLeftMs: 0 }))
    const at = now()
    const runs = await Promise.all(
      [...live, ...over].map(async (run): Promise<WatchedRun> => {
        const before = known.find(({ id }) => id === run.id)
        // An instance that has ended says nothing new.
        if (before?.instances.every(isOver) === true) return { ...run, instances: before.instances }
        return { ...run, instances: outcomesOf(run.plan, before, await transport.acks(run.id), at) }
      }),
    )
    known = runs
    return { at, window, runs }
  }
}

function outcomesOf(
  { instances }: Plan,
  before: WatchedRun | undefined,
  acks: ReadonlyMap<string, Ack>,
  at: number,
): readonly InstanceOutcome[] {
  const outcomes = waitingFor(instances)
  for (const one of before?.instances ?? []) outcomes.set(one.id, one)
  // A watcher dates no landing, so it need not know since when the run is active.
  takeAcks(outcomes, acks, at, undefined)
  return [...outcomes.values()]
}
