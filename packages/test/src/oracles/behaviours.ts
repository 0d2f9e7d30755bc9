import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { ChaosError } from '@chaos/core'
import { checkOptions, messageOf, option, optionsSchema, printable } from '@chaos/core/authoring'
import { pointText, type Hit, type Run } from '../search/model.js'

/** What a test answered under each fault alone: by point, then by kind. */
type Table = Record<string, Record<string, string>>

/** The environment variable that has tables written. */
const UPDATE_VARIABLE = 'CHAOS_UPDATE'
/** How the table tells that the test answered as it does without a fault. */
const NO_EFFECT = 'no effect'
const MAX_BYTES = 10_000_000

const schema = optionsSchema({
  version: option.count('Version of the format.', 1, 1),
  points: option.object('The answers by point and kind.'),
})

/** Compares what a test answers under each fault with what was declared. */
export interface Behaviours {
  /** Takes a run for broken if its answer was not declared. */
  readonly judge: (plan: readonly Hit[], run: Run) => Run
  /** Writes the table, if it is to be updated. */
  readonly save: () => void
}

/**
 * Opens a table of behaviours: what the test returned under each fault alone. It is a file that people review like a snapshot. An
 * answer that is not in it breaks the test. With `CHAOS_UPDATE=1` the answers are written instead.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if the file is there and is not a table, or it cannot be written.
 */
export function openBehaviours(
  file: string,
  isUpdating = ['1', 'true'].includes(process.env[UPDATE_VARIABLE] ?? ''),
): Behaviours {
  const declared = isUpdating ? {} : readTable(file)
  if (isUpdating) checkWritable(file)
  const seen: Table = {}
  let usual: string | undefined
  return {
    judge(plan, run) {
      if (run.outcome.verdict === 'breaks') return run
      if (plan.length === 0) usual ??= run.answer
      const [hit] = plan
      if (hit === undefined || plan.length > 1 || run.landed[0] !== true) return run
      const answer = run.answer === usual ? NO_EFFECT : run.answer
      const [point, kind] = [pointText(hit.point), hit.times === undefined ? hit.kind : `${hit.kind} from then on`]
      ;(seen[point] ??= {})[kind] = answer
      const expected = declared[point]?.[kind]
      if (isUpdating || expected === answer) return run
      return { ...run, outcome: { verdict: 'breaks', reason: undeclared(answer, expected, file) } }
    },
    save() {
      if (isUpdating) writeTable(file, seen)
    },
  }
}

function undeclared(answer: string, expected: string | undefined, file: string): string {
  const was = expected === undefined ? 'nothing' : `\`${printable(expected)}\``
  return `Undeclared behaviour: expected ${was}, got \`${printable(answer)}\`. If it is right, run with \`${UPDATE_VARIABLE}=1\` and review ${file}.`
}

function readTable(file: string): Table {
  try {
    const { size } = statSync(file, { throwIfNoEntry: false }) ?? { size: 0 }
    if (size === 0) return {}
    if (size > MAX_BYTES) throw new Error(`the file is larger than ${MAX_BYTES} bytes`)
    const { points } = checkOptions(schema, JSON.parse(readFileSync(file, 'utf8')), 'the table')
    return Object.fromEntries(Object.entries(points).map(([point, kinds]) => [point, textsOf(kinds)]))
  } catch (error) {
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected \`behaviours\` to name a table of behaviours, got \`${printable(file)}\`: ${messageOf(error)}`,
      { cause: error },
    )
  }
}

function textsOf(kinds: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Object(kinds) as object).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** Replaces the file at once, so that a search that is ended leaves the old table or the new one. */
function writeTable(file: string, points: Table): void {
  const sorted = Object.fromEntries(Object.entries(points).sort(([one], [other]) => (one < other ? -1 : 1)))
  written(file, () => {
    writeFileSync(newFile(file), `${JSON.stringify({ version: 1, points: sorted }, null, 2)}\n`)
    renameSync(newFile(file), file)
  })
}

const newFile = (file: string): string => `${file}.new`

/** Finds out whether the table can be written before a search is made for it. */
function checkWritable(file: string): void {
  written(file, () => {
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === false) throw new Error('it is no regular file')
    writeFileSync(newFile(file), '')
    rmSync(newFile(file))
  })
}

/** @throws ChaosError `CHAOS_INVALID_OPTION` */
function written(file: string, write: () => void): void {
  try {
    write()
  } catch (error) {
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `The table of behaviours \`${printable(file)}\` cannot be written: ${messageOf(error)}`,
      { cause: error },
    )
  }
}
