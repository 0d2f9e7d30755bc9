import { setMaxListeners } from 'node:events'
import { systemClock, type ChaosController, type Clock } from '@chaos/core'
import type { AlertReader, AlertRule, AlertTiming } from '../alerts/reader.js'
import type { WebhookSink } from '../alerts/webhook-sink.js'
import type { Experiment, Probe } from '../model/experiment.js'
import { withVariables, type Variables } from '../model/variables.js'
import { probeReader, toleranceOf, type Sample } from '../probes/read.js'
import { inWords } from '../probes/tolerance.js'
import { MARK_WORDS } from '../report/words.js'
import { pause, repeat } from '../time.js'
import { isControlRun, judge, type Verdict } from '../verdict/judge.js'
import { perform } from './actions.js'
import { alertLog } from './alert-log.js'
import type { Curve, Evidence, MarkName, Marks, Reading } from './evidence.js'
import type { Phase, RunEvent } from './events.js'
import { injectionLog } from './injection-log.js'
import { breachedSince, isMeant, marksOf, recoveredDuringFault, type Recording } from './marks.js'
import { preflight } from './preflight.js'
import { steadyStretch } from './steady.js'

/** Whether the load, or the machine that makes it, is fit to judge by. */
export type LoadHealth = { readonly ok: true } | { readonly ok: false; readonly reason: string }

/** Options of {@link runExperiment}. */
export interface RunOptions {
  /** What is broken: an in-process controller, or the client of a control endpoint. */
  readonly controller: ChaosController
  /** Where alerts are read. */
  readonly alerts?: AlertReader | readonly AlertReader[]
  /** Where notifications arrive. Given one, each alert that must fire must also arrive there. */
  readonly sink?: Pick<WebhookSink, 'notifications'>
  /** What `${NAME}` in the experiment's texts stands for. */
  readonly variables?: Variables
  readonly clock?: Clock
  /** Told what happens, as it happens. If it throws, the run is broken off. */
  readonly onEvent?: (event: RunEvent) => void
  /** Breaks the run off: everything is taken back. */
  readonly signal?: AbortSignal
  /** Whether the load can be trusted. Asked before anything is broken, and at the end; a no makes the run inconclusive. */
  readonly loadHealth?: () => LoadHealth | Promise<LoadHealth>
  /** Pause between two readings of a probe, an alert source or the controller, in ms. Default 250. */
  readonly pollMs?: number
}

/** A run, its evidence, and what it comes to. */
export interface ExperimentResult {
  readonly title: string
  readonly description: string | undefined
  readonly experiment: Experiment
  readonly evidence: Evidence
  readonly verdict: Verdict
}

/** How long beyond its lease a fault may take to be seen ended, in ms. */
const END_GRACE_MS = 10_000
/** How many readings longer than its budget something is watched, so that what happens just in time is seen. */
const LAST_READINGS = 4

/**
 * Runs an experiment and judges it.
 *
 * Probes, alerts and the controller are each read on their own, so that one that hangs makes no other blind. Recovery is watched before anything
 * is taken back: a fault ends by its lease, as an outage would. Whatever happens, no fault of the run is in force when this returns.
 *
 * @throws ChaosError `CHAOS_EXPERIMENT_REFUSED` for an experiment that could not but fail, `CHAOS_INVALID_EXPERIMENT` for a variable without a
 *   value; nothing has been broken then. Rejects as well when the controller cannot be reached at the start.
 */
