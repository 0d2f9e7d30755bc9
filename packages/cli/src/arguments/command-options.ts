import { InvalidArgumentError, Option, type Command } from 'commander'
import type { PortableInjectOptions } from '@chaos/core'
import { parseDuration } from './duration.js'
import type { ProcessFlags } from '@chaos/control'
import { addScopeOptions, type ScopeFlags } from './scope-options.js'
import { namesOf, parseNumber } from './values.js'

/** The options of every command. */
export interface CommonFlags extends ProcessFlags {
  /** A URL that a package connects to, in place of a process. */
  readonly on?: string
  readonly json?: boolean
}

/** The options of `chaos inject` itself, without those of the fault. */
export interface InjectFlags extends CommonFlags, ScopeFlags, Omit<PortableInjectOptions, 'leaseMs' | 'scope'> {
  /** How long the fault stays in force, in ms. */
  readonly for?: number
  readonly hold?: 'lease' | 'connection'
  readonly dryRun?: boolean
}

/**
 * Adds the options that select a process, and `--json`.
 *
 * @param takesOn Whether the command works with `--on`. Help of other commands does not show it.
 */
export function addCommonOptions(command: Command, { takesOn }: { readonly takesOn: boolean }): Command {
  const on = new Option('--on <url>', 'URL that an installed package connects to, in place of a process').hideHelp(
    !takesOn,
  )
  return command
    .addOption(on)
    .option('--url <address>', 'URL of a mounted endpoint, such as http://127.0.0.1:3000/chaos')
    .option('--token-file <file>', 'file with the token of that endpoint')
    .option('--socket <path>', 'path of a control socket')
    .option('--pid <pid>', 'process id of a local process', pidOf)
    .option('--name <name>', 'name of a local process')
    .option('--json', 'one JSON document on standard output')
}

/** Adds the options for blast radius, lease and identity of an injection. */
export function addInjectOptions(command: Command): Command {
  return addScopeOptions(command)
    .option('--for <time>', 'how long the fault stays in force: 500ms, 10s, 2m (default: 60s)', leaseOf)
    .option('--rate <share>', 'share of operations to affect, from 0 to 1', parseNumber)
    .option('--limit <count>', 'maximum number of operations to affect', parseNumber)
    .option('--limit-per-operation <count>', 'maximum number of operations to affect per name', parseNumber)
    .option('--skip <count>', 'number of first calls of each operation to leave unaffected', parseNumber)
    .option('--every <count>', 'affect every n-th call of each operation', parseNumber)
    .option('--only <name...>', 'operations that the fault may affect: names or globs', namesOf)
    .option('--seed <text>', 'seed of the decisions; the same seed and id repeat them')
    .option('--id <id>', 'id of the injection')
    .option('--dry-run', 'perform all checks without injecting')
    .addOption(holdOption())
}

/** The option for what ends a fault besides its lease. */
export const holdOption = (): Option =>
  new Option(
    '--hold <how>',
    'connection: keep running, and end the fault when this command ends for any reason',
  ).choices(['lease', 'connection'])

/** Parses a lease, which needs a unit: a number alone could be read as seconds or as ms. */
export function leaseOf(text: string): number {
  if (/^[\d.]+$/.test(text)) throw new InvalidArgumentError(`Add a unit: \`${text}s\`, \`${text}ms\` or \`${text}m\`.`)
  const leaseMs = parseDuration(text)
  if (leaseMs === 0) throw new InvalidArgumentError('Expected a time longer than 0.')
  return leaseMs
}

function pidOf(text: string): string {
  if (!/^[1-9]\d{0,9}$/.test(text))
    throw new InvalidArgumentError('Expected a process id, which is a whole number. To select by name, use `--name`.')
  return text
}
