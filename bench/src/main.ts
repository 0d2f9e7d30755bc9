// `npm run bench` measures everything and writes docs/performance.md; `npm run bench:check` measures a few cases and fails where one is far beyond its bar.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../../e2e/src/repository.js'
import { sabotages } from './runner/arm.js'
import { measureFleets, type FleetResults } from './fleet/measure-fleets.js'
import { redisVersion } from './fleet/redis-version.js'
import { fleetPlots, fleetTables } from './report/fleet-page.js'
import { tablesOf, withTables, type Machine } from './report/markdown.js'
import { isRefused, verdictOf } from './report/verdict.js'
import { measureAll, tasksOf, type Effort, type Result, type Task } from './runner/measure-all.js'
import { suites } from './suites/index.js'

const { values: flags } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    /** Names of suites, or parts of them; the results of the others stay as they are. */
    suite: { type: 'string', multiple: true, default: [] },
    /** With `--check`: a regression on purpose. */
    sabotage: { type: 'string' },
    /** Write the page about fleets again, from the results that there are. */
    'fleet-page': { type: 'boolean', default: false },
    /** Print, and write nothing. */
    dry: { type: 'boolean', default: false },
    /** One process per case, and less of what takes long; prints, and writes nothing. */
    quick: { type: 'boolean', default: false },
  },
})
if (flags.sabotage !== undefined && !Object.hasOwn(sabotages, flags.sabotage))
  throw new Error(
    `Expected \`--sabotage\` to be one of ${Object.keys(sabotages).join(', ')}, got \`${flags.sabotage}\`.`,
  )

/** What is in `results.json`. */
interface Written {
  /** That of the last run of all suites. */
  readonly machine: Machine
  /** Those of suites that were measured again since, alone. */
  readonly elsewhere?: Readonly<Record<string, Machine>> | undefined
  readonly results: readonly Result[]
  readonly fleet?: FleetResults | undefined
}
const file = join(root, 'bench', 'results.json')

const FULL: Effort = { processes: 3, rounds: 6, everyNode: true, isQuick: false }
const QUICK: Effort = { processes: 1, rounds: 5, everyNode: false, isQuick: true }
const CHECK: Effort = { processes: 3, rounds: 5, everyNode: false, isQuick: true, sabotage: flags.sabotage }

/** How often the fast check measures what it refuses before it believes it. */
const LOOKS = 3

/** Whether something of this name is asked for. */
const isAsked = (name: string): boolean => flags.suite.length === 0 || flags.suite.some((part) => name.includes(part))
const chosen = suites.filter(({ name }) => isAsked(name))
process.exitCode = await (flags['fleet-page'] ? fleetPage() : flags.check ? check() : bench())

/** @returns The exit code. */
async function check(): Promise<number> {
  const tasks = tasksOf(chosen).filter(({ one }) => one.refused !== undefined)
  let results: Result[] = []
  let suspects: readonly Task[] = tasks
  // Further looks at what is refused: a regression is there each time, and a disturbance is not.
  for (let look = 1; suspects.length > 0 && look <= LOOKS; look += 1) {
    if (look > 1) console.log(`Look ${look} of ${LOOKS} at what was refused: ${suspects.map(titleOf).join('; ')}.`)
    const seen = await measureAll(suspects, CHECK)
    results = tasks.map((task, index) => seen[suspects.indexOf(task)] ?? (results[index] as Result))
    suspects = tasks.filter((_, index) => isRefused(results[index] as Result))
  }
  for (const result of results) console.log(line(result))
  console.log(
    `bench:check: ${results.length - suspects.length} of ${results.length} cases within their margins${suspects.length === 0 ? '' : `; refused: ${suspects.map(titleOf).join('; ')}`}`,
  )
  return suspects.length === 0 ? 0 : 1
}

/** @returns The exit code. */
async function bench(): Promise<number> {
  const results = await measureAll(tasksOf(chosen), flags.quick ? QUICK : FULL)
  for (const result of results) console.log(line(result))
  const fleet = isAsked('fleet') && !flags.quick ? await fleets() : undefined
  if (flags.dry || flags.quick) return 0
  const here: Machine = {
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    cpus: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
    date: new Date().toISOString().slice(0, 10),
  }
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Written) : undefined
  const kept = (before?.results ?? []).filter(({ suite }) => !chosen.some(({ name }) => name === suite))
  const all = suites.flatMap(({ name }) => [...kept, ...results].filter(({ suite }) => suite === name))
  const isWhole = chosen.length === suites.length || before === undefined
  const machine = isWhole ? here : before.machine
  const again = Object.fromEntries(chosen.map(({ name }) => [name, here]))
  const elsewhere = isWhole ? undefined : { ...before.elsewhere, ...again }
  const written: Written = { machine, elsewhere, results: all, fleet: fleet ?? before?.fleet }
  writeFileSync(file, `${JSON.stringify(written, undefined, 1)}\n`)
  const document = join(root, 'docs', 'performance.md')
  writeFileSync(document, withTables(readFileSync(document, 'utf8'), tablesOf(suites, all, machine, elsewhere)))
  return fleet === undefined ? 0 : fleetPage()
}

/** Measures whole fleets, which need a Redis of their own. */
async function fleets(): Promise<FleetResults | undefined> {
  const redis = redisVersion()
  if (redis !== undefined) return measureFleets(redis, console.log)
  console.log('fleet: skipped, it needs the program redis-server (Debian package redis-server)')
  return undefined
}

/** @returns The exit code. */
function fleetPage(): number {
  const { fleet } = JSON.parse(readFileSync(file, 'utf8')) as Written
  if (fleet === undefined) throw new Error('Expected results of fleets, got none. Measure them with `--suite=fleet`.')
  const page = join(root, 'docs', 'fleet', 'cost.md')
  writeFileSync(page, withTables(readFileSync(page, 'utf8'), fleetTables(fleet)))
  for (const [name, svg] of fleetPlots(fleet)) writeFileSync(join(root, 'docs', 'images', name), svg)
  return 0
}

function titleOf({ suite, one }: Task): string {
  return `${suite.name}: ${one.name}`
}

function line(result: Result): string {
  const { suite, name, node, unit, median, low, high, bareNs, addedNs, failure } = result
  const numbers =
    failure ??
    `${median.toFixed(3)} ${unit} (${low.toFixed(3)} to ${high.toFixed(3)})${bareNs === undefined ? '' : `, bare ${bareNs.toFixed(1)} ns, added ${addedNs?.toFixed(1) ?? ''} ns`}`
  return (
    (verdictOf(result) ?? '').padEnd(13) +
    `${suite}: ${name}${node === process.versions.node ? '' : ` on ${node}`}: ${numbers}`
  )
}