export async function runExperiment(given: Experiment, options: RunOptions): Promise<ExperimentResult> {
  const { controller, clock = systemClock, pollMs = 250, sink, signal } = options
  const experiment = withVariables(given, options.variables ?? {})
  const { steadyState: { probes, holdForMs, timeoutMs }, recovery } = experiment
  const { mustFire = [], mayFire = [], resolveWithinMs = 60_000 } = experiment.alerts ?? {}
  const readers = [options.alerts ?? []].flat()
  const startedAt = clock.now()

  // Everything that ends a run early goes through here.
  const over = new AbortController()
  // One for each thing that is read or waited for.
  setMaxListeners(0, over.signal)
  let brokenOff: string | undefined
  let guardrail: Evidence['guardrail']
  const breakOff = (reason: string): void => {
    brokenOff ??= reason
    over.abort()
  }
  const emit = (event: RunEvent): void => {
    try {
      options.onEvent?.(event)
    } catch (error) {
      breakOff(`a listener failed: ${messageOf(error)}`)
    }
  }
  const say = (phase: Phase, detail: string): void => emit({ type: 'phase', at: clock.now(), phase, detail })

  say('preflight', 'looking at rules, targets and faults')
  const { rules, timing } = await factsOf(readers, (problem) => say('preflight', problem))
  await preflight(experiment, { controller, rules, timing, needsNotification: sink !== undefined, hasAlerts: readers.length > 0 })

  // What is recorded, and who is told that something was.
  const waiting = new Set<() => void>()
  const changed = (): void => {
    for (const look of [...waiting]) look()
  }
  const samples = new Map<string, Sample[]>(probes.map(({ name }) => [name, []]))
  const logs = readers.map((reader) => alertLog(reader, clock))
  const injections = injectionLog(controller, clock, changed)
  const guards = new Map<Probe, Sample>()
  const rollbackFailures: string[] = []
  const stops: Promise<void>[] = []
  const seenMarks = new Set<MarkName>()
  let gate: Evidence['gate'] = { isMet: false, problem: 'it was not looked at' }
  let methodAt: number | undefined
  let gateFrom = startedAt
  let isMethodDone = false
  let firingBefore: readonly string[] = []
  let untrusted: string | undefined

  const curves = (): readonly Curve[] =>
    probes.map((probe) => ({
      probe: probe.name,
      source: probe.type,
      unit: probe.unit,
      bounds: inWords(toleranceOf(probe), probe.unit),
      thresholds: Object.values(toleranceOf(probe)).filter((bound) => bound !== undefined).map(Number),
      samples: (samples.get(probe.name) ?? []).filter(({ at }) => at >= gateFrom),
    }))
  const recording = (): Recording => ({
    injections: injections.states(),
    isMethodDone,
    curves: curves(),
    alerts: logs.flatMap(({ stretches }) => stretches),
    notifications: sink?.notifications.filter(({ at }) => at >= startedAt),
    ruleIntervalMs: Math.max(0, ...(rules ?? []).filter(({ name }) => mustFire.some((expected) => expected.name === name)).map(({ intervalMs }) => intervalMs)),
  })
  /** The marks so far; each is told once, the last one of the alerts only when it can no longer move. */
  function marks(isFinal = false): Marks {
    const made = marksOf(experiment, recording())
    for (const name of Object.keys(MARK_WORDS) as MarkName[]) {
      const mark = made[name]
      if (mark === undefined || seenMarks.has(name) || (name === 't6' && !isFinal)) continue
      seenMarks.add(name)
      emit({ type: 'mark', mark: name, ...mark, detail: MARK_WORDS[name] })
    }
    return made
  }

  /** Waits until something is so, the time is up, or the run is over. */
  function until(isSo: () => boolean, deadline: number): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (): void => {
        waiting.delete(look)
        cancel()
        over.signal.removeEventListener('abort', finish)
        resolve(!over.signal.aborted && isSo())
      }
      const look = (): void => {
        if (isSo()) finish()
      }
      const cancel = clock.after(Math.max(0, deadline - clock.now()), finish)
      waiting.add(look)
      over.signal.addEventListener('abort', finish, { once: true })
      if (over.signal.aborted) finish()
      else look()
    })
  }

  const readings = new AbortController()
  setMaxListeners(0, readings.signal)
  const watching = (): Promise<void>[] => [
    ...probes.map((probe) => {
      const read = probeReader(probe, clock)
      return repeat(clock, pollMs, readings.signal, async () => {
        const sample = await read(readings.signal)
        if (readings.signal.aborted) return
        samples.get(probe.name)?.push(sample)
        emit({ type: 'probe', at: sample.at, probe: probe.name, sample })
        changed()
      })
    }),
    ...experiment.guardrails.map((probe) => {
      const read = probeReader(probe, clock)
      return repeat(clock, pollMs, readings.signal, async () => {
        const sample = await read(readings.signal)
        if (readings.signal.aborted) return
        guards.set(probe, sample)
        if (!sample.isGood && methodAt !== undefined) {
          guardrail ??= { name: probe.name, value: sample.value, bounds: inWords(toleranceOf(probe), probe.unit) }
          over.abort()
        }
        changed()
      })
    }),
    ...logs.map((log) =>
      repeat(clock, pollMs, readings.signal, async () => {
        for (const alert of await log.read(readings.signal)) emit({ type: 'alert', at: clock.now(), alert })
        changed()
      }),
    ),
    repeat(clock, pollMs, readings.signal, async () => {
      await injections.refresh(readings.signal)
      // A notification arrives without anybody being told.
      changed()
    }),
  ]

  async function watchGate(): Promise<void> {
    say('steady-state', `all probes must hold for ${holdForMs} ms, and no alert may be active`)
    const stretch = (): ReturnType<typeof steadyStretch> => {
      // Only the last stretch counts: what was bad before it is history.
      const all = probes.map(({ name }) => samples.get(name) ?? [])
      const lastBad = Math.max(startedAt, ...all.flatMap((curve) => curve.filter(({ isGood }) => !isGood).map(({ at }) => at + 1e-3)))
      return steadyStretch(all, lastBad, holdForMs)
    }
    const hasReadAlerts = (): boolean => logs.every((log) => log.readings().succeeded + log.readings().failed > 0)
    const isGuarded = (): boolean => experiment.guardrails.every((probe) => guards.get(probe)?.isGood === true)
    await until(() => stretch() !== undefined && isGuarded() && hasReadAlerts() && inTheWay().length === 0, clock.now() + timeoutMs)
    const steady = stretch()
    gate = steady === undefined || !isGuarded() ? { isMet: false, problem: whyNotSteady([...probes, ...experiment.guardrails], lastReadings()) } : { isMet: true }
    firingBefore = inTheWay()
    gateFrom = steady?.from ?? startedAt
    await askLoad()
  }

  /** Names of the alerts that are active and would spoil the run: those that must fire, also pending, and those that must not. */
  function inTheWay(): readonly string[] {
    const active = logs.flatMap((log) => log.active())
    return [...new Set(active.filter((alert) => mustFire.some((one) => isMeant(alert, one)) || (alert.state === 'firing' && !mayFire.some((one) => isMeant(alert, one)))).map(({ name }) => name))]
  }

  /** The last bad reading of each probe, also of one that has been good since but not for long enough. */
  function lastReadings(): ReadonlyMap<Probe, Sample> {
    const bad = probes.flatMap((probe) => (samples.get(probe.name) ?? []).filter(({ isGood }) => !isGood).slice(-1).map((sample) => [probe, sample] as const))
    return new Map([...bad, ...guards])
  }

  async function askLoad(): Promise<void> {
    try {
      const health = await options.loadHealth?.()
      if (health?.ok === false) untrusted ??= health.reason
    } catch (error) {
      untrusted ??= messageOf(error)
    }
  }

  async function performMethod(): Promise<void> {
    methodAt = clock.now()
    say('method', isControlRun(experiment) ? 'nothing is broken: watching' : 'breaking')
    for (const [index, step] of experiment.method.entries()) {
      if (over.signal.aborted) return
      if ('waitMs' in step) {
        await pause(clock, step.waitMs, over.signal)
        continue
      }
      const { inject } = step
      const id = `${idOf(experiment.title)}:${index + 1}`
      // A run that is over does not wait for a fault that is still being armed: it is told to stop.
      await Promise.race([injections.inject(inject, id), aborted(over.signal)])
      const [failure] = injections.failures
      say('method', failure ?? `${inject.fault} was injected into ${inject.target}`)
      if (failure !== undefined) return
      if (inject.forMs !== undefined) stops.push(stopAfter(id, inject.forMs))
    }
    isMethodDone = !over.signal.aborted
    changed()
  }

  async function stopAfter(id: string, forMs: number): Promise<void> {
    await pause(clock, forMs, over.signal)
    const failure = await injections.stop(id)
    if (failure !== undefined) rollbackFailures.push(failure)
    changed()
  }

  /** Waits for the fault to end by itself, for the steady state to hold again, and for alerts to fire and to go. */
  async function watchRecovery(): Promise<void> {
    const leaseEndsAt = Math.max(clock.now(), ...injections.states().map(({ leaseEndsAt: at, status }) => (status === 'ended' ? 0 : at)))
    const hasEnded = (): boolean => injections.states().every(({ status }) => status === 'ended')
    await until(() => {
      marks()
      return hasEnded()
    }, leaseEndsAt + END_GRACE_MS)
    if (!hasEnded() && !over.signal.aborted) breakOff('a fault had not ended when its lease had')
    const { t0, t4 } = marks()
    if (t0 === undefined || t4 === undefined) return
    say('recovery', 'the fault is over: watching the system heal')
    await until(() => marks().t7 !== undefined, t4.at + recovery.withinMs + pollMs * LAST_READINGS)
    if (logs.length === 0) return
    const firesUntil = Math.max(t0.at, ...mustFire.map(({ withinMs }) => t0.at + withinMs))
    const hasSettled = (): boolean => {
      const stretches = logs.flatMap((log) => log.stretches).filter(({ state }) => state === 'firing')
      const isHeard = (expected: (typeof mustFire)[number]): boolean => sink === undefined || sink.notifications.some((one) => one.at >= startedAt && one.status === 'firing' && isMeant(one, expected))
      const isAwaited = mustFire.some((expected) => (!stretches.some((stretch) => isMeant(stretch, expected)) && clock.now() <= firesUntil) || (stretches.some((stretch) => isMeant(stretch, expected)) && !isHeard(expected)))
      return !isAwaited && logs.every((log) => log.active().length === 0)
    }
    await until(hasSettled, Math.max(firesUntil, t4.at + resolveWithinMs) + pollMs * LAST_READINGS)
  }

  /** Waits until everything has been read after this moment. */
  function readOnceMore(): Promise<boolean> {
    const now = clock.now()
    const counts = logs.map((log) => log.readings())
    const hasReadAgain = (index: number): boolean => {
      const { succeeded, failed } = logs[index]?.readings() ?? { succeeded: 0, failed: 0 }
      return succeeded + failed > (counts[index]?.succeeded ?? 0) + (counts[index]?.failed ?? 0)
    }
    return until(() => curves().every((curve) => (curve.samples.at(-1)?.at ?? 0) > now) && counts.every((_count, index) => hasReadAgain(index)), now + END_GRACE_MS)
  }

  const isWhole = (): boolean => isMethodDone && brokenOff === undefined && guardrail === undefined

  async function takeStock(): Promise<readonly Reading[]> {
    say('afterwards', 'taking stock')
    return Promise.all(experiment.afterwards.map(async (probe) => ({ name: probe.name, bounds: inWords(toleranceOf(probe), probe.unit), sample: await probeReader(probe, clock)() })))
  }

  const onAbort = (): void => breakOff(`it was aborted${signal?.reason instanceof Error && signal.reason.name !== 'AbortError' ? `: ${signal.reason.message}` : ''}`)
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted === true) onAbort()
  const watchers = over.signal.aborted ? [] : watching()
  try {
    if (!over.signal.aborted) await watchGate()
    if (gate.isMet && firingBefore.length === 0 && untrusted === undefined && !over.signal.aborted) {
      await performMethod()
      if (!isControlRun(experiment) && injections.failures.length === 0) await watchRecovery()
      // A control run ends with a reading of everything, so that its last moments are seen too.
      else if (isControlRun(experiment)) await readOnceMore()
    }
  } catch (error) {
    breakOff(messageOf(error))
  }

  over.abort()
  await Promise.all(stops)
  rollbackFailures.push(...(await injections.stopAll()))
  for (const action of methodAt === undefined ? [] : experiment.rollbacks) {
    const failure = await perform(action, clock)
    if (failure !== undefined) rollbackFailures.push(failure)
  }
  for (const { id, outcome, failures } of injections.states()) if (outcome !== 'failed') rollbackFailures.push(...failures.map((failure) => `${id}: ${failure}`))
  const finalMarks = marks(true)
  const seen = recording()
  const alertReadings = logs.map((log) => log.readings())
  readings.abort()
  injections.close()
  signal?.removeEventListener('abort', onAbort)
  await Promise.all(watchers)
  const afterwards = isWhole() ? await takeStock() : []
  if (methodAt !== undefined) await askLoad()

  const evidence: Evidence = {
    startedAt,
    endedAt: clock.now(),
    gate,
    methodAt,
    isMethodDone,
    firingBefore,
    rulesFound: rules?.map(({ name }) => name),
    brokenRules: (rules ?? []).filter(({ isHealthy }) => !isHealthy).map(({ name }) => name),
    injections: seen.injections,
    curves: seen.curves,
    alerts: seen.alerts.map((stretch) => ({ ...stretch })),
    alertReadings,
    notifications: seen.notifications,
    marks: finalMarks,
    breached: methodAt === undefined ? [] : breachedSince(seen.curves, finalMarks.t0?.at ?? methodAt),
    recoveredDuringFault: recoveredDuringFault(experiment, seen, finalMarks),
    afterwards,
    guardrail,
    failures: [...injections.failures],
    rollbackFailures: [...new Set(rollbackFailures)],
    brokenOff,
    untrusted,
  }
  const verdict = judge(experiment, evidence)
  say('done', `${verdict.name}: ${verdict.cause}`)
  return { title: experiment.title, description: experiment.description, experiment, evidence, verdict }
}

