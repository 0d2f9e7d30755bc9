import type { Ack, Phase, RunView, Snapshot } from '../transports/transport.js'
import type { SignedPlan } from '../plan/plan.js'
import type { InstanceState } from '../plan/instance.js'

/** Why an agent ended a run. */
type EndReason =
  | 'deadline'
  | 'max-duration'
  | 'run-gone'
  | 'halted'
  | 'not-permitted'
  | 'epoch'
  | 'replaced'
  | 'clock-jump'
  | 'stopped'
  | 'shutdown'

/** The times of a plan that has been checked. */
interface PlanTimes {
  readonly leaseMs: number
  readonly maxDurationMs: number
}

/** What a fault has done in this process. */
export type Account = Required<Pick<Ack, 'hits' | 'evidence'>> & Pick<Ack, 'appliedAgoMs' | 'landedAgoMs'>

/** What happened to an agent. Times are in ms by its monotonic clock. */
export type AgentEvent =
  /** A read was answered. `sentAtMs` is the time before the request was sent. */
  | { readonly type: 'read'; readonly sentAtMs: number; readonly snapshot: Snapshot }
  /** A read failed. It changes nothing: the deadline does the work. */
  | { readonly type: 'read-failed' }
  /** The plan of a run was checked: its times, or why it is refused. */
  | { readonly type: 'checked'; readonly runId: string; readonly verdict: PlanTimes | { readonly refusal: string } }
  /** The fault is in force, or could not be put in force. */
  | { readonly type: 'applied'; readonly runId: string; readonly failure?: string }
  /** The fault is rolled back. */
  | ({ readonly type: 'reverted'; readonly runId: string } & Account)
  /** The engine has confirmed an answer. */
  | { readonly type: 'acked'; readonly runId: string; readonly status: Ack['status'] }
  /** Time has passed. */
  | { readonly type: 'tick' }
  /** The wall clock has moved by so many ms more (or less) than the monotonic one. */
  | { readonly type: 'drift'; readonly byMs: number }
  /** Somebody in this process has ended the fault, or its own lease has. */
  | { readonly type: 'stop'; readonly why: 'stopped' | 'deadline' }
  /** The process is about to end. There is no run after it. */
  | { readonly type: 'shutdown' }

/** What an agent must do. */
export type AgentEffect =
  /** Verify the plan, and report `checked`. */
  | { readonly type: 'check'; readonly runId: string; readonly signed: SignedPlan }
  /** Put the fault in force until the deadline, and report `applied`. */
  | { readonly type: 'apply'; readonly runId: string; readonly deadlineMs: number }
  /** Keep the fault in force until a later deadline. */
  | { readonly type: 'extend'; readonly runId: string; readonly deadlineMs: number }
  /** Mark the fault ended at once, roll it back, and report `reverted`. */
  | { readonly type: 'revert'; readonly runId: string; readonly why: EndReason }
  /** Answer the engine, and report `acked`. */
  | { readonly type: 'ack'; readonly runId: string; readonly ack: Ack }

/** The run that the agent takes part in. */
interface CurrentRun {
  readonly id: string
  /** `refused` runs are remembered, so that they are not checked again with each read. */
  readonly status: 'checking' | 'ready' | 'applying' | 'applied' | 'reverting' | 'refused'
  /** The epoch in which the run was first seen. */
  readonly epoch: number
  readonly phase: Phase
  /** The last read: when it was sent, and the rest of the lease by the clock of the engine. */
  readonly sentAtMs: number
  readonly remainingMs: number
  /** `undefined` until the plan is checked. */
  readonly times: PlanTimes | undefined
  /** The fault is never in force at or after this time. It never moves back. `undefined` until the plan is checked. */
  readonly deadlineMs: number | undefined
  /** The end of the longest duration. `undefined` until the fault is first applied. */
  readonly hardDeadlineMs: number | undefined
  readonly answer: Ack | undefined
  /** Why the run is being reverted. */
  readonly why: EndReason | undefined
}

/** The state of an agent. Make the first one with {@link initialAgentState}. */
export interface AgentState {
  readonly run: CurrentRun | undefined
  /** The highest epoch seen. Runs of an older one are refused, whatever the engine says later. */
  readonly epoch: number
  /** The highest beat of the run that was shown last, and when the read that first saw it was sent. */
  readonly seen: { readonly runId: string; readonly beat: number; readonly sentAtMs: number } | undefined
  /** The ids of runs that have ended here. None is applied again. */
  readonly dead: ReadonlySet<string>
  /** The last answer about a run that has ended here. It is repeated until the engine has it and no longer shows the run. */
  readonly final: { readonly runId: string; readonly ack: Ack; readonly isConfirmed: boolean } | undefined
  /** When the newest read that was answered was sent. */
  readonly readAtMs: number
  readonly isShutDown: boolean
}

