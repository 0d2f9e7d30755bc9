import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isChaosError } from '@chaos/core'
import { messageOf, printable, printableJson, systemClock } from '@chaos/core/authoring'
import { asReplay, type Replay } from '../explore/replay.js'
import { exploreLive, replayLive, type LiveOptions } from '../live/explore-live.js'
import { checkOf, type Invariant } from '../live/invariants.js'
import { openApp, type LiveConnection } from '../live/live-app.js'
import { liveReport, type LiveExploration } from '../live/live-exploration.js'
import { reportHtml } from '../live/report-html.js'
import { reportJson } from '../live/report-json.js'
import { stepOf } from '../live/step.js'
import { hitText } from '../search/model.js'
import type { Progress } from '../search/search.js'
import { help, readArguments, usage, type Arguments } from './arguments.js'
import { EXIT, exitCodeOfError } from './exit-codes.js'
import { jsonIn, readBounded } from './files.js'
import { controlPackage, experimentPackage } from './peers.js'
import type { Io } from './process-io.js'

/** The largest file of probes or of a finding, in bytes. */
const MAX_FILE = 1_000_000
const MAX_MESSAGE = 20_000

/**
 * Runs the `chaos-explore` command. Errors are printed, not thrown.
 *
 * @returns The exit code, one of `EXIT`.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    if (argv.length === 0 || argv.includes('--help') || argv.includes('-h')) {
      io.out(help())
      return argv.length === 0 ? EXIT.usage : EXIT.ok
    }
    return await run(readArguments(argv), io)
  } catch (error) {
    if (io.signal.aborted) {
      io.err(`interrupted (${printable(io.signal.reason)}): what was in force has been rolled back\n`)
      return EXIT.interrupted
    }
    const code = isChaosError(error) ? ` (${error.code})` : ''
    io.err(`error: ${messageOf(error, { max: MAX_MESSAGE, lines: true })}${code}\n`)
    if (exitCodeOfError(error) === EXIT.usage) io.err('next: see `chaos explore --help`\n')
    return exitCodeOfError(error)
  }
}

async function run(args: Arguments, io: Io): Promise<number> {
  const settings = await settingsIn(args, io)
  const replay = args.text('replay')
  const given = replay === undefined ? undefined : await findingsIn(replay)
  const app = openApp(() => connectTo(args, io.env), {
    restartMs: args.time('restart', 10_000),
    clock: systemClock,
    signal: io.signal,
  })
  const options = { ...settings, app }
  try {
    if (given !== undefined) return await replayAll(options, given, io)
    const exploration = await exploreLive(options)
    await tell(exploration, args, io)
    return exitCodeOf(exploration, args, io)
  } finally {
    await app.close()
  }
}

/** Connects to the process that the options select, as `chaos` does. */
async function connectTo(args: Arguments, env: NodeJS.ProcessEnv): Promise<LiveConnection> {
  const { chooseProcess, connect } = await controlPackage()
  const [url, tokenFile, socket] = [args.text('url'), args.text('token-file'), args.text('socket')]
  return connect(await chooseProcess({ url, tokenFile, socket, pid: args.text('pid'), name: args.text('name') }, env))
}

/** The findings of a report, or the one finding that a file holds. */
async function findingsIn(file: string): Promise<readonly Replay[]> {
  const value = jsonIn(await readBounded(file, MAX_FILE, '--replay'), '--replay')
  const { findings } = Object(value) as { readonly findings?: unknown }
  if (!Array.isArray(findings)) return [asReplay(value)]
  if (findings.length === 0) throw usage(`\`--replay ${printable(file)}\` has no findings to replay.`)
  return findings.map((one: unknown) => asReplay((Object(one) as { readonly replay?: unknown }).replay))
}

async function replayAll(options: LiveOptions, findings: readonly Replay[], io: Io): Promise<number> {
  const codes: number[] = []
  for (const finding of findings) {
    const { code, text } = await replayOne(options, finding)
    const hits = finding.hits.map(hitText).join(' and ')
    io.out(`${printable(hits, { max: 10_000 })}: ${printable(text, { max: MAX_MESSAGE })}\n`)
    codes.push(code)
  }
  return [EXIT.found, EXIT.inconclusive].find((code) => codes.includes(code)) ?? EXIT.ok
}

