import type { InjectionInstance, InjectionInstances } from '@chaos/core'
import { endedByItself, isOver, type InstanceOutcome } from './outcomes.js'
import type { RunState } from './run-state.js'

/** The most instances that a state tells about one by one. */
const MAX_LISTED = 1_000

/**
 * Tells what each instance of a run did. The counts are those of all; of a large run, the list has first those that need a look:
 * the ones that refused, were cut short or went away.
 */
export function instancesOf(run: Pick<RunState, 'status' | 'activeAt' | 'instances'>): InjectionInstances {
  const counts = new Map<string, number>()
  const told = run.instances.map((outcome) => {
    const one = tellOf(outcome, run)
    counts.set(one.status, (counts.get(one.status) ?? 0) + 1)
    return { one, isPlain: outcome.status === 'applied' ? one.status === 'applied' : endedByItself(outcome) }
  })
  const ordered =
    told.length <= MAX_LISTED
      ? told
      : [...told.filter(({ isPlain }) => !isPlain), ...told.filter(({ isPlain }) => isPlain)]
  return { counts: Object.fromEntries(counts), list: ordered.slice(0, MAX_LISTED).map(({ one }) => one) }
}

type Phases = Pick<RunState, 'status' | 'activeAt'>

function tellOf(outcome: InstanceOutcome, run: Phases): InjectionInstance {
  const { id, service, labels, hits, evidence, appliedSeenAt, endedSeenAt } = outcome
  return {
    id,
    service,
    labels,
    ...lastWordOf(outcome, run),
    hits,
    appliedAt: appliedSeenAt,
    endedAt: endedSeenAt,
    evidence,
  }
}

/** What an instance said last, or what became of one that says nothing any more. */
export function lastWordOf(
  outcome: Pick<InstanceOutcome, 'status' | 'why' | 'isGone'>,
  run: Phases,
): Pick<InjectionInstance, 'status' | 'why'> {
  const { status, why, isGone } = outcome
  if (isOver(outcome)) return { status, why }
  if (isGone) return { status: 'gone', why: 'it left the fleet without a word: its process has ended, or is cut off' }
  if (run.status !== 'ended') return { status, why }
  if (status === 'waiting') return { status, why: 'it did not answer' }
  // One that was ready may have begun without being heard. Each has reverted when its lease has passed.
  return run.activeAt === undefined
    ? { status, why }
    : { status: 'unconfirmed', why: 'its lease has passed, and its word did not arrive' }
}
