import { InvalidArgumentError, Option, type Command } from 'commander'
import type { PortableInjectOptions } from '@chaos/core'
import { parseDuration } from './duration.js'
import type { ProcessFlags } from './choose-process.js'
import { namesOf, parseNumber } from './values.js'

/** Options that every command takes. */
export interface CommonFlags extends ProcessFlags {
  readonly json?: boolean
}

/** Options of `chaos inject`, besides those of the fault. */
export interface InjectFlags extends CommonFlags, Omit<PortableInjectOptions, 'leaseMs'> {
  /** How long the fault stays in force, in ms. */
  readonly for?: number
  readonly hold?: 'lease' | 'connection'
  readonly dryRun?: boolean
}

/** Adds the options that say which process is meant. */
export function addCommonOptions(command: Command): Command {
  return command
    .option('--url <address>', 'address of a mounted endpoint: http://127.0.0.1:3000/chaos')
    .option('--token-file <file>', 'file with the token of that endpoint')
    .option('--socket <path>', 'path of a control socket')
    .option('--pid <pid>', 'process id of a local process', pidOf)
    .option('--name <name>', 'name of a local process')
    .option('--json', 'one JSON document on standard output')
}

/** Adds the options that say how much of a target is affected, and for how long. */
export function addInjectOptions(command: Command): Command {
  return command
    .option('--for <time>', 'how long it stays in force: 500ms, 10s, 2m (default: 60s)', leaseOf)
    .option('--rate <share>', 'share of the operations to affect, 0 to 1', parseNumber)
    .option('--limit <count>', 'operations to affect in all', parseNumber)
    .option('--limit-per-operation <count>', 'operations to affect per name', parseNumber)
    .option('--skip <count>', 'calls of each operation to let pass first', parseNumber)
    .option('--every <count>', 'affect every n-th call of each operation', parseNumber)
    .option('--only <name...>', 'operations it may affect: names or globs', namesOf)
    .option('--seed <text>', 'same seed and id, same decisions')
    .option('--id <id>', 'name of the injection')
    .option('--dry-run', 'check everything that injecting would check, and break nothing')
    .addOption(
      new Option('--hold <how>', 'connection: stay, and end the fault when this command ends, however it ends').choices(
        ['lease', 'connection'],
      ),
    )
}

/** A lease needs its unit: a number alone would be taken for seconds by one reader and for ms by another. */
function leaseOf(text: string): number {
  if (/^[\d.]+$/.test(text)) throw new InvalidArgumentError(`Add a unit: \`${text}s\`, \`${text}ms\` or \`${text}m\`.`)
  const leaseMs = parseDuration(text)
  if (leaseMs === 0) throw new InvalidArgumentError('Expected a time longer than 0.')
  return leaseMs
}

function pidOf(text: string): string {
  if (!/^[1-9]\d{0,9}$/.test(text))
    throw new InvalidArgumentError('Expected a process id, a whole number. `--name` takes the name of a process.')
  return text
}
