import type { AlertMatcher, Experiment, ExpectedAlert } from '../model/experiment.js'
import { isMeant, seriesOf } from '../model/alerts.js'
import type { AlertStretch, Evidence, Mark, Marks } from '../evidence/evidence.js'
import { conditionOf, isStanding } from '../evidence/marks.js'
import { ms } from './words.js'

/** The outcome of an alert. Only `detected` (for `mustFire`) and `allowed` (for `mayFire`) are good. */
export type AlertOutcome =
  | 'detected'
  | 'late'
  | 'missed'
  | 'wrong-labels'
  | 'silenced'
  | 'already-firing'
  | 'stuck'
  | 'flapped'
  | 'unexpected'
  | 'monitoring-down'
  | 'allowed'

/** The verdict on one alert. */
export interface AlertVerdict {
  readonly name: string
  readonly mustFire: boolean
  readonly outcome: AlertOutcome
  /** Time from the landing of the fault until the alert was first seen firing, in ms. */
  readonly afterMs: number | undefined
  /** The reason of the outcome, in one sentence. */
  readonly detail: string
}

/** The longest time without a reading of alerts, in ms. After a longer time, the state of alerts is unknown. */
const MAX_READING_GAP_MS = 10_000

const DEFAULT_RESOLVE_WITHIN_MS = 60_000

type Labels = Readonly<Record<string, string>>

/** Judges every alert in `mustFire`, and every other alert that fired or was active before the method. */
export function judgeAlerts(experiment: Experiment, evidence: Evidence, marks: Marks): readonly AlertVerdict[] {
  const { mustFire = [], mayFire = [], resolveWithinMs = DEFAULT_RESOLVE_WITHIN_MS } = experiment.alerts ?? {}
  const required = mustFire.map((expected) => judgeRequired(expected, resolveWithinMs, evidence, marks))
  const judged = new Set(required.filter(({ outcome }) => outcome === 'wrong-labels').map(({ name }) => name))
  const others = new Map<string, AlertStretch[]>()
  for (const stretch of firingSince(evidence.methodAt, evidence)) {
    if (judged.has(stretch.name) || mustFire.some((expected) => isMeant(stretch, expected))) continue
    const key = `${stretch.name} ${String(isAllowed(stretch, mayFire))}`
    const known = others.get(key)
    if (known === undefined) others.set(key, [stretch])
    else known.push(stretch)
  }
  const before = evidence.firingBefore.filter((name) => !mustFire.some((expected) => expected.name === name))
  const dirty = [...new Set(before)].map((name): AlertVerdict => ({
    name,
    mustFire: false,
    outcome: 'already-firing',
    afterMs: undefined,
    detail: ALREADY,
  }))
  return [
    ...required,
    ...dirty,
    ...[...others.values()]
      .filter(([first]) => first !== undefined && !before.includes(first.name))
      .map((stretches) => judgeOther(stretches, experiment, resolveWithinMs, evidence, marks)),
  ]
}

const ALREADY = 'It was active before anything was broken.'