/** The next state, and what must be done in this order. */
export interface Step {
  readonly state: AgentState
  readonly effects: readonly AgentEffect[]
}

/** A jump of the wall clock beyond this, in ms, means that the process or its machine was suspended. */
const MAX_DRIFT_MS = 1_000
/** The most runs that one process takes part in. Then it refuses: memory stays bounded, and no run id is ever forgotten. */
const MAX_DEAD = 10_000
/** The longest id of a run. */
const MAX_ID_LENGTH = 200

/** The state of an agent that has read nothing yet. */
export const initialAgentState: AgentState = {
  run: undefined,
  epoch: 0,
  seen: undefined,
  dead: new Set(),
  final: undefined,
  readAtMs: Number.NEGATIVE_INFINITY,
  isShutDown: false,
}

/**
 * Returns what an agent does about an event: the next state and the effects. It performs nothing, and reads no clock.
 *
 * A run is in force only between `applied` and its deadline. The deadline is counted from the moment a read was *sent*, on
 * the agent's own monotonic clock, so neither a slow answer nor a wrong clock of the engine prolongs it:
 *
 * - `d1` = sent + the rest of the lease that the engine told, at most the lease of the plan;
 * - `d2` = sent + the lease, of the read that first saw the current beat;
 * - `deadline` = max(previous, min(d1, d2)), at most first apply + `maxDurationMs`.
 *
 * @param nowMs The time of the event, by the clock of `sentAtMs`.
 */
export function step(state: AgentState, event: AgentEvent, nowMs: number): Step {
  const lapsed = afterDeadline(state, nowMs)
  const next = react(lapsed.state, event, nowMs)
  return { state: next.state, effects: [...lapsed.effects, ...next.effects] }
}

/** What the process does, as the fleet sees it. */
export function instanceStateOf({ run, isShutDown }: AgentState): InstanceState {
  if (isShutDown) return 'leaving'
  if (run?.status === 'ready') return 'ready'
  if (run?.status === 'applying' || run?.status === 'applied') return 'applied'
  return run?.status === 'reverting' ? 'reverting' : 'idle'
}

/** How often to read while something is to be settled and the lease is not known yet, in ms. */
const UNSETTLED_POLL_MS = 1_000

/** The time between two reads, in ms: a fifth of the lease in a run, else `idleMs`. */
export function pollMsOf({ run, final }: AgentState, idleMs: number): number {
  if (run?.times !== undefined) return run.times.leaseMs / 5
  const isUnsettled = run?.status === 'checking' || final?.isConfirmed === false
  return isUnsettled ? Math.min(idleMs, UNSETTLED_POLL_MS) : idleMs
}

const unchanged = (state: AgentState): Step => ({ state, effects: [] })

function react(state: AgentState, event: AgentEvent, nowMs: number): Step {
  switch (event.type) {
    case 'read':
      return isSound(event.snapshot) && event.sentAtMs >= state.readAtMs && !state.isShutDown
        ? afterRead(state, event.sentAtMs, event.snapshot, nowMs)
        : unchanged(state)
    case 'checked':
      return afterCheck(state, event, nowMs)
    case 'applied':
      return afterApply(state, event)
    case 'reverted':
      return afterRevert(state, event)
    case 'acked':
      return unchanged(confirmed(state, event))
    case 'drift':
      return Math.abs(event.byMs) > MAX_DRIFT_MS ? end(state, 'clock-jump') : unchanged(state)
    case 'stop':
      return end(state, event.why)
    case 'shutdown':
      return end({ ...state, isShutDown: true }, 'shutdown')
    case 'read-failed':
    case 'tick':
      return unchanged(state)
  }
}

/** Whether the engine's answer can be reckoned with. With a NaN in it no deadline would ever pass. */
function isSound({ epoch, run }: Snapshot): boolean {
  if (!Number.isFinite(epoch)) return false
  return (
    run === undefined ||
    (run.id.length <= MAX_ID_LENGTH &&
      Number.isFinite(run.epoch) &&
      Number.isFinite(run.beat) &&
      !Number.isNaN(run.remainingMs))
  )
}

/** Ends a run whose deadline has passed. */
function afterDeadline(state: AgentState, nowMs: number): Step {
  const { run } = state
  if (run?.deadlineMs === undefined || nowMs < run.deadlineMs) return unchanged(state)
  return end(state, nowMs >= (run.hardDeadlineMs ?? Number.POSITIVE_INFINITY) ? 'max-duration' : 'deadline')
}

