import { reasonOf } from '../../shared/answer.js'
import { isControlRun } from '../../model/control-run.js'
import { probeReader, toleranceOf } from '../../probes/read.js'
import { boundsInWords } from '../../probes/tolerance.js'
import { perform } from '../actions.js'
import type { MarkName, Marks, Evidence, Reading } from '../../evidence/evidence.js'
import { MARK_WORDS } from '../../evidence/mark-words.js'
import { marksOf } from '../../evidence/marks.js'
import { stopByAlert } from '../../evidence/stop-alerts.js'
import { watchGate, type Gate } from './gate.js'
import { performMethod } from './method.js'
import { watchAlerts, watchLoadSettle, watchMonitors, watchRecovery } from './recovery.js'
import type { Run } from './run.js'
import { recorder, type RecorderOptions, type Seen } from '../recorder/recorder.js'
import type { Experiment } from '../../model/experiment.js'
import { waiting } from '../waiting.js'

/** Options of {@link phases}. */
export interface PhaseOptions extends Omit<RecorderOptions, 'changed'> {
  /** Ends the run when it aborts. */
  readonly over: AbortController
  readonly breakOff: (reason: string) => void
  readonly startedAt: number
}

/** The evidence of the phases. */
export type PhasesSeen = Seen &
  Pick<
    Evidence,
    | 'gate'
    | 'methodAt'
    | 'isMethodDone'
    | 'firingBefore'
    | 'watchedUntil'
    | 'afterwards'
    | 'failures'
    | 'rollbackFailures'
  >

/** Runs the phases gate, method, recovery and afterwards. Never rejects. Stops every fault at the end. */
export async function phases(experiment: Experiment, options: PhaseOptions): Promise<PhasesSeen> {
  const { clock, pollMs, emit, over, breakOff, startedAt, sink } = options
  const { until, changed: recorded } = waiting(clock, over.signal)
  const told = new Set<MarkName>()
  let gate: Gate = { isMet: false, from: startedAt, problem: 'it was not checked', firingBefore: [] }
  let methodAt: number | undefined
  let isMethodDone = false
  const watch = recorder(experiment, {
    ...options,
    changed() {
      if (methodAt !== undefined && mustStop(methodAt)) over.abort()
      recorded()
    },
  })
  const { injections, load } = watch
  const hasStopAlerts = (experiment.alerts?.mustNotFire ?? []).length > 0
  const mustStop = (since: number): boolean =>
    watch.guards.some(({ samples }) => samples.at(-1)?.isGood === false) ||
    (hasStopAlerts && stopByAlert(experiment, watch.alertWatch(), since) !== undefined)

  /**
   * The marks so far. Each mark is reported once. `t6` is reported only at the end, because a later alert can still
   * move it.
   */
  function marks(isFinal = false): Marks {
    const made = marksOf(experiment, { ...watch.seen(gate.from), isMethodDone })
    for (const name of Object.keys(MARK_WORDS) as MarkName[]) {
      const mark = made[name]
      if (mark === undefined || told.has(name) || (name === 't6' && !isFinal)) continue
      told.add(name)
      emit({ type: 'mark', mark: name, ...mark, detail: MARK_WORDS[name] })
    }
    return made
  }
  const run: Run = {
    experiment,
    recorder: watch,
    clock,
    pollMs,
    startedAt,
    sink,
    over: over.signal,
    until,
    changed: recorded,
    breakOff,
    say: (phase, detail) => emit({ type: 'phase', at: clock.now(), phase, detail }),
    marks,
  }

  let stops: Promise<readonly string[]> = Promise.resolve([])
  if (!over.signal.aborted) watch.start()
  try {
    if (!over.signal.aborted) gate = await watchGate(run)
    if (gate.isMet && gate.firingBefore.length === 0 && !over.signal.aborted) {
      methodAt = clock.now()
      const performed = await performMethod(run)
      isMethodDone = performed.isDone
      stops = performed.stops
      if (!isControlRun(experiment) && injections.failures.length === 0) await watchRecovery(run)
      if (isMethodDone && injections.failures.length === 0) {
        await watchMonitors(run, methodAt)
        await watchAlerts(run)
      }
      await watchLoadSettle(run)
    }
  } catch (error) {
    breakOff(reasonOf(error))
  }

  const wasWhole = isMethodDone && !over.signal.aborted
  over.abort()
  const rollbackFailures = [...(await stops), ...(await injections.stopAll())]
  const watchedUntil = await watch.stop()
  for (const action of methodAt === undefined ? [] : experiment.rollbacks) {
    const failure = await perform(action, clock)
    if (failure !== undefined) rollbackFailures.push(failure)
  }
  for (const { id, outcome, failures } of injections.states())
    // Those of an aborted one tell why its controller cut it short.
    if (outcome !== 'failed' && outcome !== 'aborted')
      rollbackFailures.push(...failures.map((failure) => `${id}: ${failure}`))
  if (wasWhole) await load?.look()
  const afterwards = wasWhole ? await takeStock(run) : []
  marks(true)
  return {
    ...watch.seen(gate.from),
    gate: { isMet: gate.isMet, from: gate.from, ...(gate.problem === undefined ? {} : { problem: gate.problem }) },
    methodAt,
    isMethodDone,
    firingBefore: gate.firingBefore,
    watchedUntil,
    afterwards,
    failures: [...injections.failures],
    rollbackFailures: [...new Set(rollbackFailures)],
  }
}

async function takeStock({ experiment, clock, say }: Run): Promise<readonly Reading[]> {
  say('afterwards', 'taking the final readings')
  return Promise.all(
    experiment.afterwards.map(async (probe) => ({
      name: probe.name,
      bounds: boundsInWords(toleranceOf(probe), probe.unit),
      sample: await probeReader(probe, clock)(),
    })),
  )
}
