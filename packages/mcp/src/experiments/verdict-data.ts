import type { ExperimentResult, MarkName } from '@chaos/experiment'
import { plain, bounded } from '../shared/bounded.js'

/** A verdict as a tool returns it. */
export interface VerdictData {
  readonly title: string
  readonly verdict: string
  readonly cause: string
  readonly recovery: string
  readonly timeToDetectMs: number | null
  readonly timeToRecoverMs: number | null
  readonly breached: unknown
  readonly alerts: unknown
  /** Times in ms after the fault landed, or after the run started if it did not. */
  readonly marks: Readonly<Record<string, number>>
}

/** Takes from a result what a reader of its verdict needs. */
export function verdictData({
  title,
  evidence,
  verdict,
}: Pick<ExperimentResult, 'title' | 'evidence' | 'verdict'>): VerdictData {
  const zero = verdict.marks.t0?.at ?? evidence.startedAt
  return {
    title: plain(title),
    verdict: verdict.name,
    cause: plain(verdict.cause, 1_000),
    recovery: verdict.recovery,
    timeToDetectMs: verdict.timeToDetectMs ?? null,
    timeToRecoverMs: verdict.timeToRecoverMs ?? null,
    breached: bounded(verdict.breached, { maxText: 200 }),
    alerts: bounded(verdict.alerts.map(({ name, outcome, detail }) => ({ name, outcome, detail }))),
    marks: Object.fromEntries(
      (Object.keys(verdict.marks) as MarkName[]).flatMap((name) => {
        const mark = verdict.marks[name]
        return mark === undefined ? [] : [[name, Math.round(mark.at - zero)] as const]
      }),
    ),
  }
}
