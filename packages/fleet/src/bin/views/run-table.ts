import type { InjectionInstance } from '@chaos/core'
import { lastWordOf } from '../../controller/instance-report.js'
import type { RunState } from '../../controller/run-state.js'
import { columns } from './columns.js'
import { span } from './span.js'

/** What is known of one instance of a run. */
export type InstanceRow = Pick<InjectionInstance, 'id' | 'status' | 'why' | 'hits'>

/** The most instances of a table. The rest is counted. */
const MAX_ROWS = 1_000

/** What deserves a look stands first. */
const RANK = ['refused', 'gone', 'unconfirmed', 'waiting', 'ready', 'applied', 'reverted']

/** Shows what each instance of a run said last. @param max The most instances that are shown. */
export function instanceTable(rows: readonly InstanceRow[], max = MAX_ROWS): readonly string[] {
  const sorted = [...rows].sort((a, b) => RANK.indexOf(a.status) - RANK.indexOf(b.status))
  const shown = sorted.slice(0, max)
  return [
    ...columns([
      ['  INSTANCE', 'STATUS', 'HITS', 'WHY'],
      ...shown.map(({ id, status, hits, why }) => [
        `  ${id}`,
        status === 'waiting' ? 'no answer' : status,
        String(hits),
        why ?? '',
      ]),
    ]),
    ...(sorted.length > shown.length
      ? [`  and ${sorted.length - shown.length} more: ${countWords(sorted.slice(max))}`]
      : []),
  ]
}

/** How many instances said what last: `3 applied, 1 refused`. */
export function countWords(rows: readonly InstanceRow[]): string {
  const counts = new Map<string, number>()
  for (const { status } of rows) counts.set(status, (counts.get(status) ?? 0) + 1)
  return [...counts]
    .map(([status, count]) => `${count} ${status === 'waiting' ? 'without an answer' : status}`)
    .join(', ')
}

/** Shows a run that has ended, with each of its instances. */
export function runLines(run: RunState): readonly string[] {
  const { plan, end, why, activeAt, endedAt, instances } = run
  const time =
    activeAt === undefined ? 'never in force' : `whole again ${span((endedAt ?? activeAt) - activeAt)} after it began`
  return [
    `run ${plan.runId}: ${plan.fault} into ${plan.target}, ${end ?? run.status}, ${time}`,
    ...(why === undefined ? [] : [`  why: ${why}`]),
    ...instanceTable(instances.map((one) => ({ ...one, ...lastWordOf(one, run) }))),
  ]
}

/** A run, as JSON. */
export function runJson(run: RunState) {
  const { plan, status, end, why, openedAt, activeAt, landedAt, endedAt, instances } = run
  return {
    runId: plan.runId,
    target: plan.target,
    fault: plan.fault,
    options: plan.options,
    leaseMs: plan.leaseMs,
    maxDurationMs: plan.maxDurationMs,
    status,
    end: end ?? null,
    why: why ?? null,
    openedAt,
    activeAt: activeAt ?? null,
    landedAt: landedAt ?? null,
    endedAt: endedAt ?? null,
    instances: instances.map((one) => ({ ...one, ...lastWordOf(one, run) })),
  }
}
