import type { Notification } from '../alerts/webhook-sink.js'
import type { AlertMatcher, Experiment } from '../model/experiment.js'
import type { AlertStretch, Curve, Mark, Marks, MarkName, RunInjection } from './evidence.js'
import { steadyStretch } from './steady.js'

/** What marks are made from. */
export interface Recording {
  readonly injections: readonly RunInjection[]
  /** Whether every fault of the method has been put in force. */
  readonly isMethodDone: boolean
  readonly curves: readonly Curve[]
  readonly alerts: readonly AlertStretch[]
  readonly notifications: readonly Notification[] | undefined
  /** How often the rules are looked at, in ms: how far an alert's own `activeAt` may be off. */
  readonly ruleIntervalMs: number
}

interface Named {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** Whether an alert is meant by a name, or by a name and labels. It may have more labels. */
export function isMeant({ name, labels }: Named, matcher: AlertMatcher): boolean {
  if (typeof matcher === 'string') return name === matcher
  return name === matcher.name && Object.entries(matcher.labels ?? {}).every(([label, value]) => labels[label] === value)
}

/** Dates what happened. A mark is made only where there is evidence for it, and never before the one it follows from. */
export function marksOf(experiment: Experiment, recording: Recording): Marks {
  const marks: Partial<Record<MarkName, Mark>> = {}
  const t0 = landing(recording)
  if (t0 === undefined) return marks
  marks.t0 = t0
  const mustFire = experiment.alerts?.mustFire ?? []
  const sinceLanding = recording.alerts.filter(({ to }) => to === undefined || to >= t0.at)
  const required = sinceLanding.filter((stretch) => mustFire.some((expected) => isMeant(stretch, expected)))

  const t3 = earliest(
    (recording.notifications ?? []).flatMap((one) => (one.status === 'firing' && one.at >= t0.at && mustFire.some((expected) => isMeant(one, expected)) ? [{ at: one.at, errorMs: 0 }] : [])),
  )
  // A notification proves that its alert fired, also where it was read later.
  const t2 = earliest([...required.flatMap(({ state, from, fromErrorMs }) => (state === 'firing' ? [{ at: Math.max(t0.at, from), errorMs: fromErrorMs }] : [])), ...(t3 === undefined ? [] : [t3])])
  const t1 = earliest([
    ...recording.curves.flatMap(({ samples }) => firstBad(samples, t0.at)),
    ...required.map(({ activeAt, from, fromErrorMs }) => (activeAt === undefined ? { at: from, errorMs: fromErrorMs } : { at: activeAt, errorMs: recording.ruleIntervalMs })),
    ...(t2 === undefined ? [] : [t2]),
  ])
  if (t1 !== undefined) marks.t1 = notBefore(t1, t0.at)
  if (t2 !== undefined) marks.t2 = notBefore(t2, t0.at)
  if (t3 !== undefined) marks.t3 = t3

  const t4 = ending(recording, t0)
  if (t4 === undefined) return marks
  marks.t4 = t4
  const steady = steadyStretch(recording.curves.map(({ samples }) => samples), t4.at, experiment.steadyState.holdForMs)
  if (steady !== undefined) {
    marks.t5 = { at: steady.from, errorMs: steady.fromErrorMs }
    marks.t7 = { at: steady.heldAt, errorMs: steady.fromErrorMs }
  }
  const fired = sinceLanding.filter(({ state }) => state === 'firing')
  const last = [...fired].sort((a, b) => (b.to ?? 0) - (a.to ?? 0))[0]
  if (last !== undefined && fired.every(({ to }) => to !== undefined)) marks.t6 = { at: last.to ?? last.from, errorMs: last.toErrorMs }
  return marks
}

/** When the first fault landed: by its first hit or its evidence, never by arming. */
function landing({ injections }: Recording): Mark | undefined {
  return earliest(injections.flatMap(({ landedAt, landedErrorMs }) => (landedAt === undefined ? [] : [{ at: landedAt, errorMs: landedErrorMs }])))
}

/** When the last fault ended: an instant one with its landing. */
function ending({ injections, isMethodDone }: Recording, t0: Mark): Mark | undefined {
  if (!isMethodDone || injections.some(({ status }) => status !== 'ended')) return undefined
  const ends = injections.flatMap(({ kind, landedAt, endedAt, landedErrorMs }) => {
    const at = kind === 'instant' ? landedAt : endedAt
    return at === undefined ? [] : [{ at, errorMs: landedErrorMs }]
  })
  const last = ends.sort((a, b) => b.at - a.at)[0]
  return last === undefined ? undefined : notBefore(last, t0.at)
}

function firstBad(samples: Curve['samples'], since: number): Mark[] {
  const index = samples.findIndex(({ at, isGood }) => at >= since && !isGood)
  const bad = samples[index]
  if (bad === undefined) return []
  return [{ at: bad.at, errorMs: Math.max(0, bad.at - Math.max(since, samples[index - 1]?.at ?? since)) }]
}

function earliest(marks: readonly Mark[]): Mark | undefined {
  return [...marks].sort((a, b) => a.at - b.at)[0]
}

function notBefore(mark: Mark, at: number): Mark {
  return mark.at >= at ? mark : { at, errorMs: mark.errorMs }
}

/** Whether the probes named for it held, from so long after the landing until the fault ended. `undefined`: not asked for. */
export function recoveredDuringFault({ recovery: { duringFault } }: Experiment, { curves }: Recording, { t0, t4 }: Marks): { readonly isMet: boolean; readonly afterMs: number | undefined } | undefined {
  if (duringFault === undefined) return undefined
  if (t0 === undefined || t4 === undefined) return { isMet: false, afterMs: undefined }
  const under = duringFault.probes.map((name) => (curves.find(({ probe }) => probe === name)?.samples ?? []).filter(({ at }) => at >= t0.at && at <= t4.at))
  const due = under.map((samples) => samples.filter(({ at }) => at >= t0.at + duringFault.withinMs))
  const isMet = due.every((samples) => samples.length > 0 && samples.every(({ isGood }) => isGood))
  const lastBad = Math.max(t0.at, ...under.flatMap((samples) => samples.filter(({ isGood }) => !isGood).map(({ at }) => at)))
  return { isMet, afterMs: isMet ? lastBad - t0.at : undefined }
}

/** Names of the probes that left their bounds from a moment on. */
export function breachedSince(curves: readonly Curve[], since: number): readonly string[] {
  return curves.filter(({ samples }) => samples.some(({ at, isGood }) => at >= since && !isGood)).map(({ probe }) => probe)
}
