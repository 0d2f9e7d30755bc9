import { listed, suggestion } from '@chaos/core/authoring'
import type { AlertRule } from '../../alerts/reader.js'
import { shown } from '../../shared/answer.js'
import type { AlertMatcher, Experiment } from '../../model/experiment.js'

/** The facts about alerts that are known before the method. */
export interface AlertKnowledge {
  /** `undefined`: no source provides rules. */
  readonly rules: readonly AlertRule[] | undefined
  readonly rulesProblems: readonly string[]
  readonly hasAlerts: boolean
}

/** The most rule names that a message lists. */
const MAX_LISTED = 20

/** Why the alerts of an experiment cannot fire or resolve as it requires; `undefined`: nothing known prevents it. */
export function alertProblem(
  { alerts }: Experiment,
  { rules, rulesProblems, hasAlerts }: AlertKnowledge,
): string | undefined {
  if (alerts === undefined) return undefined
  const { mustFire, mayFire, mustNotFire, resolveWithinMs } = alerts
  const [first] = mustFire
  if (!hasAlerts)
    return `${first === undefined ? 'The experiment declares which alerts may fire' : `${first.name} must fire`}, but the run reads no alerts. Pass a reader as \`alerts\`.`
  const [unread] = rulesProblems
  if (unread !== undefined)
    return `The alert rules could not be read, so which alerts can fire is unknown. ${shown(unread)} Start the monitoring, or correct its address.`
  if (rules === undefined) return undefined
  for (const [list, matchers] of Object.entries({ mustFire, mayFire, mustNotFire })) {
    for (const matcher of matchers) {
      const problem = ruleProblem(matcher, list, rules)
      if (problem !== undefined) return problem
    }
  }
  for (const expected of mustFire) {
    const candidates = rulesOf(expected, rules)
    const [quickest] = [...candidates].sort((a, b) => soonestMs(a) - soonestMs(b))
    if (quickest !== undefined && expected.withinMs < soonestMs(quickest)) {
      const looks =
        soonestMs(quickest) === quickest.forMs ? '' : `, and its rule is evaluated every ${quickest.intervalMs} ms`
      return `${expected.name} cannot fire within ${expected.withinMs} ms: its condition must last ${quickest.forMs} ms${looks}. Raise its \`withinMs\`.`
    }
    const resolvesMs = Math.min(
      ...candidates.map(({ intervalMs, keepFiringForMs = 0 }) => intervalMs + keepFiringForMs),
    )
    if (resolveWithinMs < resolvesMs)
      return `${expected.name} cannot resolve within ${resolveWithinMs} ms (\`resolveWithinMs\`): its rule may take ${resolvesMs} ms to resolve it. Raise \`resolveWithinMs\`.`
  }
  return undefined
}

/** The shortest time until an alert can fire. Both the start of `for` and the firing happen at an evaluation. */
function soonestMs({ forMs, intervalMs }: AlertRule): number {
  return intervalMs === 0 ? forMs : Math.ceil(forMs / intervalMs) * intervalMs
}

/** The healthy rules that can produce a matching alert: same name, and labels that do not contradict the matcher. */
export function rulesOf(matcher: AlertMatcher, rules: readonly AlertRule[]): readonly AlertRule[] {
  const { name, labels = {} } = typeof matcher === 'string' ? { name: matcher } : matcher
  return rules.filter(
    (rule) =>
      rule.name === name &&
      rule.isHealthy &&
      Object.entries(labels).every(([label, value]) => canHave(rule, label, value)),
  )
}

function ruleProblem(matcher: AlertMatcher, list: string, rules: readonly AlertRule[]): string | undefined {
  if (rulesOf(matcher, rules).length > 0) return undefined
  const { name, labels = {} } = typeof matcher === 'string' ? { name: matcher } : matcher
  const names = [...new Set(rules.map((rule) => rule.name))]
  const named = rules.filter((rule) => rule.name === name)
  if (named.length === 0) {
    const others = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : ''
    return `Unknown alert "${shown(name)}" in \`alerts.${list}\`: the monitoring has no rule of that name. Its rules are ${listed(names.slice(0, MAX_LISTED).map((one) => shown(one)))}${others}.${suggestion(
      name.slice(0, 200),
      names.map((one) => one.slice(0, 200)),
    )}`
  }
  const [working] = named.filter(({ isHealthy }) => isHealthy)
  if (working === undefined)
    return `The monitoring says that the rule of ${shown(name)} is broken${named[0]?.problem === undefined ? '' : `: ${shown(named[0].problem, 1_000)}`}. Fix the rule.`
  const [label, value] = Object.entries(labels).find(([key, wanted]) => !canHave(working, key, wanted)) ?? ['', '']
  return `The rule of ${shown(name)} gives it ${shown(label)}="${shown(working.labels?.[label] ?? '')}", and \`alerts.${list}\` expects ${shown(label)}="${shown(value)}". Correct the label there, or in the rule.`
}

/**
 * Whether alerts of a rule can have a label value. A label that the rule sets has a fixed value unless it is a
 * template.
 */
function canHave({ labels = {} }: AlertRule, label: string, value: string): boolean {
  const set = Object.hasOwn(labels, label) ? labels[label] : undefined
  return set === undefined || set.includes('{{') || set === value
}
