import { Command, CommanderError } from 'commander'
import { addCommonOptions, addInjectOptions } from './arguments/command-options.js'
import { EXIT } from './process/exit-codes.js'
import type { Io } from './view/io.js'
import type { Part, Terminal } from './view/terminal.js'
import { version } from './process/version.js'

/** The verbs of this package. Other verbs are `chaos-<verb>` programs. */
const VERBS = ['targets', 'faults', 'inject', 'status', 'watch', 'stop', 'run']

/**
 * Runs the `chaos` command. Each verb is loaded when it is used, so `--version` and `--help` answer at once. Errors are
 * printed, not thrown.
 *
 * @param argv The arguments without program and script: `['inject', 'eventbus', 'delay-events']`.
 * @returns The exit code: one of `EXIT`, or the code of a verdict.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.ok
  const screen = async (): Promise<Terminal> => (await import('./view/terminal.js')).terminal(io)
  /** Messages of commander. They contain arguments, so they are escaped when printed. */
  const complaints: string[] = []
  const program = new Command('chaos')
    .description('Injects faults into a running Node.js process, and judges how the system copes.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) =>
        text
          .trimEnd()
          .split('\n')
          .forEach((line) => io.out(line)),
      writeErr: (text) => void complaints.push(text.trimEnd()),
    })
    .addHelpText(
      'after',
      '\nLocal processes are found by their control socket. Use --url for other processes, with the token in CHAOS_TOKEN or\n--token-file (every user of the machine can read a token on the command line).\n\nExamples:\n  chaos targets\n  chaos inject eventbus delay-events --delay-ms 1000 --for 10s\n  chaos run experiments/*.yaml --alerts-url http://127.0.0.1:9090 --report reports',
    )

  const verb = (name: string, description: string): Command =>
    addCommonOptions(program.command(name).description(description))

  verb('targets', 'list the targets and their faults').action(async (flags) =>
    (await import('./commands/list.js')).targets(flags as never, await screen()),
  )
  verb('faults', 'list the faults and their options')
    .argument('[target]', 'list only the faults of this target')
    .action(async (target: string | undefined, flags) => {
      const taken = new Set(injectCommand().options.map(({ long }) => long ?? ''))
      await (await import('./commands/list.js')).faults(target, flags as never, taken, await screen())
    })
  verb('status', 'list the injections in force')
    .option('--all', 'also list ended injections')
    .action(async (flags) => (await import('./commands/list.js')).status(flags as never, await screen()))
  verb('watch', 'print events as they happen')
    .option('--hits', 'also print every hit')
    .action(async (flags) => {
      code = await (await import('./commands/watch.js')).watch(flags as never, await screen())
    })
  verb('stop', 'end injections')
    .argument('[ids...]', 'ids of injections')
    .option('--all', 'end every injection of the process, including those of other clients')
    .action(async (ids: string[], flags) =>
      (await import('./commands/stop.js')).stop(ids, flags as never, await screen()),
    )
  /** `chaos inject` without the options of a fault, which are known only after the process was asked. */
  const injectCommand = (): Command => {
    const command = new Command('inject').copyInheritedSettings(program).helpOption(false)
    command.argument('<target>', 'name of the target').argument('<fault>', 'name of the fault, or a prefix of it')
    return addCommonOptions(addInjectOptions(command))
  }
  const injectVerb = injectCommand()
    .description('inject a fault; `chaos inject <target> <fault> --help` lists its options')
    .option('--help', 'show the options; after a target and a fault, also those of the fault')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (target: string, fault: string, flags) => {
      const call = { target, fault, args: argv.slice(1), flags: flags as never, command: injectCommand }
      code = await (await import('./commands/inject.js')).inject(call, await screen())
    })
  program.addCommand(injectVerb)

  verb('run', 'run experiment files and judge them')
    .argument('<files...>', 'experiments: YAML, JSON, modules, or folders of YAML and JSON')
    .option(
      '--alerts-url <address>',
      'address of the Prometheus that evaluates the alert rules; also ${ALERTS_URL} in the files',
    )
    .option('--alertmanager-url <address>', 'address of an Alertmanager')
    .option('--watchdog <alert>', 'an alert that always fires, which proves that alerting works')
    .option('--webhook', 'receive notifications of an Alertmanager, and print the address')
    .option('--webhook-port <port>', 'port of 127.0.0.1 for notifications (default: any free port)')
    .option('--var <name=value...>', 'value of ${NAME} in the files, such as APP_URL=http://127.0.0.1:3000')
    .option('--report <directory>', 'write journal.json, junit.xml and report.html there')
    .action(async (files: string[], flags) => {
      code = await (await import('./commands/run.js')).run(files, flags as never, await screen())
    })

  const [name] = argv
  try {
    if (name !== undefined && !name.startsWith('-') && name !== 'help' && !VERBS.includes(name))
      return await (await import('./commands/other-verb.js')).otherVerb(name, argv.slice(1), VERBS, await screen())
    if (
      name === 'inject' &&
      argv.includes('--help') &&
      argv.filter((argument) => !argument.startsWith('-')).length < 3
    ) {
      injectVerb.outputHelp()
      return EXIT.ok
    }
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    const mistake = isOf(error, CommanderError) ? error : undefined
    if (mistake?.exitCode === 0) return EXIT.ok
    const { Interrupted } = await import('./commands/command.js')
    if (isOf(error, Interrupted)) {
      io.err(error.message)
      return EXIT.interrupted
    }
    const { exitCodeOfError, nextStep } = await import('./process/failures.js')
    const { err } = await screen()
    const { bold, red } = await import('./view/terminal.js')
    if (mistake !== undefined) for (const line of complaints.flatMap((text) => text.split('\n'))) err(line)
    else
      printError(
        (await import('@chaos/core/authoring')).messageOf(error, { max: MAX_MESSAGE, lines: true }),
        red('error'),
        err,
      )
    err(
      bold('next'),
      `: ${nextStep(
        error,
        VERBS.find((verb) => verb === name),
      )}`,
    )
    return mistake === undefined ? exitCodeOfError(error) : EXIT.usage
  }
}

/** `instanceof` for any thrown value, including a proxy that throws when it is read. */
function isOf<T>(error: unknown, kind: new (...args: never) => T): error is T {
  try {
    return error instanceof kind
  } catch {
    return false
  }
}

/** The longest printed message, in lines and in characters. */
const MAX_LINES = 100
const MAX_MESSAGE = 20_000

/** Prints an error message. Further lines are indented, so that they do not look like output of the command. */
function printError(message: string, mark: Part, err: Terminal['err']): void {
  const [first = '', ...more] = message.split('\n')
  err(mark, `: ${first}`)
  for (const line of more.slice(0, MAX_LINES)) err(line.startsWith('  ') ? line : `  ${line}`)
  if (more.length > MAX_LINES) err(`  … and ${more.length - MAX_LINES} more lines`)
}
