import type { PortableInjectOptions } from '@chaos/core'
import type { FleetControllerOptions } from '../../controller/fleet-controller.js'
import { defined } from '../../plan/defined.js'
import { usage, type Arguments, type OptionSpecs } from './arguments.js'
import { fleetOptions, reasonOption } from './common-options.js'

/** The options of one fault, which an experiment states for each step. */
const faultOptions = {
  for: { value: '<time>', help: 'one fault: how long it stays in force: 30s, 10m (default: 60s)' },
  option: { value: '<name=value>', isMany: true, help: 'one fault: an option of it; the value is JSON, or a text' },
  rate: { value: '<share>', help: 'one fault: share of the operations to affect in each instance, 0 to 1' },
  limit: { value: '<count>', help: 'one fault: the most operations to affect in each instance' },
  'limit-per-operation': { value: '<count>', help: 'one fault: the most operations of one name to affect' },
  skip: { value: '<count>', help: 'one fault: first calls of each operation to leave unaffected' },
  every: { value: '<count>', help: 'one fault: affect every n-th call of each operation' },
  only: { value: '<name>', isMany: true, help: 'one fault: operations that it may affect: a name or a glob' },
  scope: {
    value: '<path>',
    help: 'one fault: the scope that an operation must belong to: its path or id; `request`: of requests that name the run',
  },
} satisfies OptionSpecs

/** The options of verbs that make plans. */
export const runOptions = {
  ...fleetOptions,
  ...faultOptions,
  var: { value: '<name=value>', isMany: true, help: 'an experiment: value of ${NAME} in its texts' },
  'alerts-url': { value: '<address>', help: 'an experiment: the Prometheus that evaluates the alert rules' },
  lease: {
    value: '<time>',
    help: 'the lease of the runs, 1s to 60s: whatever dies, every instance is whole after it (default: 5s)',
  },
  quorum: { value: '<share>', help: 'share of the instances that must be ready (default: 1, all)' },
  'max-instances': { value: '<count>', help: 'cap: the most instances of a run' },
  'max-share': { value: '<share>', help: 'cap: the largest share of the instances of a service, 0 to 1' },
  'min-healthy': { value: '<count>', help: 'cap: the fewest instances of each service that stay unaffected' },
  seed: { value: '<text>', help: 'seed of the choice of instances (default: chaos, so that a choice repeats)' },
  ...reasonOption,
} satisfies OptionSpecs

/** What a command is to run: an experiment, or one fault. */
export type Asked =
  | { readonly kind: 'experiment'; readonly path: string }
  | {
      readonly kind: 'fault'
      readonly target: string
      readonly fault: string
      readonly options: Readonly<Record<string, unknown>>
      readonly how: PortableInjectOptions
    }

/** @throws ChaosError `CHAOS_INVALID_OPTION` if it is neither an experiment nor a fault */
export function askedIn(args: Arguments): Asked {
  const [first, fault] = args.positionals
  if (first === undefined) throw usage('Name an experiment file, or a target and a fault.')
  if (fault !== undefined) {
    for (const name of ['var', 'alerts-url'] as const)
      if (args.texts(name).length > 0) throw usage(`\`--${name}\` is for experiments, and this is one fault.`)
    return { kind: 'fault', target: first, fault, options: optionsIn(args), how: howIn(args) }
  }
  if (!/\.(ya?ml|json|[cm]?[jt]s)$/.test(first))
    throw usage(`\`${first}\` is no experiment (.yaml, .json or a module). To break a target, name the fault after it.`)
  const misplaced = Object.keys(faultOptions).find((name) => args.texts(name).length > 0)
  if (misplaced !== undefined)
    throw usage(`\`--${misplaced}\` is for one fault. An experiment states it in each step of its method.`)
  return { kind: 'experiment', path: first }
}

/** The most options of a fault. */
const MAX_OPTIONS = 200

function optionsIn(args: Arguments): Readonly<Record<string, unknown>> {
  const given = args.texts('option')
  if (given.length > MAX_OPTIONS) throw usage(`A fault has at most ${MAX_OPTIONS} options.`)
  return assignments(given, 'option', valueOf)
}

/** Reads `name=value` pairs. */
export function assignments<T>(
  given: readonly string[],
  flag: string,
  valueIn: (text: string) => T,
): Readonly<Record<string, T>> {
  const found = new Map<string, T>()
  for (const text of given) {
    const [, name, value] = /^([A-Za-z_]\w{0,99})=(.*)$/s.exec(text) ?? []
    if (name === undefined || value === undefined)
      throw usage(
        `Expected \`--${flag}\` to be name=value, with a name of letters, digits and underscores, got \`${text}\`.`,
      )
    if (found.has(name)) throw usage(`\`--${flag} ${name}=…\` was given twice. Give it once.`)
    found.set(name, valueIn(value))
  }
  return Object.fromEntries(found)
}

/** JSON where it is JSON, such as a number; else a text. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

function howIn(args: Arguments): PortableInjectOptions {
  const only = args.texts('only')
  const leaseMs = args.time('for')
  if (leaseMs === 0) throw usage('Expected `--for` to be longer than 0.')
  return defined({
    leaseMs,
    rate: args.number('rate'),
    limit: args.number('limit'),
    limitPerOperation: args.number('limit-per-operation'),
    skip: args.number('skip'),
    every: args.number('every'),
    only: only.length === 0 ? undefined : only,
    scope: args.text('scope'),
  })
}

/** What the options of a command say about all of its runs. The rest has its defaults. */
export function settingsIn(
  args: Arguments,
): Pick<FleetControllerOptions, 'leaseMs' | 'quorum' | 'caps' | 'seed' | 'reason'> {
  const caps = defined({
    maxInstances: args.number('max-instances'),
    maxShare: args.number('max-share'),
    minHealthy: args.number('min-healthy'),
  })
  return defined({
    leaseMs: args.time('lease'),
    quorum: args.number('quorum'),
    caps: Object.keys(caps).length === 0 ? undefined : caps,
    seed: args.text('seed'),
    reason: args.text('reason'),
  })
}
