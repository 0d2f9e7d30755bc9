import { ChaosError, type JsonSchema } from '@chaos/core'
import { checkOptions, jsonSchemaOf, option, optionsSchema, printable, type OptionsOutput } from '@chaos/core/authoring'
import { capsOptions, LEASE_MS, MAX_DURATION_MS } from '../plan/check-plan.js'
import { DAYS, isTimeZone, type Window } from './windows.js'

/** What one rule of a policy allows. Everything that it states must hold; several names mean any of them. */
export interface PolicyRule {
  /** The name of the rule, for messages. */
  readonly name: string
  /** Who: the ids of the keys that sign, names or globs. */
  readonly keys: string | readonly string[]
  /** Where: the environments, names or globs. */
  readonly environments: string | readonly string[]
  /** What may be affected: the services, names or globs. All services of a run must match. */
  readonly services: string | readonly string[]
  /** How it may be broken: the full names of faults, or globs of them. */
  readonly faults: string | readonly string[]
  /** The targets in the instances, names or globs. Default: all. */
  readonly targets?: string | readonly string[] | undefined
  /** Labels that the run must select by. A value may be a glob. Default: none. */
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** When: the whole run must lie within these windows. Default: at all times. */
  readonly windows?: readonly Window[] | undefined
  /** At most how much. Default: no caps but those of the plan. */
  readonly caps?: OptionsOutput<typeof capsOptions> | undefined
  /** The longest time that a fault may stay in force, in ms. Default: one day, the longest of a plan. */
  readonly maxDurationMs?: number | undefined
  /** The longest lease, in ms. Default 60,000, the longest of a plan. */
  readonly leaseMs?: number | undefined
}

/** Who may break what, where, when and at most how much. What no rule allows is refused. */
export interface Policy {
  readonly version: 1
  /** At most 100. Without any, every run is refused. */
  readonly rules: readonly PolicyRule[]
}

const CLOCK_TIME = /^(?:[01]\d|2[0-3]):[0-5]\d$/
const END_TIME = /^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/

const windowSchema = optionsSchema({
  days: option.list(option.oneOf(DAYS, 'A day on which the window begins.'), DAYS.length, 'days'),
  from: option.matching(CLOCK_TIME, 'a time such as `09:00`', 'When it begins, by the clocks of the time zone.'),
  to: option.matching(
    END_TIME,
    'a time such as `17:00`, at most `24:00`',
    'When it ends, the end excluded. An end before the beginning is on the next day.',
  ),
  timeZone: option.text('The IANA time zone, such as `Europe/Berlin`.', 100),
})

const ruleSchema = optionsSchema({
  name: option.text('The name of the rule, for messages.', 200),
  keys: option.names('Who: the ids of the keys that sign, names or globs.'),
  environments: option.names('Where: the environments, names or globs.'),
  services: option.names('What may be affected: the services, names or globs.'),
  faults: option.names('How it may be broken: full names of faults, or globs.'),
  targets: option.optional(option.names('The targets in the instances, names or globs. Default: all.')),
  labels: option.optional(option.fields('Labels that the run must select by. A value may be a glob. Default: none.')),
  windows: option.optional(option.list(windowSchema, 50, 'windows')),
  caps: option.optional(optionsSchema(capsOptions)),
  maxDurationMs: option.optional(
    option.number('The longest time that a fault may stay in force, in ms.', 1, MAX_DURATION_MS, 'a number of ms'),
  ),
  leaseMs: option.optional(
    option.number('The longest lease, in ms. Default 60000.', LEASE_MS.min, LEASE_MS.max, 'a number of ms'),
  ),
})

const policySchema = optionsSchema({
  $schema: option.optional(option.text('The JSON Schema of the file, for editors.', 1_000)),
  version: option.count('The version of the format: 1.', 1, 1),
  rules: option.list(ruleSchema, 100, 'rules'),
})

/**
 * Checks a policy: plain data, as a JSON or YAML file holds it.
 *
 * @returns The policy, frozen.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an unknown field, an invalid value or an unknown time zone.
 */
export function parsePolicy(data: unknown): Policy {
  const { rules } = checkOptions(policySchema, data, 'the policy')
  return Object.freeze({
    version: 1,
    rules: Object.freeze(
      rules.map(({ labels, ...rule }) => {
        for (const window of rule.windows ?? []) checkWindow(window, rule.name)
        return Object.freeze({ ...rule, ...(labels === undefined ? {} : { labels: textsOf(labels, rule.name) }) })
      }),
    ),
  })
}

function checkWindow({ days, from, to, timeZone }: Window, rule: string): void {
  if (!isTimeZone(timeZone))
    throw invalid(rule, `Unknown time zone "${printable(timeZone)}". Use a name such as "Europe/Berlin"`)
  if (days.length === 0) throw invalid(rule, 'A window without days never opens. Name its days')
  if (from === to) throw invalid(rule, `A window from ${from} to ${to} is empty. A whole day is from 00:00 to 24:00`)
}

/** Labels are texts; a policy file may have read `1` as a number. */
function textsOf(labels: Readonly<Record<string, unknown>>, rule: string): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(labels))
    if (typeof value !== 'string')
      throw invalid(rule, `Expected the label \`${printable(name)}\` to be a text, got \`${printable(value)}\``)
  return labels as Readonly<Record<string, string>>
}

function invalid(rule: string, problem: string): ChaosError {
  return new ChaosError('CHAOS_INVALID_OPTION', `${problem} (rule "${printable(rule)}" of the policy).`)
}

/** The JSON Schema of a policy file, for editors. Published as `policy.schema.json`. */
export function policyJsonSchema(): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Policy of a chaos fleet',
    ...jsonSchemaOf(policySchema),
  }
}
