import { ChaosError } from '@chaos/core'
import { printable, unknownName } from '@chaos/core/authoring'

/** What the command was asked for. */
export interface Arguments {
  readonly host: string
  readonly port: number
  /** The file with the proxies to begin with. */
  readonly config: string | undefined
  readonly seed: string | undefined
  readonly maxLeaseMs: number | undefined
  readonly maxToxics: number | undefined
  readonly proxyMetrics: boolean
  readonly runtimeMetrics: boolean
  readonly help: boolean
  readonly version: boolean
}

const TEXTS: readonly string[] = ['host', 'port', 'config', 'seed', 'max-lease', 'max-toxics']
const SWITCHES: readonly string[] = ['proxy-metrics', 'runtime-metrics', 'help', 'version']

/**
 * Reads the arguments of the command, with one dash or two, as Toxiproxy does.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an unknown option or an invalid value.
 */
export function readArguments(given: readonly string[]): Arguments {
  const values = parsed(given)
  const [maxLease, maxToxics] = [values.get('max-lease'), values.get('max-toxics')]
  return {
    host: values.get('host') ?? 'localhost',
    port: portOf(values.get('port') ?? '8474'),
    config: nonEmpty(values.get('config')),
    seed: nonEmpty(values.get('seed')),
    maxLeaseMs: maxLease === undefined ? undefined : durationOf(maxLease),
    maxToxics: maxToxics === undefined ? undefined : countOf(maxToxics),
    proxyMetrics: values.has('proxy-metrics'),
    runtimeMetrics: values.has('runtime-metrics'),
    help: values.has('help'),
    version: values.has('version'),
  }
}

/** The options with their values; a switch that is on has none. A value may begin with a dash, as a seed of Toxiproxy's may. */
function parsed(given: readonly string[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  const left = [...given]
  for (let argument = left.shift(); argument !== undefined; argument = left.shift()) {
    const [, found = '', stated] = /^--?([a-z][\w-]*)(?:=(.*))?$/s.exec(argument) ?? []
    const name = found === 'h' ? 'help' : found
    if (SWITCHES.includes(name)) {
      if (isOn(name, stated)) values.set(name, '')
      else values.delete(name)
    } else if (TEXTS.includes(name)) values.set(name, stated ?? left.shift() ?? missing(name))
    else
      throw usage(
        unknownName(
          'option',
          argument,
          [...TEXTS, ...SWITCHES].map((known) => `--${known}`),
        ),
      )
  }
  return values
}

/** What a switch says, `-proxy-metrics=true`: Go's words for it. */
function isOn(name: string, stated = 'true'): boolean {
  if (/^(?:1|t|true)$/i.test(stated)) return true
  if (/^(?:0|f|false)$/i.test(stated)) return false
  throw usage(`Expected \`--${name}\` to be alone, \`true\` or \`false\`, got \`${printable(stated)}\`.`)
}

function missing(name: string): never {
  throw usage(`Expected a value after \`--${name}\`, got none.`)
}

/** Toxiproxy takes an empty value for none. */
const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text)

function portOf(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw usage(`Expected \`--port\` to be a number from 0 to 65535, got \`${printable(text)}\`.`)
}

function countOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw usage(`Expected \`--max-toxics\` to be a whole number, got \`${printable(text)}\`.`)
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

function durationOf(text: string): number {
  const [, count, unit = ''] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? []
  if (count !== undefined) return Number(count) * (UNITS[unit] as number)
  throw usage(`Expected \`--max-lease\` to be a time such as \`30s\`, \`10m\` or \`2h\`, got \`${printable(text)}\`.`)
}

const usage = (message: string): ChaosError => new ChaosError('CHAOS_INVALID_OPTION', message)
