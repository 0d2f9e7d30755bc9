import type { LocalProcess } from '@chaos/control'
import type { InjectionState } from '@chaos/core'
import type { ArmingState } from '../permit/arming.js'
import type { Run } from '../experiments/runs.js'
import { bounded, plain } from '../shared/bounded.js'

const MAX_DATE_MS = 8_640_000_000_000_000
/** A time of a process as text. A process may send any number. */
export const isoTime = (at: number): string => (Math.abs(at) <= MAX_DATE_MS ? new Date(at).toISOString() : 'unknown')

export const processView = ({ pid, name }: LocalProcess) => ({ pid, name: plain(name) })

export const armingView = (state: ArmingState) =>
  state.isOpen ? { open: true, until: isoTime(state.until) } : { open: false, reason: state.refusal.message }

/** An injection as data. */
export function injectionView(state: InjectionState, armed: ReadonlySet<string>) {
  return {
    id: plain(state.id),
    fault: plain(state.fault),
    target: plain(state.target),
    status: state.status,
    ...(state.outcome === undefined ? {} : { outcome: state.outcome }),
    options: bounded(state.options, { maxText: 200, maxItems: 30, maxValues: 100 }),
    leaseMs: state.leaseMs,
    leaseEndsAt: isoTime(state.leaseEndsAt),
    seen: state.seen,
    affected: state.affected,
    held: state.held,
    seed: plain(state.seed),
    evidence: bounded(state.evidence.slice(-10), { maxText: 200, maxItems: 20, maxValues: 100 }),
    failures: state.failures.slice(0, 10).map((one) => plain(one, 300)),
    byThisServer: armed.has(state.id),
  }
}

/** An injection as one line. */
export function injectionLine({
  id,
  fault,
  target,
  status,
  outcome,
  seen,
  affected,
  leaseEndsAt,
}: InjectionState): string {
  const state =
    status === 'ended' ? `ended (${outcome ?? 'unknown'})` : `${status} until ${isoTime(leaseEndsAt)} at the latest`
  return `${plain(id)}: ${plain(fault)} into ${plain(target)}, ${state}, ${affected} of ${seen} calls affected`
}

/** A run as data. */
export const runView = ({ id, title, pid, status, phase, progress, verdict, problem, reports }: Run) => ({
  run: id,
  title,
  pid,
  status,
  phase,
  progress,
  ...(verdict === undefined ? {} : { verdict }),
  ...(problem === undefined ? {} : { problem }),
  ...(reports === undefined ? {} : { reports }),
})

/** A run as one line. */
export function runLine({ id, title, status, phase, verdict, problem }: Run): string {
  if (verdict !== undefined) return `${id}, ${title}: ${verdict.verdict}. ${verdict.cause}`
  if (status === 'failed') return `${id}, ${title}: no verdict. ${problem ?? ''}`
  return `${id}, ${title}: still running (${phase}). Call experiment_status with this run.`
}
