import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EXIT_CODES, type ExperimentResult, type ResultJournal, type VerdictName } from '@chaos/experiment'
import type { Healthy, Outcome, Sabotage } from './sabotage.js'
import { onStage, type Ran, type Stage } from './stage.js'

/** How one run came out. */
export interface Played {
  readonly name: string
  /** `error`: neither a verdict nor a refusal. Nobody expects it. */
  readonly outcome: Outcome | 'error'
  readonly exitCode: number | null
  readonly cause: string
  /** What the run has seen; `undefined` where it wrote none. */
  readonly result: Pick<ExperimentResult, 'experiment' | 'evidence' | 'verdict'> | undefined
  readonly seenAt: Stage['seenAt']
  /** What is wrong beside the verdict. */
  readonly problems: readonly string[]
  readonly output: string
}

/** Exit codes of `chaos` for what is refused before anything is broken: a mistake in its use, and a refusal. */
const REFUSED = [2, 4]
/** Its exit code where every verdict is a pass and the reports could not be written. */
const REPORT_NOT_WRITTEN = 17

/** Plays a run for real, with an app, a load and a command of its own. */
export async function play(run: Sabotage | Healthy): Promise<Played> {
  const folder = await mkdtemp(join(tmpdir(), 'flappy-'))
  try {
    return await onStage(run, folder, async (stage) => {
      const ran = await stage.chaosRun()
      return { ...(await playedOf(run.name, ran, folder)), seenAt: { ...stage.seenAt } }
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function playedOf(name: string, { code, output, reports }: Ran, folder: string): Promise<Omit<Played, 'seenAt'>> {
  const problems: string[] = []
  const text = await readFile(join(reports, 'journal.json'), 'utf8').catch(() => undefined)
  let result: ExperimentResult | undefined
  try {
    result = text === undefined ? undefined : (JSON.parse(text) as ResultJournal).experiments[0]
  } catch {
    problems.push('journal.json is truncated.')
  }
  const byCode = (Object.keys(EXIT_CODES) as VerdictName[]).find((verdict) => EXIT_CODES[verdict] === code)
  const outcome =
    result?.verdict.name ??
    byCode ??
    (REFUSED.includes(code ?? 1) ? 'refused' : code === REPORT_NOT_WRITTEN ? 'report-not-written' : 'error')
  const lastLine =
    output
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.startsWith('report:'))
      .at(-1) ?? ''
  const cause = (
    result?.verdict.cause ?? (outcome === 'refused' ? (/^error\b.*$/m.exec(output)?.[0] ?? lastLine) : lastLine)
  ).replaceAll(folder, '…')
  return { name, outcome, exitCode: code, cause, result, problems, output: output.replaceAll(folder, '…') }
}

/** Why a run is not what it should be; empty if it is. */
export function complaints(
  { expected, cause }: Pick<Healthy, 'expected' | 'cause'>,
  played: Pick<Played, 'outcome' | 'cause' | 'problems'>,
): readonly string[] {
  return [
    ...((expected as readonly string[]).includes(played.outcome)
      ? []
      : [`Expected ${expected.join(' or ')}, got ${played.outcome}: ${played.cause}`]),
    ...(cause === undefined || cause.test(played.cause)
      ? []
      : [`Expected the cause to match ${cause}, got: ${played.cause}`]),
    ...played.problems,
  ]
}
