// `npm run soak -- kills`: what controlling processes hold when they are harmed at random moments. The whole soak needs a quiet machine, and PAGES=write puts its figures into docs/killed-controllers.md.
import { cpus } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeTable } from '../../src/page-table.js'
import { controlledApp, type ControlledApp } from './controlled-app.js'
import type { Controls, Harm } from './controlling-process.js'
import { tryHarm, type Trial } from './trial.js'

const isQuick = process.env['CHAOS_SOAK'] !== 'whole'
/** Moments of each row. */
const MOMENTS = isQuick ? 8 : 100
/** Processes at a time. An endpoint has at most 32 event streams. */
const AT_ONCE = isQuick ? 4 : 8
/** A client is harmed in one of its first turns, each of which says four things, or while it connects. */
const SAID_BY_CLIENT = 13
/** How long after it has said something, in ms, and how long it lets a fault hit at most. */
const AFTER_MS = 50
const HITS_MS = 100
/** How long a command takes that injects, in ms: one of two is harmed meanwhile. */
const COMMAND_MS = 1_000
const LEASE_MS = 2_000
/** How late a timer may fire that ends a lease, in ms. */
const TIMER_MS = 100

interface Row {
  readonly name: string
  readonly harm: Harm
  readonly hold: Controls['hold']
  /** How long what is held may last after the harm, or how long a lease may last, in ms. */
  readonly mostMs: number
}

const ROWS: readonly Row[] = [
  { name: 'killed (SIGKILL)', harm: 'SIGKILL', hold: 'connection', mostMs: 1_000 },
  { name: 'connections cut', harm: 'cut', hold: 'connection', mostMs: 1_000 },
  { name: 'frozen (SIGSTOP)', harm: 'SIGSTOP', hold: 'connection', mostMs: 10_000 },
  { name: 'connections silent', harm: 'silence', hold: 'connection', mostMs: 10_000 },
  { name: 'killed (SIGKILL)', harm: 'SIGKILL', hold: 'lease', mostMs: LEASE_MS + TIMER_MS },
  { name: 'frozen (SIGSTOP)', harm: 'SIGSTOP', hold: 'lease', mostMs: LEASE_MS + TIMER_MS },
]

const random = (most: number): number => Math.random() * most

/** A moment in the life of a controlling process. */
function randomMoment(who: Controls['who']): Parameters<typeof tryHarm>[4] {
  if (who === 'client') return { said: Math.floor(random(SAID_BY_CLIENT + 1)), afterMs: random(AFTER_MS) }
  return random(1) < 0.5 ? { said: 0, afterMs: random(COMMAND_MS) } : { said: 1, afterMs: random(AFTER_MS) }
}
const table: string[][] = [
  [
    'the controlling process is',
    'what it injects is held by',
    'moments',
    'of them in force',
    'promised',
    'median',
    'worst',
    'it was doing',
  ],
]

describe.runIf(process.platform !== 'win32')('controlling processes (not on Windows: it has no SIGSTOP)', () => {
  let app: ControlledApp
  beforeAll(async () => {
    app = await controlledApp(5)
  })
  afterAll(async () => {
    await app.close()
    for (const cells of table) console.log(cells.join(' | '))
    console.log(`Node.js ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`)
    if (process.env['PAGES'] === 'write') writeTable('docs/killed-controllers.md', 'kills', table)
  })

  // The quick soak may share its machine, and looks at no times.
  it.each(ROWS)('$name: what is held by $hold ends within $mostMs ms', async ({ name, harm, hold, mostMs }) => {
    const trials: Trial[] = []
    let begun = 0
    const tryInTurn = async (): Promise<void> => {
      while (begun < MOMENTS) {
        const index = begun
        begun += 1
        const who = index % 4 === 3 ? 'command' : 'client'
        const way = index % 2 === 0 ? 'socket' : 'url'
        const leaseMs = hold === 'lease' ? LEASE_MS : 600_000
        const controls = { who, way, hold, leaseMs, hitsMs: random(HITS_MS) } as const
        trials.push(await tryHarm(app, `${harm}-${hold}-${index}`, controls, harm, randomMoment(who)))
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, tryInTurn))

    const times = trials.map(({ heldMs, lastedMs }) => (hold === 'lease' ? lastedMs : heldMs))
    const held = times.filter((_, index) => (trials[index]?.heldMs ?? 0) > 0).sort((a, b) => a - b)
    table.push([
      name,
      hold === 'lease' ? `lease of ${LEASE_MS / 1_000} s` : hold,
      String(trials.length),
      String(held.length),
      hold === 'lease' ? 'its lease' : `${mostMs / 1_000} s`,
      shown(held[Math.floor(held.length / 2)]),
      shown(held.at(-1)),
      phasesOf(trials),
    ])
    expect(app.isBare()).toBe(true)
    if (isQuick) return
    expect(Math.max(...times)).toBeLessThanOrEqual(mostMs)
    expect(held.length, 'moments at which something was in force').toBeGreaterThan(MOMENTS / 10)
  })
})

const shown = (ms: number | undefined): string => (ms === undefined ? '' : `${Math.round(ms)} ms`)

function phasesOf(trials: readonly Trial[]): string {
  const counts = new Map<string, number>()
  for (const { phase } of trials) counts.set(phase, (counts.get(phase) ?? 0) + 1)
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([phase, count]) => `${phase} ${count}`)
    .join(', ')
}
