import { parseArgs } from 'node:util'
import { ChaosError } from '@chaos/core'
import { messageOf, MAX_TIMER_MS, printable, unknownName } from '@chaos/core/authoring'

/** An option of the command. */
interface OptionSpec {
  /** What help shows for its value. Absent: a switch. */
  readonly value?: string
  readonly isMany?: true
  readonly help: string
}

/** The options, in the order of help. */
const OPTIONS = {
  load: { value: '<step>', help: 'what uses the app: `POST http://127.0.0.1:3000/orders`, or a command' },
  body: { value: '<json>', help: 'body of a request of --load' },
  times: { value: '<count>', help: 'how often a run calls the load, 1 to 1000 (default: 1)' },
  probe: { value: '<json|file>', isMany: true, help: 'a probe of @chaos/experiment, or a JSON file of one or several' },
  check: { value: '<step>', isMany: true, help: 'a request or a command that must succeed after each run' },
  reset: { value: '<step>', help: 'a request or a command that puts back what a run has changed' },
  target: { value: '<name>', isMany: true, help: 'try the faults of this target alone' },
  fault: {
    value: '<[target:]fault[=options]>',
    isMany: true,
    help: 'try this fault (default: all standing faults that need no options)',
  },
  depth: { value: '<count>', help: 'the largest number of faults in one run, 1 to 4 (default: 2)' },
  budget: { value: '<time>', help: 'no set is begun later (default: 5m)' },
  deadline: { value: '<time>', help: 'a load that takes longer hangs (default: 5s)' },
  within: { value: '<time>', help: 'the longest time until the probes and checks hold after a run (default: 2s)' },
  quiet: { value: '<time>', help: 'a run ends when the app makes no call for this long (default: 100ms)' },
  restart: { value: '<time>', help: 'the longest wait for an app that ended under faults (default: 10s)' },
  'max-findings': { value: '<count>', help: 'end after this many findings (default: all)' },
  seed: { value: '<text>', help: 'seed of the audit (default: 1)' },
  thorough: { help: 'run also what would be inferred from other runs' },
  complete: { help: 'exit with 16 unless nothing was left out' },
  replay: { value: '<file>', help: 'run just the findings of this report, or this finding' },
  report: { value: '<folder>', help: 'write explore.json and explore.html there' },
  json: { help: 'one JSON document on standard output' },
  url: { value: '<address>', help: 'URL of a mounted endpoint; its token is in CHAOS_TOKEN or --token-file' },
  'token-file': { value: '<file>', help: 'file with the token of that endpoint' },
  socket: { value: '<path>', help: 'path of a control socket' },
  pid: { value: '<pid>', help: 'process id of a local process' },
  name: { value: '<name>', help: 'name of a local process' },
} satisfies Readonly<Record<string, OptionSpec>>

type Name = keyof typeof OPTIONS

/** What was typed. */
export interface Arguments {
  text(name: Name): string | undefined
  texts(name: Name): readonly string[]
  isOn(name: Name): boolean
  time(name: Name, byDefault: number): number
  count(name: Name, range: { readonly min: number; readonly max: number; readonly byDefault: number }): number
}

const MAX_ARGUMENT = 65_536
/** The most values of one option. */
const MAX_VALUES = 100

/** @throws ChaosError `CHAOS_INVALID_OPTION` */
export function readArguments(given: readonly string[]): Arguments {
  if (given.some(({ length }) => length > MAX_ARGUMENT))
    throw usage(`An argument is longer than ${MAX_ARGUMENT} characters.`)
  const values = parsed(given)
  const texts = (name: Name): readonly string[] => {
    const found = values[name]
    const all = Array.isArray(found) ? found.filter((one) => typeof one === 'string') : []
    if (all.length > MAX_VALUES) throw usage(`\`--${name}\` was given more than ${MAX_VALUES} times.`)
    return all
  }
  const text = (name: Name): string | undefined => {
    const [first, ...more] = texts(name)
    if (more.length > 0) throw usage(`\`--${name}\` was given ${1 + more.length} times. Give it once.`)
    return first
  }
  return {
    text,
    texts,
    isOn: (name) => values[name] === true,
    time(name, byDefault) {
      const found = text(name)
      return found === undefined ? byDefault : timeOf(found, name)
    },
    count(name, { min, max, byDefault }) {
      const found = text(name)
      if (found === undefined) return byDefault
      const value = /^\d{1,9}$/.test(found) ? Number(found) : Number.NaN
      if (value >= min && value <= max) return value
      throw usage(`Expected \`--${name}\` to be a whole number from ${min} to ${max}, got \`${printable(found)}\`.`)
    },
  }
}

function parsed(given: readonly string[]): Readonly<Record<string, unknown>> {
  try {
    const { values } = parseArgs({
      args: [...given],
      options: Object.fromEntries(
        Object.entries<OptionSpec>(OPTIONS).map(([name, { value }]) => [
          name,
          value === undefined ? { type: 'boolean' as const } : { type: 'string' as const, multiple: true },
        ]),
      ),
    })
    return values
  } catch (error) {
    const said = messageOf(error, { max: 500 })
    const unknown = /Unknown option '(--?[^']*)'/.exec(said)?.[1]
    const known = Object.keys(OPTIONS).map((name) => `--${name}`)
    throw usage(unknown === undefined ? said : unknownName('option', unknown, known))
  }
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

function timeOf(text: string, name: Name): number {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text.trim()) ?? []
  const ms = Number(amount) * (UNIT_MS[unit ?? ''] ?? Number.NaN)
  if (ms >= 0 && ms <= MAX_TIMER_MS) return ms
  throw usage(`Expected \`--${name}\` to be a time such as 500ms, 5s or 2m, got \`${printable(text)}\`.`)
}

export const usage = (message: string): ChaosError => new ChaosError('CHAOS_INVALID_OPTION', message)

/** The help of the command. */
export function help(): string {
  const rows = Object.entries<OptionSpec>(OPTIONS).map(([name, { value, isMany, help: text }]) => ({
    left: `  --${name}${value === undefined ? '' : ` ${value}`}${isMany === true ? '…' : ''}`,
    text,
  }))
  const width = Math.max(...rows.map(({ left }) => left.length)) + 2
  return [
    'Usage: chaos explore --load <step> (--probe <probe> | --check <step>)… [options]',
    '',
    'Runs the load of a live app under every fault, then under two at a time, and reads the probes after each run.',
    '',
    ...rows.map(({ left, text }) => `${left.padEnd(width)}${text}`),
    '',
    'Exit codes: 0 nothing found, 2 usage, 3 unreachable, 4 refused, 10 found, 16 not explored, 130 interrupted.',
    '',
  ].join('\n')
}