function judgeRequired(
  expected: ExpectedAlert,
  resolveWithinMs: number,
  evidence: Evidence,
  marks: Marks,
): AlertVerdict {
  const { name, labels = {}, withinMs } = expected
  const { t0 } = marks
  const stretches = firingSince(t0?.at, evidence).filter((stretch) => stretch.name === name)
  const matching = stretches.filter((stretch) => isMeant(stretch, expected))
  const [first] = [...matching].sort((a, b) => a.from - b.from)
  const afterMs = first === undefined || t0 === undefined ? undefined : Math.max(0, first.from - t0.at)
  const verdict = (outcome: AlertOutcome, detail: string): AlertVerdict => ({
    name,
    mustFire: true,
    outcome,
    afterMs,
    detail,
  })

  if (evidence.firingBefore.includes(name)) return verdict('already-firing', ALREADY)
  if (first === undefined || afterMs === undefined) {
    if (first !== undefined) return verdict('monitoring-down', 'It fired, but no fault was seen to land.')
    if (evidence.rulesFound !== undefined && !evidence.rulesFound.includes(name))
      return verdict('missed', 'The monitoring has no rule of that name, so it can never fire.')
    if (evidence.brokenRules.includes(name)) return verdict('missed', 'The monitoring says that its rule is broken.')
    const [other] = stretches
    if (other !== undefined)
      return verdict('wrong-labels', `It fired with ${shown(other.labels)}, expected ${shown(labels)}.`)
    if (isMonitoringDown(evidence))
      return verdict('monitoring-down', 'The monitoring could not be read, so whether it fired is unknown.')
    const wasPending = evidence.alerts.some((stretch) => stretch.state === 'pending' && isMeant(stretch, expected))
    return verdict('missed', wasPending ? 'It was pending, but never fired.' : 'It never fired.')
  }
  const wasActive = t0 === undefined ? false : wasActiveBefore(matching, brokenAt(t0, evidence), evidence)
  if (wasActive === 'unknown')
    return verdict(
      'monitoring-down',
      'Alerts were not read just before the fault, so whether it was active already is unknown.',
    )
  if (wasActive) return verdict('already-firing', ALREADY)
  if (afterMs - first.fromErrorMs > withinMs)
    return verdict('late', `It fired after ${ms(afterMs)}, expected within ${ms(withinMs)}.`)
  const atMostMs = afterMs + (t0?.errorMs ?? 0)
  if (atMostMs > withinMs)
    return verdict(
      'monitoring-down',
      `It fired ${ms(afterMs - first.fromErrorMs)} to ${ms(atMostMs)} after the fault; readings are too far apart to tell whether that was within ${ms(withinMs)}.`,
    )
  const since = t0 === undefined ? 0 : brokenAt(t0, evidence)
  const unheard = whyUnheard(matching, expected, since, evidence)
  if (unheard !== undefined) return verdict('silenced', unheard)
  const heardMs = Math.min(...heardOf(expected, since, evidence).map(({ at }) => at)) - (t0?.at ?? 0)
  if (Number.isFinite(heardMs) && heardMs > withinMs)
    return verdict(
      'late',
      `It fired after ${ms(afterMs)} and its notification arrived after ${ms(heardMs)}, expected within ${ms(withinMs)}.`,
    )
  const unresolved = notResolved(matching, resolveWithinMs, marks)
  if (unresolved !== undefined) return verdict(...unresolved)
  if (hasFlapped(matching, evidence)) return verdict('flapped', `It fired and resolved ${matching.length} times.`)
  return verdict('detected', `It fired after ${ms(afterMs)} (deadline ${ms(withinMs)}) and resolved.`)
}

function judgeOther(
  stretches: readonly AlertStretch[],
  experiment: Experiment,
  resolveWithinMs: number,
  { methodAt = 0 }: Evidence,
  marks: Marks,
): AlertVerdict {
  const [first] = stretches as readonly [AlertStretch, ...AlertStretch[]]
  const { name, from, labels } = first
  const { t0 } = marks
  const afterMs = t0 === undefined ? undefined : Math.max(0, from - t0.at)
  const verdict = (outcome: AlertOutcome, detail: string): AlertVerdict => ({
    name,
    mustFire: false,
    outcome,
    afterMs,
    detail,
  })
  if (!isAllowed(first, experiment.alerts?.mayFire ?? []))
    return verdict('unexpected', `It fired with ${shown(labels)} and was not expected.`)
  const own = stretches.filter(
    (stretch) => !isStanding(stretch, experiment, t0 === undefined ? methodAt : t0.at - t0.errorMs),
  )
  if (own.length === 0) return verdict('allowed', 'It may fire, and was firing before anything was broken.')
  const unresolved = notResolved(own, resolveWithinMs, marks)
  return unresolved === undefined ? verdict('allowed', 'It may fire, and did.') : verdict(...unresolved)
}

function isAllowed(stretch: AlertStretch, mayFire: readonly AlertMatcher[]): boolean {
  return mayFire.some((matcher) => isMeant(stretch, matcher))
}

function firingSince(since: number | undefined, { alerts }: Evidence): readonly AlertStretch[] {
  return alerts.filter(({ state, to }) => state === 'firing' && (since === undefined || to === undefined || to > since))
}

/**
 * Whether an alert was already active before a moment, by the first stretch from each source. One known answer is
 * enough.
 */
function wasActiveBefore(stretches: readonly AlertStretch[], moment: number, evidence: Evidence): boolean | 'unknown' {
  const firstFrom = new Map<string, number>()
  for (const { source, from } of stretches) firstFrom.set(source, Math.min(from, firstFrom.get(source) ?? from))
  const firsts = stretches.filter(({ source, from }) => from === firstFrom.get(source))
  const pendings = new Map(
    evidence.alerts.flatMap((stretch) =>
      stretch.state === 'pending'
        ? [[`${stretch.to ?? ''} ${stretch.source} ${seriesOf(stretch)}`, stretch] as const]
        : [],
    ),
  )
  const answers = firsts.map((stretch) =>
    beganBefore(stretch, pendings.get(`${stretch.from} ${stretch.source} ${seriesOf(stretch)}`), moment, evidence),
  )
  return answers.includes(true) || (answers.includes(false) ? false : 'unknown')
}

