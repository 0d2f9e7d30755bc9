import { spreadOf, type Bar, type Row } from './results.js'

const MOST_APPLIED_MS = 150
const MOST_HALTED_MS = 100
const MOST_APPLIED_MANY_MS = 1_000

/** Fleets of this many agents and more have bars of their own. */
const MANY = 1_000

/** What the rows are held to. A few trials say nothing of speed. */
export function barsOf(rows: readonly Row[], form: 'quick' | 'whole'): readonly Bar[] {
  return form === 'whole' ? [...speedOf(rows), ...safetyOf(rows)] : safetyOf(rows)
}

function speedOf(rows: readonly Row[]): readonly Bar[] {
  const few = rows.filter(({ agents }) => agents < MANY)
  const many = rows.filter(({ agents }) => agents >= MANY)
  const halts = few.filter(({ name }) => name.startsWith('halt'))
  const appliedIn = (some: readonly Row[]): number | undefined =>
    spreadOf(some.flatMap(({ appliedMs }) => appliedMs))?.median
  return [
    most('a run of 200 agents is in force, the median of all trials', MOST_APPLIED_MS, appliedIn(few)),
    most('a run of 2,000 agents is in force, the median of all trials', MOST_APPLIED_MANY_MS, appliedIn(many)),
    most(
      'a halt with the controller dead has reverted 200 agents, the median',
      MOST_HALTED_MS,
      halts[0]?.reverted?.median,
    ),
  ]
}

function safetyOf(rows: readonly Row[]): readonly Bar[] {
  const beyond = rows.filter(({ beyondMs = 0 }) => beyondMs > 0)
  const late = beyond.map(({ name, beyondMs = 0 }) => `${name}: by ${beyondMs} ms`).join('; ')
  const reapplied = rows.reduce((sum, row) => sum + row.reapplied, 0)
  const failed = rows.reduce((sum, { failures }) => sum + failures.length, 0)
  return [
    {
      name: 'every instance is whole in time, in every trial',
      limit: 'none late',
      got: late === '' ? 'none late' : late,
      isHeld: late === '',
    },
    { name: 'applied again, in all trials', limit: '0', got: String(reapplied), isHeld: reapplied === 0 },
    { name: 'trials that failed', limit: '0', got: String(failed), isHeld: failed === 0 },
  ]
}

/** What was never measured holds no bar. */
function most(name: string, limitMs: number, gotMs: number | undefined): Bar {
  return {
    name,
    limit: `${limitMs} ms`,
    got: gotMs === undefined ? 'nothing' : `${gotMs} ms`,
    isHeld: gotMs !== undefined && gotMs <= limitMs,
  }
}
