import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { ExperimentResult, ResultJournal } from '@chaos/experiment'
import type { Role } from '@chaos/fleet/controller'
import { appFolder } from '../../src/config.js'
import type { Stage } from './stage.js'

/** How a command has ended. */
export interface Ended {
  /** `undefined` after a signal. */
  readonly code: number | undefined
  /** What it printed, if that was not shown. */
  readonly out: string
}

/** A running `chaos` command. */
export interface Command {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
}

/** How a command runs. */
export interface CommandOptions {
  /** Whose credential it has. */
  readonly as: Role
  readonly signal: AbortSignal
  /** Whether its output is kept, and its exit code shown in place of it. Default `false`. */
  readonly isQuiet?: boolean
}

const bin = join(createRequire(import.meta.url).resolve('@chaos/cli/package.json'), '..', 'dist', 'bin.js')

/** Starts `chaos` as people would, and shows the command line. It ends with the demo at the latest. */
function startChaos(
  { keyFile, urlOf }: Pick<Stage, 'keyFile' | 'urlOf'>,
  args: readonly string[],
  { as, signal, isQuiet = false }: CommandOptions,
): Command {
  const line = `$ chaos ${args.map((arg) => shown(arg)).join(' ')}   (as ${as})`
  if (!isQuiet) console.log(line)
  const output = isQuiet ? 'pipe' : 'inherit'
  const child = spawn(process.execPath, [bin, ...args], {
    // Where the command finds the packages that the app depends on.
    cwd: appFolder,
    stdio: ['ignore', output, output],
    env: {
      ...process.env,
      CHAOS_FLEET_URL: urlOf(as),
      CHAOS_FLEET_PASSWORD: new URL(urlOf(as)).password,
      CHAOS_FLEET_KEY: keyFile,
    },
  })
  let out = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (out += text))
  const stop = (): void => void child.kill('SIGTERM')
  const killWithUs = (): void => void child.kill('SIGKILL')
  signal.addEventListener('abort', stop, { once: true })
  process.once('exit', killWithUs)
  // 'close', unlike 'exit', comes after all of the output.
  const ended = once(child, 'close').then(([code]: (number | null)[]) => {
    signal.removeEventListener('abort', stop)
    process.off('exit', killWithUs)
    if (isQuiet) console.log(`${line}: exit code ${code ?? 'none'}`)
    return { code: code ?? undefined, out }
  })
  return { process: child, ended }
}

/** The exit code of `chaos` where Redis did not answer in time. */
const UNREACHABLE = 3

/** Runs `chaos` to its end. @throws The reason of the signal if that aborts */
export function chaos(
  stage: Pick<Stage, 'keyFile' | 'urlOf'>,
  args: readonly string[],
  options: CommandOptions,
): Promise<Ended> {
  return toTheEnd(() => startChaos(stage, args, options), options.signal)
}

/** Waits for the end of a command, which runs once more if the machine was too slow for Redis to answer. */
async function toTheEnd(start: () => Command | Promise<Command>, signal: AbortSignal): Promise<Ended> {
  const first = await (await start()).ended
  signal.throwIfAborted()
  if (first.code !== UNREACHABLE) return first
  console.log('Redis did not answer in time: once more.')
  const second = await (await start()).ended
  signal.throwIfAborted()
  return second
}

/** An argument as it would be typed. */
function shown(arg: string): string {
  return /[\s?]/.test(arg) ? `"${arg}"` : arg
}

/** Returns the path of an experiment of the fleet, from the folder of the app. */
export function experimentFile(name: string): string {
  return join('experiments', 'fleet', `${name}.yaml`)
}

/** Starts an experiment on the fleet: the process is its controller. */
export async function startRun(stage: Stage, name: string, reports: string, signal: AbortSignal): Promise<Command> {
  const directory = join(reports, name)
  // An earlier run's must not be taken for this one's.
  await rm(join(directory, 'journal.json'), { force: true })
  const file = experimentFile(name)
  // Every user of a machine can read the arguments of a command, so the password is a variable.
  const on = new URL(stage.urlOf('controller'))
  on.password = ''
  return startChaos(stage, ['run', file, '--on', on.href, '--alerts-url', stage.alertsUrl, '--report', directory], {
    as: 'controller',
    signal,
  })
}

/** Runs an experiment on the fleet to its end. @throws The reason of the signal if that aborts */
export function wholeRun(stage: Stage, name: string, reports: string, signal: AbortSignal): Promise<Ended> {
  return toTheEnd(() => startRun(stage, name, reports, signal), signal)
}

/** Reads the result that a run has written; `undefined` if it was refused. */
export async function resultOf(name: string, reports: string): Promise<ExperimentResult | undefined> {
  const text = await readFile(join(reports, name, 'journal.json'), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as ResultJournal).experiments[0]
}
