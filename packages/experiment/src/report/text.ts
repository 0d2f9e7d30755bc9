import { readReports } from '../load/rates.js'
import { loadSince } from '../load/report.js'
import type { Evidence, MarkName } from '../evidence/evidence.js'
import { MARK_WORDS } from '../evidence/mark-words.js'
import type { ExperimentResult } from '../verdict/result.js'
import { line } from './escape.js'
import { instanceLines } from './instances.js'
import { errorBar, RECOVERY_WORDS, span } from './words.js'

/**
 * Renders a result as plain text. The last line has the verdict and its cause. Untrusted text is escaped: it cannot
 * start a line or control a terminal.
 */
export function toText({ title, evidence, verdict }: ExperimentResult): string {
  const { t0 } = verdict.marks
  const zero = t0?.at ?? evidence.startedAt
  const marks = (Object.keys(MARK_WORDS) as MarkName[]).flatMap((name) => {
    const mark = verdict.marks[name]
    return mark === undefined
      ? []
      : [
          `  ${name}  ${`+${((mark.at - zero) / 1_000).toFixed(2)} s`.padStart(10)}  ${MARK_WORDS[name]}${errorBar(mark) === '' ? '' : ` (${errorBar(mark)})`}`,
        ]
  })
  const alerts = verdict.alerts.map(
    ({ name, mustFire, outcome, detail }) =>
      `  ${line(outcome).padEnd(15)} ${line(name)}${mustFire ? '' : ' (not required)'}: ${line(detail)}`,
  )
  const breached = verdict.breached.length === 0 ? 'none' : line(verdict.breached.join(', '))
  return [
    line(title),
    ...marks,
    `  time to detect   ${span(verdict.timeToDetectMs)}`,
    `  time to recover  ${span(verdict.timeToRecoverMs)} (${RECOVERY_WORDS[verdict.recovery]})`,
    `  SLIs breached    ${breached}`,
    // The seed is printed because the same seed in the experiment's step repeats the fault's decisions.
    ...evidence.injections.flatMap((injection) => {
      const { fault, target, seen, affected, seed } = injection
      return [
        `  fault            ${line(fault)} on ${line(target)}: ${affected} of ${seen} operations affected, seed ${line(seed)}`,
        ...instanceLines(injection),
      ]
    }),
    ...alerts,
    ...loadLine(evidence.load),
    ...evidence.afterwards.map(
      ({ name, bounds, sample }) =>
        `  ${sample.isGood ? 'good' : 'bad'}             ${line(name)}: ${line(sample.value ?? 'no data')} (expected ${line(bounds)})`,
    ),
    `${line(verdict.name)}: ${line(verdict.cause)}`,
  ].join('\n')
}

/** The load's counters from the first reading of the run to its end. The load may have served earlier runs. */
function loadLine(load: Evidence['load']): readonly string[] {
  if (load?.final?.report === undefined) return []
  const run = loadSince(load.final.report, readReports(load.readings)[0]?.report)
  const wrong = (['failed', 'rejected', 'lost', 'damaged', 'duplicated', 'reordered', 'undelivered'] as const).flatMap(
    (name) => (run[name] === 0 ? [] : [`${run[name]} ${name}`]),
  )
  return [
    `  load             ${run.requests} requests, ${run.acknowledged} writes acknowledged, ${wrong.length === 0 ? 'none of them lost or damaged' : wrong.join(', ')}`,
    ...run.offenders.map((offender) => `                   ${line(offender)}`),
  ]
}
