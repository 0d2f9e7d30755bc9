import { errorInfo } from '@chaos/control'
import { isChaosError } from '@chaos/core'
import { messageOf, unknownName } from '@chaos/core/authoring'
import { readArguments, usage } from './commands/arguments.js'
import type { Io } from './commands/io.js'
import { EXIT, exitCodeOfError } from './shared/exit-codes.js'
import { version } from './shared/version.js'

const VERBS = ['serve', 'open', 'close', 'audit']

const HELP = `Usage: chaos-mcp [verb]

A Model Context Protocol server, by which a model lists, plans, injects and stops faults in local Node.js processes.
Faults are refused until a person has typed \`chaos-mcp open\`.

  serve    serve over standard input and output (the default where they are no terminal)
             --folder <path>   the folder below which experiments and reports are (default: the current one)
  open     permit faults for a while; asks for a confirmation at the terminal
             --for <time>      at most 4h (default: 15m)
             --process <name>  a process id, or a name, which also permits later processes of that name; repeatable
                               (default: the processes that run now)
  close    withdraw the permit, and end what servers have in force
  audit    print the audit log
             --limit <number>  the most entries (default: 50)
             --json            one JSON document per line

  --version, --help`

/**
 * Runs the `chaos-mcp` command. Errors are printed, not thrown.
 *
 * @param argv The arguments without program and script: `['open', '--for', '15m']`.
 * @returns The exit code: one of `EXIT`.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const [verb = io.isTerminal ? '--help' : 'serve', ...given] = argv
  try {
    if (['--help', '-h', 'help'].includes(verb) || given.includes('--help')) {
      io.out(HELP)
      return argv.length === 0 ? EXIT.usage : EXIT.ok
    }
    if (verb === '--version') io.out(version)
    else if (verb === 'serve') {
      const folder = readArguments(given, { values: ['folder'] }).text('folder') ?? io.folder
      const { serve } = await import('./server/serve.js')
      const { input, output, err, env, signal } = io
      await serve({ input, output, err, env, signal, folder })
    } else if (verb === 'open') {
      const args = readArguments(given, { values: ['for', 'process'] })
      await (await import('./commands/open.js')).open(args, io)
    } else if (verb === 'close') {
      readArguments(given, {})
      ;(await import('./commands/open.js')).close(io)
    } else if (verb === 'audit') {
      const args = readArguments(given, { values: ['limit'], switches: ['json'] })
      ;(await import('./commands/audit.js')).audit(args, io)
    } else throw usage(unknownName('command', verb, VERBS))
    return EXIT.ok
  } catch (error) {
    io.err(`error: ${messageOf(error, { max: 2_000, lines: true })}${isChaosError(error) ? ` (${error.code})` : ''}`)
    const advice = isChaosError(error) ? errorInfo(error.code).advice : undefined
    io.err(`next: ${advice ?? 'see `chaos-mcp --help`'}`)
    return exitCodeOfError(error)
  }
}