async function replayOne(
  options: LiveOptions,
  finding: Replay,
): Promise<{ readonly code: number; readonly text: string }> {
  try {
    const reason = await replayLive(options, finding)
    return reason === undefined ? { code: EXIT.ok, text: 'holds' } : { code: EXIT.found, text: `breaks: ${reason}` }
  } catch (error) {
    if (!isChaosError(error, 'CHAOS_NOT_EXPLORED')) throw error
    return { code: EXIT.inconclusive, text: messageOf(error, { max: MAX_MESSAGE }) }
  }
}

function exitCodeOf({ findings, complete, result }: LiveExploration, args: Arguments, { signal, err }: Io): number {
  if (signal.aborted) {
    err(`interrupted (${printable(signal.reason)}): what was in force has been rolled back\n`)
    return EXIT.interrupted
  }
  if (findings.length > 0) return EXIT.found
  return result.brokenAfter !== undefined || (args.isOn('complete') && !complete) ? EXIT.inconclusive : EXIT.ok
}

async function settingsIn(args: Arguments, io: Io): Promise<Omit<LiveOptions, 'app'>> {
  const load = args.text('load')
  if (load === undefined) throw usage('Name what uses the app: `--load "POST http://127.0.0.1:3000/orders"`.')
  const reset = args.text('reset')
  return {
    name: load,
    load: stepOf(load, args.text('body')),
    times: args.count('times', { min: 1, max: 1_000, byDefault: 1 }),
    invariants: await invariantsIn(args),
    reset: reset === undefined ? undefined : stepOf(reset),
    asked: { targets: args.texts('target'), faults: args.texts('fault') },
    depth: args.count('depth', { min: 1, max: 4, byDefault: 2 }),
    budgetMs: args.time('budget', 300_000),
    deadlineMs: args.time('deadline', 5_000),
    withinMs: args.time('within', 2_000),
    quietMs: args.time('quiet', 100),
    maxFindings: args.count('max-findings', { min: 1, max: 1_000_000, byDefault: 1_000_000 }),
    seed: args.text('seed') ?? '1',
    thorough: args.isOn('thorough'),
    clock: systemClock,
    signal: io.signal,
    onProgress: io.isTerminal ? (progress) => io.err(`\r${progressText(progress)}\u001b[K`) : () => undefined,
  }
}

async function invariantsIn(args: Arguments): Promise<readonly Invariant[]> {
  const checks = args.texts('check').map((text) => checkOf(stepOf(text)))
  const probes: unknown[] = []
  for (const text of args.texts('probe')) {
    const isInline = text.trimStart().startsWith('{')
    const value = jsonIn(isInline ? text : await readBounded(text, MAX_FILE, '--probe'), '--probe')
    if (Array.isArray(value)) probes.push(...(value as readonly unknown[]))
    else probes.push(value)
  }
  if (probes.length + checks.length === 0)
    throw usage(
      'Say what must be true after each run: `--check http://127.0.0.1:3000/healthz`, or `--probe` with a probe of @chaos/experiment.',
    )
  if (probes.length === 0) return checks
  const { openProbes } = await experimentPackage()
  // The package checks them.
  return [...openProbes(probes as never), ...checks]
}

function progressText({ runs, size, waiting, findings }: Progress): string {
  return `${runs} runs; ${waiting} sets of ${size} waiting; ${findings} found`
}

async function tell(exploration: LiveExploration, args: Arguments, io: Io): Promise<void> {
  if (io.isTerminal) io.err('\r\u001b[K')
  const json = printableJson(JSON.stringify(reportJson(exploration), null, 2))
  io.out(`${args.isOn('json') ? json : liveReport(exploration)}\n`)
  const folder = args.text('report')
  if (folder === undefined) return
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'explore.json'), `${json}\n`)
  await writeFile(join(folder, 'explore.html'), reportHtml(exploration))
}
