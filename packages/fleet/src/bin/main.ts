import { isChaosError } from '@chaos/core'
import { messageOf, unknownName } from '@chaos/core/authoring'
import { sdkVersion } from '../agent/identity.js'
import { readArguments, usage } from './arguments/arguments.js'
import { EXIT, exitCodeOfError, nextStep } from './process/exit-codes.js'
import { terminal, type Io, type Terminal } from './process/terminal.js'
import type { Verb } from './verb.js'
import { acl } from './verbs/acl.js'
import { audit } from './verbs/audit.js'
import { halt } from './verbs/halt.js'
import { key } from './verbs/key.js'
import { ls } from './verbs/ls.js'
import { close, open } from './verbs/open.js'
import { plan } from './verbs/plan.js'
import { render } from './verbs/render.js'
import { run } from './verbs/run.js'
import { watch } from './verbs/watch.js'
import { helpOf, helpOfVerb } from './views/help.js'

/** The verbs, in the order of help. */
const VERBS: Readonly<Record<string, Verb>> = { ls, plan, run, watch, halt, open, close, audit, acl, key, render }

/**
 * Runs the `chaos-fleet` command. Errors are printed, not thrown.
 *
 * @param argv The arguments without program and script: `['ls', '--json']`.
 * @returns The exit code: one of `EXIT`, or the code of a verdict.
 */
export async function main(argv: readonly string[], streams: Io): Promise<number> {
  const io = terminal(streams)
  const [name, ...given] = argv
  const verb = name !== undefined && Object.hasOwn(VERBS, name) ? VERBS[name] : undefined
  try {
    if (name === undefined || ['--help', '-h', 'help'].includes(name)) {
      for (const line of helpOf(VERBS)) io.out(line)
      return name === undefined ? EXIT.usage : EXIT.ok
    }
    if (name === '--version') {
      io.out(sdkVersion())
      return EXIT.ok
    }
    if (verb === undefined) throw usage(unknownName('command', name, Object.keys(VERBS)))
    if (given.includes('--help') || given.includes('-h')) {
      for (const line of helpOfVerb(name, verb)) io.out(line)
      return EXIT.ok
    }
    const args = readArguments(given, verb.options)
    const surplus = args.positionals[verb.maxPositionals ?? 0]
    if (surplus !== undefined) throw usage(`Unexpected argument \`${surplus}\`.`)
    return await verb.run(args, io)
  } catch (error) {
    printError(error, io)
    io.err(`next: ${nextStep(error, verb === undefined ? undefined : name)}`)
    return exitCodeOfError(error)
  }
}

/** The longest printed message, in lines and in characters. */
const MAX_LINES = 100
const MAX_MESSAGE = 20_000

/** Prints an error with its code. Further lines are indented, so that they do not look like output of the command. */
function printError(error: unknown, io: Terminal): void {
  const [first = '', ...more] = messageOf(error, { max: MAX_MESSAGE, lines: true }).split('\n')
  io.err(`error: ${first}${isChaosError(error) ? ` (${error.code})` : ''}`)
  for (const line of more.slice(0, MAX_LINES)) io.err(line.startsWith('  ') ? line : `  ${line}`)
  if (more.length > MAX_LINES) io.err(`  … and ${more.length - MAX_LINES} more lines`)
}
