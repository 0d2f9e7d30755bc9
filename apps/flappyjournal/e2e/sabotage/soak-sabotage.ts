/**
 * Plays every sabotage for real, and every run of a correct app that must not be accused; keeps what each recorded, and writes docs/sabotage.md.
 * Fails if one of them came to what it must not.
 *
 * `--only a,b` plays some; `--part 1/3` a third of all; `--parallel N` so many at once (default 1; those that measure the machine are alone in any case); `--page` plays none,
 * and writes the page from what is recorded. The quick form plays one run a part, and records nothing.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { appFolder } from '../../src/config.js'
import { table } from '../../demo/table.js'
import { HEALTHY, SABOTAGES } from './list.js'
import { falseMarks } from './marks.js'
import { PAGE, page } from './page.js'
import { complaints, play, type Played } from './play.js'
import { record } from './recording.js'
import type { Healthy, Sabotage } from './sabotage.js'

type Run = Sabotage | Healthy

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    part: { type: 'string', default: '1/1' },
    parallel: { type: 'string', default: '1' },
    page: { type: 'boolean', default: false },
  },
})
const all: readonly Run[] = [...SABOTAGES, ...HEALTHY]
const isQuick = process.env['CHAOS_SOAK'] === 'quick'
/** One run a part, for the quick form: it records nothing. */
const QUICK = ['rule-deleted', 'supervisor-off', 'fallback-off']
/** Every n-th run belongs to a part, so that each part takes as long as another. */
const [part = 1, parts = 1] = flags.part.split('/').map(Number)
const ofPart = <T>(runs: readonly T[]): readonly T[] => runs.filter((_, index) => index % parts === part - 1)
const asked = flags.page ? [] : (flags.only?.split(',') ?? ofPart(isQuick ? QUICK : all.map(({ name }) => name)))
const stranger = asked.find((name) => all.every((run) => run.name !== name))
if (stranger !== undefined) {
  console.error(`Unknown sabotage "${stranger}". Known: ${all.map(({ name }) => name).join(', ')}.`)
  process.exit(2)
}

const MAX_ATTEMPTS = 2

/**
 * Whether a run that came to what it must not may be repeated: where the machine was too slow to tell, or to have a steady state at all; and a
 * sabotaged run that did not pass, but for another reason than its sabotage. What passed, and a correct app that was accused, are never repeated.
 */
function mayRepeat({ expected }: Run, { outcome }: Played): boolean {
  const isHealthy = (expected as readonly string[]).includes('pass')
  return (
    outcome === 'inconclusive' || outcome === 'gate-unmet' || (!isHealthy && outcome !== 'pass' && outcome !== 'error')
  )
}

const logs = join(appFolder, 'reports/sabotage')
mkdirSync(logs, { recursive: true })
mkdirSync(join(appFolder, 'e2e/recorded'), { recursive: true })

interface Row {
  readonly run: Run
  readonly played: Played
  readonly complaints: readonly string[]
  readonly attempts: number
}

async function rowOf(run: Run): Promise<Row> {
  for (let attempts = 1; ; attempts += 1) {
    const played = await play(run).catch((error: unknown): Played => ({
      name: run.name,
      outcome: 'error',
      exitCode: null,
      cause: String(error),
      result: undefined,
      seenAt: {},
      problems: [],
      output: error instanceof Error ? String(error.stack) : '',
    }))
    writeFileSync(join(logs, `${run.name}.log`), played.output)
    const marks =
      'hasTrueMarks' in run && run.hasTrueMarks && played.result !== undefined
        ? falseMarks(played.result.verdict, played.seenAt)
        : []
    const wrong = [...complaints(run, played), ...marks]
    if (wrong.length > 0 && attempts < MAX_ATTEMPTS && mayRepeat(run, played)) {
      console.log(`again ${run.name}: ${wrong.join(' ')}`)
      continue
    }
    if (played.outcome !== 'error' && !isQuick) record(played)
    console.log(
      `${wrong.length === 0 ? 'ok   ' : 'WRONG'} ${run.name}: ${played.outcome} (exit ${played.exitCode ?? 'by a signal'}) ${wrong.join(' ')}`,
    )
    return { run, played, complaints: wrong, attempts }
  }
}

// What was started ends with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const rows: Row[] = []
const chosen = all.filter(({ name }) => asked.includes(name))
const waiting = chosen.filter(({ isAlone }) => isAlone !== true)
await Promise.all(
  Array.from({ length: Math.max(1, Number(flags.parallel)) }, async () => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) rows.push(await rowOf(run))
  }),
)
for (const run of chosen.filter(({ isAlone }) => isAlone === true)) rows.push(await rowOf(run))

if (!isQuick) writeFileSync(PAGE, page())
if (rows.length > 0) {
  console.log(
    `\n${table([['run', 'experiment', 'outcome', 'exit code', 'cause'], ...rows.map(({ run, played }) => [run.name, run.experiment, played.outcome, String(played.exitCode ?? ''), played.cause.replace(/(.{1,90})(?:\s|$)/g, '$1\n').trim()])])}\n`,
  )
}
const repeated = rows.filter(({ attempts }) => attempts > 1)
if (repeated.length > 0)
  console.log(
    `The machine was too slow, or something else than the sabotage was found first, so that these were repeated: ${repeated.map(({ run, attempts }) => `${run.name} (${attempts} times)`).join(', ')}.`,
  )
const wrong = rows.filter((row) => row.complaints.length > 0)
for (const { run, complaints: words } of wrong) console.log(`WRONG ${run.name}: ${words.join(' ')}`)
console.log(
  `${rows.length} runs, ${wrong.length} wrong, ${rows.filter(({ run, played }) => !(run.expected as readonly string[]).includes('pass') && played.outcome === 'pass').length} false passes.`,
)
process.exit(wrong.length === 0 ? 0 : 1)