function afterRead(before: AgentState, sentAtMs: number, snapshot: Snapshot, nowMs: number): Step {
  const state = {
    ...before,
    readAtMs: sentAtMs,
    epoch: Math.max(before.epoch, snapshot.epoch),
    seen: seenAfter(before.seen, sentAtMs, snapshot),
  }
  const why = endOf(state, snapshot)
  const kept = why === undefined ? renewed(state, sentAtMs, snapshot, nowMs) : end(state, why)
  const begun = kept.state.run === undefined ? considered(kept.state, sentAtMs, snapshot) : unchanged(kept.state)
  const answering = repeated(begun.state, snapshot, kept.effects)
  return { state: answering.state, effects: [...kept.effects, ...begun.effects, ...answering.effects] }
}

/** Any read that shows a run counts, so that no run seems alive for having been out of sight. */
function seenAfter(seen: AgentState['seen'], sentAtMs: number, { run }: Snapshot): AgentState['seen'] {
  if (run === undefined || (seen?.runId === run.id && run.beat <= seen.beat)) return seen
  return { runId: run.id, beat: run.beat, sentAtMs }
}

/** Why the current run must end after a read, or `undefined`. */
function endOf({ run, epoch }: AgentState, { isPermitted, epoch: read, run: shown }: Snapshot): EndReason | undefined {
  if (run === undefined) return undefined
  // A halt raises the epoch; the end of a window and the loss of all data do not.
  if (!isPermitted) return read > run.epoch ? 'halted' : 'not-permitted'
  if (run.epoch < epoch) return 'epoch'
  if (shown === undefined) return 'run-gone'
  return shown.id === run.id ? undefined : 'replaced'
}

/** Reckons with a read that shows the current run. */
function renewed(state: AgentState, sentAtMs: number, { run: shown }: Snapshot, nowMs: number): Step {
  const { run } = state
  if (run === undefined || shown === undefined || run.status === 'reverting') return unchanged(state)
  const read = { ...run, phase: shown.phase, sentAtMs, remainingMs: shown.remainingMs }
  const kept = { ...read, deadlineMs: deadlineOf(read, state.seen) }
  const next = { ...state, run: kept }
  if (kept.status === 'ready') return started(next, kept, nowMs)
  const isInForce = kept.status === 'applying' || kept.status === 'applied'
  return isInForce && kept.deadlineMs !== undefined && kept.deadlineMs > (run.deadlineMs ?? 0)
    ? { state: next, effects: [{ type: 'extend', runId: kept.id, deadlineMs: kept.deadlineMs }] }
    : unchanged(next)
}

/** The deadline after the latest read; `undefined` until the plan is checked. */
function deadlineOf(run: CurrentRun, seen: AgentState['seen']): number | undefined {
  const { times, sentAtMs, remainingMs, deadlineMs = 0, hardDeadlineMs = Infinity } = run
  if (times === undefined || seen === undefined) return undefined
  const d1 = sentAtMs + Math.min(Math.max(0, remainingMs), times.leaseMs)
  const d2 = seen.sentAtMs + times.leaseMs
  return Math.min(Math.max(deadlineMs, Math.min(d1, d2)), hardDeadlineMs)
}

/** Applies a run that is ready, once its controller has made it active. */
function started(state: AgentState, run: CurrentRun, nowMs: number): Step {
  const { times, deadlineMs, phase } = run
  if (phase !== 'active' || times === undefined || deadlineMs === undefined) return unchanged(state)
  const hardDeadlineMs = nowMs + times.maxDurationMs
  const until = Math.min(deadlineMs, hardDeadlineMs)
  if (nowMs >= until) return end(state, 'deadline')
  return {
    state: {
      ...state,
      run: { ...run, status: 'applying', answer: undefined, deadlineMs: until, hardDeadlineMs },
    },
    effects: [{ type: 'apply', runId: run.id, deadlineMs: until }],
  }
}

/** Begins with a run that a read shows, if it may be one for this process. */
function considered(state: AgentState, sentAtMs: number, { isPermitted, run: shown }: Snapshot): Step {
  if (shown === undefined || !isPermitted || state.dead.has(shown.id)) return unchanged(state)
  const run = runOf(shown, sentAtMs)
  const why = whyNever(state, shown)
  if (why !== undefined)
    return unchanged({ ...state, run: { ...run, status: 'refused', answer: { status: 'refused', why } } })
  return { state: { ...state, run }, effects: [{ type: 'check', runId: shown.id, signed: shown.signed }] }
}

/** Why this process takes part in a run in no case, whatever its plan says; `undefined`: it may. */
function whyNever({ epoch, dead }: AgentState, shown: RunView): string | undefined {
  if (shown.epoch < epoch)
    return 'The run is of an older epoch than this process has seen: it was halted since, or the engine has lost data. Close the window with `chaos fleet close`, and open it again.'
  return dead.size >= MAX_DEAD
    ? `This process has taken part in ${MAX_DEAD} runs, which is the maximum. Restart it.`
    : undefined
}