/** Whether a stretch, including the pending stretch before it, began before a moment. */
function beganBefore(
  firing: AlertStretch,
  pending: AlertStretch | undefined,
  moment: number,
  evidence: Evidence,
): boolean | 'unknown' {
  const first = pending ?? firing
  if (first.from < moment) return true
  const condition = conditionOf(first, evidence)
  if (condition !== undefined) return condition.at < moment
  return first.from - first.fromErrorMs < moment ? 'unknown' : false
}

/**
 * The earliest moment at which the fault can have had an effect. An instant fault acts just before it reports landing.
 */
function brokenAt(t0: Mark, { injections }: Evidence): number {
  return (
    Math.min(t0.at, ...injections.flatMap(({ kind, askedAt }) => (kind === 'instant' ? [askedAt] : []))) - t0.errorMs
  )
}

/**
 * Why no notification of an alert was sent: it never reached a receiver, it was silenced throughout, or its
 * notification did not arrive. `undefined`: a notification arrived, or none was expected.
 */
function whyUnheard(
  stretches: readonly AlertStretch[],
  expected: ExpectedAlert,
  since: number,
  evidence: Evidence,
): string | undefined {
  const { alertReadings, notifications } = evidence
  const deaf = alertReadings.find(
    ({ source, isReceiver }) => isReceiver === true && !stretches.some((stretch) => stretch.source === source),
  )
  if (deaf !== undefined) return `It fired, but never reached ${deaf.source}, so nobody was notified.`
  const sources = new Set(stretches.filter(({ isSilenced }) => isSilenced).map(({ source }) => source))
  for (const source of sources)
    if (stretches.every((stretch) => stretch.source !== source || stretch.isSilenced))
      return 'It fired, but was silenced or inhibited, so nobody was notified.'
  return notifications === undefined || heardOf(expected, since, evidence).length > 0
    ? undefined
    : 'It fired, but no notification arrived.'
}

/** The notifications of an alert since the earliest moment at which it can have fired. */
function heardOf(
  expected: ExpectedAlert,
  since: number,
  { notifications = [] }: Evidence,
): NonNullable<Evidence['notifications']> {
  return notifications.filter((one) => one.at >= since && one.status === 'firing' && isMeant(one, expected))
}

/** Why an alert did not resolve in time; `undefined`: it did. One late series is enough. */
function notResolved(
  stretches: readonly AlertStretch[],
  resolveWithinMs: number,
  { t4 }: Marks,
): readonly [AlertOutcome, string] | undefined {
  if (stretches.some(({ to }) => to === undefined)) return ['stuck', 'It had not resolved when the run ended.']
  if (t4 === undefined) return undefined
  const [last] = [...stretches].sort((a, b) => (b.to ?? 0) - (a.to ?? 0))
  const afterMs = (last?.to ?? 0) - t4.at
  if (afterMs - (last?.toErrorMs ?? 0) > resolveWithinMs)
    return ['stuck', `It resolved ${ms(afterMs)} after the fault ended, expected within ${ms(resolveWithinMs)}.`]
  const atMostMs = afterMs + t4.errorMs
  if (atMostMs > resolveWithinMs)
    return [
      'monitoring-down',
      `It resolved up to ${ms(atMostMs)} after the fault ended; readings are too far apart to tell whether that was within ${ms(resolveWithinMs)}.`,
    ]
  return undefined
}

/** Whether one series of one source fired again although no further fault was injected in between. */
function hasFlapped(stretches: readonly AlertStretch[], { injections }: Evidence): boolean {
  const firedAt = new Map<string, number>()
  return [...stretches]
    .sort((a, b) => a.from - b.from)
    .some((stretch) => {
      const series = `${stretch.source} ${seriesOf(stretch)}`
      const before = firedAt.get(series)
      firedAt.set(series, stretch.from)
      return before !== undefined && !injections.some(({ askedAt }) => askedAt >= before && askedAt <= stretch.from)
    })
}

/** Whether alerts were read too rarely to conclude that something did not happen. */
export function isMonitoringDown({ alertReadings }: Evidence): boolean {
  return (
    alertReadings.length === 0 ||
    alertReadings.some(({ succeeded, longestGapMs }) => succeeded === 0 || longestGapMs > MAX_READING_GAP_MS)
  )
}

function shown(labels: Labels): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ')}}`
}
