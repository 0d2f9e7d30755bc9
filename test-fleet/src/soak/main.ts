/** Measures fleets of hundreds and of thousands of agents: `npm run soak -- fleet`, for which `CHAOS_SOAK` is `quick` or `whole`. */
import { execFileSync } from 'node:child_process'
import { readFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { hasPrograms, required } from '@chaos/test-servers'
import { makePlace } from '../place.js'
import { hasWallClocks } from '../wall-clock.js'
import { barsOf } from './bars.js'
import { withResults } from './page.js'
import type { Results, Row } from './results.js'
import { possible, soakHarms } from './soak-harms.js'
import { soakPromotion, soakRollingRestart } from './soak-others.js'

const LEASE_MS = 3_000
/** The usual one: two cores simulate two thousand agents, each of which reads five times in a lease. */
const MANY_LEASE_MS = 5_000
const {
  values: { only, write: isWritten },
} = parseArgs({
  options: {
    /** What to measure again, such as `200 agents: halt` or `2000 agents`. The other rows stay. */
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})
const inRoot = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

/** How many of what. */
const FORMS = {
  quick: {
    agents: 60,
    processes: 2,
    trials: 1,
    many: 0,
    manyTrials: 0,
    rolling: { agents: 20, processes: 2 },
    promotions: 1,
  },
  whole: {
    agents: 200,
    processes: 4,
    trials: 20,
    many: 2_000,
    manyTrials: 5,
    rolling: { agents: 200, processes: 20 },
    promotions: 20,
  },
} as const

async function main(): Promise<number> {
  if (process.platform !== 'linux' || !hasPrograms('redis-server')) {
    console.log('Skipped: it needs Linux, and `redis-server` (Debian package redis-server).')
    return 0
  }
  const form = process.env['CHAOS_SOAK'] === 'quick' ? 'quick' : 'whole'
  const { agents, processes, trials, many, manyTrials, rolling, promotions } = FORMS[form]
  const startedAt = performance.now()
  const log = (line: string): void => console.log(`${Math.round((performance.now() - startedAt) / 1_000)} s: ${line}`)
  const size = { agents, processes, leaseMs: LEASE_MS }
  const can = possible(hasWallClocks())
  const isAsked = (count: number, { name }: { readonly name: string }): boolean =>
    only === undefined || `${count} agents: ${name}`.includes(only)

  const rows: Row[] = []
  rows.push(
    ...(await soakHarms(
      size,
      can.filter((harm) => isAsked(agents, harm)).map((harm) => ({ harm, trials })),
      log,
    )),
  )
  if (only === undefined) {
    rows.push(await soakPromotion(size, promotions))
    log(JSON.stringify(rows.at(-1)))
    rows.push(await soakRollingRestart({ ...rolling, leaseMs: LEASE_MS }, form === 'quick' ? 1 : 3))
    log(JSON.stringify(rows.at(-1)))
  }
  if (many > 0) {
    const large = { agents: many, processes: 4, leaseMs: MANY_LEASE_MS, idlePollMs: 5_000, callEveryMs: 500 }
    const chosen = can.filter(
      (harm) => /^(controller: SIGKILL|Redis: SIGKILL|halt)/.test(harm.name) && isAsked(many, harm),
    )
    rows.push(
      ...(await soakHarms(
        large,
        chosen.map((harm) => ({ harm, trials: manyTrials })),
        log,
      )),
    )
  }

  const before = only === undefined ? undefined : earlier(form)
  const shown = before === undefined ? rows : replaced(before.rows, rows)
  const results: Results = {
    machine: machine(),
    form,
    tookS: Math.round((performance.now() - startedAt) / 1_000) + (before?.tookS ?? 0),
    rows: shown,
    bars: barsOf(shown, form),
    untried: [
      ...(hasWallClocks() ? [] : ['wall clocks of Redis, since there is no `gcc`']),
      ...(partition() === 'relay' ? ['network namespaces: a relay that swallows everything stood in'] : []),
    ],
  }
  write(results)
  for (const { name, limit, got, isHeld } of results.bars)
    console.log(`${isHeld ? 'held' : 'MISSED'}: ${name}: ${got} (bar: ${limit})`)
  for (const { name, failures } of shown) for (const failure of failures) console.log(`${name}: ${failure}`)
  return results.bars.every(({ isHeld }) => isHeld) ? 0 : 1
}

/** The results that the documents show. */
function earlier(form: Results['form']): Results {
  const known = JSON.parse(readFileSync(inRoot('test-fleet/results.json'), 'utf8')) as Results
  if (known.form !== form || JSON.stringify(known.machine) !== JSON.stringify(machine()))
    throw new Error(
      'Expected earlier results of this form, machine, software and day. Measure all: leave out `--only`.',
    )
  return known
}

function replaced(rows: readonly Row[], by: readonly Row[]): readonly Row[] {
  return rows.map((row) => by.find(({ name, agents }) => name === row.name && agents === row.agents) ?? row)
}

function partition(): string {
  const place = makePlace()
  place.stop()
  return place.kind
}

function machine(): Readonly<Record<string, string>> {
  const server = execFileSync(required('redis-server'), ['--version'], { encoding: 'utf8' })
  const [, name = 'Redis', version = 'unknown'] = /^(\w+) server v=(\S+)/.exec(server) ?? []
  return {
    [name]: version,
    'Node.js': process.versions.node,
    on: `${process.platform} ${process.arch}`,
    cpus: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
    date: new Date().toISOString().slice(0, 10),
  }
}

/** The whole form, on Redis, is what the documents show; with `--write`, the quick one too. */
function write(results: Results): void {
  const text = `${JSON.stringify(results, undefined, 1)}\n`
  const isShown = results.form === 'whole' ? process.env['CHAOS_REDIS_SERVER'] === undefined : isWritten
  if (!isShown) {
    mkdirSync(inRoot('test-fleet/test-results'), { recursive: true })
    writeFileSync(inRoot('test-fleet/test-results/fleet.json'), text)
    return
  }
  writeFileSync(inRoot('test-fleet/results.json'), text)
  const page = inRoot('docs/fleet/measured.md')
  writeFileSync(page, withResults(readFileSync(page, 'utf8'), results))
}

process.exit(await main())