function runOf({ id, epoch, phase, remainingMs }: RunView, sentAtMs: number): CurrentRun {
  return {
    id,
    status: 'checking',
    epoch,
    phase,
    sentAtMs,
    remainingMs,
    times: undefined,
    deadlineMs: undefined,
    hardDeadlineMs: undefined,
    answer: undefined,
    why: undefined,
  }
}

/** The answers that hold after a read. They are due with each read, so that none is lost for good. */
function repeated(state: AgentState, { run: shown }: Snapshot, given: readonly AgentEffect[]): Step {
  const { run, final } = state
  const effects: AgentEffect[] = []
  const isOver = final?.isConfirmed === true && shown?.id !== final.runId
  const isGiven = given.some((effect) => effect.type === 'ack')
  if (final !== undefined && !isOver && !isGiven) effects.push({ type: 'ack', runId: final.runId, ack: final.ack })
  if (run?.answer !== undefined) effects.push({ type: 'ack', runId: run.id, ack: run.answer })
  return { state: isOver ? { ...state, final: undefined } : state, effects }
}

function afterCheck(
  state: AgentState,
  { runId, verdict }: Extract<AgentEvent, { type: 'checked' }>,
  nowMs: number,
): Step {
  const { run } = state
  if (run?.id !== runId || run.status !== 'checking') return unchanged(state)
  if ('refusal' in verdict) return answered(state, run, 'refused', { status: 'refused', why: verdict.refusal })
  const { leaseMs, maxDurationMs } = verdict
  const checked = { ...run, status: 'ready' as const, times: { leaseMs, maxDurationMs } }
  const timed = { ...checked, deadlineMs: deadlineOf(checked, state.seen) }
  const lapsed = afterDeadline({ ...state, run: timed }, nowMs)
  if (lapsed.state.run === undefined) return lapsed
  const ready = answered(state, timed, 'ready', { status: 'ready' })
  const begun = started(ready.state, ready.state.run as CurrentRun, nowMs)
  return { state: begun.state, effects: [...ready.effects, ...begun.effects] }
}

/** Gives a run a status and its answer. */
function answered(state: AgentState, run: CurrentRun, status: CurrentRun['status'], answer: Ack): Step {
  return {
    state: { ...state, run: { ...run, status, answer } },
    effects: [{ type: 'ack', runId: run.id, ack: answer }],
  }
}

function afterApply(state: AgentState, { runId, failure }: Extract<AgentEvent, { type: 'applied' }>): Step {
  const { run } = state
  if (run?.id !== runId || run.status !== 'applying') return unchanged(state)
  if (failure === undefined) return answered(state, run, 'applied', { status: 'applied' })
  return finished(withDead(state, runId), runId, { status: 'refused', why: failure })
}

function afterRevert(state: AgentState, event: Extract<AgentEvent, { type: 'reverted' }>): Step {
  const { type: _type, runId, ...account } = event
  const { run } = state
  if (run?.id !== runId || run.status !== 'reverting' || run.why === undefined) return unchanged(state)
  return finished(state, runId, { status: 'reverted', why: run.why, ...account })
}

/** Leaves a run with a last answer. */
function finished(state: AgentState, runId: string, ack: Ack): Step {
  return {
    state: { ...state, run: undefined, final: { runId, ack, isConfirmed: false } },
    effects: [{ type: 'ack', runId, ack }],
  }
}

function confirmed(state: AgentState, { runId, status }: Extract<AgentEvent, { type: 'acked' }>): AgentState {
  const { final } = state
  return final?.runId === runId && final.ack.status === status
    ? { ...state, final: { ...final, isConfirmed: true } }
    : state
}

const withDead = (state: AgentState, runId: string): AgentState => ({
  ...state,
  dead: new Set(state.dead).add(runId),
})

/** Ends the current run for good. */
function end(state: AgentState, why: EndReason): Step {
  const { run } = state
  switch (run?.status) {
    case 'applying':
    case 'applied':
      return {
        state: { ...withDead(state, run.id), run: { ...run, status: 'reverting', answer: undefined, why } },
        effects: [{ type: 'revert', runId: run.id, why }],
      }
    case 'ready':
      return finished(withDead(state, run.id), run.id, { status: 'reverted', why, hits: 0 })
    case 'checking':
      // Only what ends it here counts: who may write to the engine must not fill the memory of this process with ids.
      return unchanged({ ...(isLocal(why) ? withDead(state, run.id) : state), run: undefined })
    case 'refused':
      return unchanged({ ...state, run: undefined })
    case 'reverting':
    case undefined:
      return unchanged(state)
  }
}

const isLocal = (why: EndReason): boolean => why === 'stopped' || why === 'clock-jump' || why === 'shutdown'