/** What the readers know of rules and of timing. What cannot be read now is left out: readings show it, and make the run inconclusive. */
async function factsOf(readers: readonly AlertReader[], warn: (message: string) => void): Promise<{ readonly rules: readonly AlertRule[] | undefined; readonly timing: AlertTiming }> {
  let rules: AlertRule[] | undefined
  let timing: AlertTiming = {}
  for (const reader of readers) {
    try {
      if (reader.rules !== undefined) rules = [...(rules ?? []), ...(await reader.rules())]
    } catch (error) {
      warn(`The alert rules could not be read. ${messageOf(error)}`)
    }
    try {
      if (reader.timing !== undefined) timing = { ...timing, ...(await reader.timing()) }
    } catch {
      // Not every source knows its timing.
    }
  }
  return { rules, timing }
}

function whyNotSteady(probes: readonly Probe[], readings: ReadonlyMap<Probe, Sample>): string {
  const bad = probes.flatMap((probe) => {
    const sample = readings.get(probe)
    if (sample === undefined || sample.isGood) return []
    return [`${probe.name} was ${sample.value ?? `without data (${sample.problem ?? 'nobody knows why'})`}, expected ${inWords(toleranceOf(probe), probe.unit)}`]
  })
  return bad.length === 0 ? 'it was not read for long enough' : bad.join('; ')
}

/** The name of an experiment as part of an injection's id: the same in every run, so that the same seed gives the same run. */
function idOf(title: string): string {
  return title.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 100) || 'experiment'
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
