import { Command, CommanderError, Option } from 'commander'
import { addCommonOptions, addInjectOptions, holdOption, leaseOf } from './arguments/command-options.js'
import { parsePort } from './arguments/values.js'
import { EXIT } from './process/exit-codes.js'
import type { Io } from './view/io.js'
import type { Part, Terminal } from './view/terminal.js'
import { version } from './process/version.js'

/** The verbs of this package. Other verbs are `chaos-<verb>` programs. */
const VERBS = [
  'targets',
  'faults',
  'inject',
  'batch',
  'status',
  'watch',
  'ui',
  'renew',
  'stop',
  'audit',
  'scope',
  'run',
]

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
      '\nLocal processes are found by their control socket. Use --url for other processes, with the token in CHAOS_TOKEN or\n--token-file (every user of the machine can read a token on the command line).\n\nExamples:\n  chaos targets\n  chaos inject eventbus delay-events --delay-ms 1000 --for 10s\n  chaos scope checkout --for 10m\n  chaos run experiments/*.yaml --alerts-url http://127.0.0.1:9090 --report reports',
    )

  const verb = (name: string, description: string, takesOn = false): Command =>
    addCommonOptions(program.command(name).description(description), { takesOn })

  verb('targets', 'list the targets and their faults', true).action(async (flags) =>
    (await import('./commands/list.js')).targets(flags as never, await screen()),
  )
  verb('faults', 'list the faults and their options', true)
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
  verb('ui', 'serve the page of a process on a port of 127.0.0.1, and open it in a browser')
    .option('--port <port>', 'port of the page (default: any free port)', parsePort)
    .option('--no-open', 'print the address without opening a browser')
    .action(async (flags) => {
      code = await (await import('./commands/ui.js')).ui(flags as never, await screen())
    })
  verb('renew', 'renew the lease of an injection, which then ends that long from now')
    .argument('<id>', 'id of the injection')
    .addOption(
      new Option('--for <time>', 'how long the fault stays in force from now: 500ms, 10s, 2m').argParser(leaseOf),
    )
    .action(async (id: string, flags) =>
      (await import('./commands/renew.js')).renew(id, flags as never, await screen()),
    )
  verb('audit', 'print who changed what, and which changes were refused').action(async (flags) =>
    (await import('./commands/audit.js')).audit(flags as never, await screen()),
  )
  verb('batch', 'inject the faults of a JSON file: all of them, or none')
    .argument('<file>', 'list of injections: [{ "target": "bus", "fault": "drop-events", "leaseMs": 10000 }]')
    .addOption(holdOption())
    .action(async (file: string, flags) => {
      code = await (await import('./commands/batch.js')).batch(file, flags as never, await screen())
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
    return addCommonOptions(addInjectOptions(command), { takesOn: true })
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

  verb('scope', 'mint a header whose requests a fault can be limited to')
    .argument('[name]', 'what the id of the scope begins with (default: scope)')
    .option('--for <time>', 'how long the header counts: 30s, 10m, at most 24h (default: 10m)', leaseOf)
    .option('--id <id>', 'the whole id of the scope, such as that of a run of a fleet')
    .action(async (name: string | undefined, flags) =>
      (await import('./commands/scope.js')).scope(name, flags as never, await screen()),
    )
  verb('run', 'run experiment files and judge them', true)
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
