import { globMatcher, printable } from '@chaos/core/authoring'
import { ownValue } from '../plan/blast-radius.js'
import { capsProblem } from '../plan/caps.js'
import { defined } from '../plan/defined.js'
import type { Plan } from '../plan/plan.js'
import type { Policy, PolicyRule } from './policy.js'
import { areOpen } from './windows.js'

/** What a run would do, and whose key has signed it. */
export interface PolicyQuestion {
  readonly plan: Plan
  readonly keyId: string
}

/**
 * Why a policy refuses a plan, in plain words; `undefined` if one of its rules allows all of it. The controller asks before
 * it signs, and each agent before it answers that it is ready.
 *
 * @param nowMs The time, in ms since the epoch, which windows are compared with.
 */
export function checkPolicy(policy: Policy, question: PolicyQuestion, nowMs: number): string | undefined {
  let closest: { readonly place: number; readonly why: string } | undefined
  for (const rule of policy.rules) {
    let place = 0
    let why: string | undefined
    for (const check of checks) {
      why = check(rule, question, nowMs)
      if (why !== undefined) break
      place += 1
    }
    if (why === undefined) return undefined
    // The rule that allows the most of it is the one that its author means.
    if (closest === undefined || place > closest.place)
      closest = { place, why: `The policy refuses it by its closest rule, "${printable(rule.name)}": ${why}` }
  }
  return closest?.why ?? 'The policy has no rules, so it refuses every run.'
}

type Check = (rule: PolicyRule, question: PolicyQuestion, nowMs: number) => string | undefined

const matches = (patterns: string | readonly string[], name: string): boolean => globMatcher([patterns].flat())(name)

/** What a rule states, in the order in which a rule comes close. */
const checks: readonly Check[] = [
  ({ keys }, { keyId }) => (matches(keys, keyId) ? undefined : `it does not allow the key "${printable(keyId)}".`),
  ({ environments }, { plan: { environment } }) =>
    matches(environments, environment) ? undefined : `it does not allow the environment "${printable(environment)}".`,
  ({ services }, { plan: { selected } }) => {
    const other = Object.keys(selected).find((service) => !matches(services, service))
    return other === undefined ? undefined : `it does not allow the service "${printable(other)}".`
  },
  ({ targets }, { plan: { target } }) =>
    targets === undefined || matches(targets, target)
      ? undefined
      : `it does not allow the target "${printable(target)}".`,
  ({ faults }, { plan: { fault } }) =>
    matches(faults, fault) ? undefined : `it does not allow the fault "${printable(fault)}".`,
  ({ labels = {} }, { plan }) => {
    const missing = Object.entries(labels).find(([name, value]) => {
      const selected = ownValue(plan.labels, name)
      return selected === undefined || !matches(value, selected)
    })
    return missing === undefined ? undefined : `the run must select by the label ${printable(missing.join('='))}.`
  },
  ({ leaseMs = Number.POSITIVE_INFINITY }, { plan }) =>
    plan.leaseMs <= leaseMs
      ? undefined
      : `the lease of ${plan.leaseMs} ms is longer than its \`leaseMs\` of ${leaseMs}.`,
  ({ maxDurationMs = Number.POSITIVE_INFINITY }, { plan }) =>
    plan.maxDurationMs <= maxDurationMs
      ? undefined
      : `the fault would stay in force for ${plan.maxDurationMs} ms, longer than its \`maxDurationMs\` of ${maxDurationMs}.`,
  ({ caps }, { plan }) => (caps === undefined ? undefined : capsProblem(plan, defined(caps))),
  ({ windows }, { plan }, nowMs) =>
    windows === undefined || areOpen(windows, nowMs, plan.maxDurationMs)
      ? undefined
      : `none of its windows is open from now on for the ${plan.maxDurationMs} ms of the run.`,
]
