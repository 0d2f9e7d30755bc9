// `npm run bench` measures everything and writes docs/performance.md; `npm run bench:check` measures a few cases and fails where one is far beyond its bar.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../../e2e/src/repository.js'
import { sabotages } from './runner/arm.js'
import { tablesOf, withTables, type Machine } from './report/markdown.js'
import { isRefused, verdictOf } from './report/verdict.js'
import { measureAll, tasksOf, type Effort, type Result } from './runner/measure-all.js'
import { suites } from './suites/index.js'

const { values: flags } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    /** Names of suites, or parts of them; the results of the others stay as they are. */
    suite: { type: 'string', multiple: true, default: [] },
    /** With `--check`: a regression on purpose. */
    sabotage: { type: 'string' },
    /** Print, and write nothing. */
    dry: { type: 'boolean', default: false },
  },
})
if (flags.sabotage !== undefined && !Object.hasOwn(sabotages, flags.sabotage))
  throw new Error(
    `Expected \`--sabotage\` to be one of ${Object.keys(sabotages).join(', ')}, got \`${flags.sabotage}\`.`,
  )

const FULL: Effort = { processes: 3, rounds: 6, everyNode: true }
const CHECK: Effort = { processes: 3, rounds: 5, everyNode: false, sabotage: flags.sabotage }

const chosen = suites.filter(({ name }) => flags.suite.length === 0 || flags.suite.some((part) => name.includes(part)))
process.exitCode = await (flags.check ? check() : bench())

/** @returns The exit code. */
async function check(): Promise<number> {
  const tasks = tasksOf(chosen).filter(({ one }) => one.refused !== undefined)
  const first = await measureAll(tasks, CHECK)
  // A second look at what was refused: a regression is there again, a disturbance is not.
  const suspects = tasks.filter((_, index) => isRefused(first[index] as Result))
  const second = suspects.length === 0 ? [] : await measureAll(suspects, CHECK)
  const results = first.map((result) =>
    isRefused(result)
      ? (second.find(({ suite, name }) => suite === result.suite && name === result.name) ?? result)
      : result,
  )
  for (const result of results) console.log(line(result))
  const refused = results.filter(isRefused)
  console.log(
    `bench:check: ${results.length - refused.length} of ${results.length} cases within their margins${refused.length === 0 ? '' : `; refused: ${refused.map(({ suite, name }) => `${suite}: ${name}`).join('; ')}`}`,
  )
  return refused.length === 0 ? 0 : 1
}

/** @returns The exit code. */
async function bench(): Promise<number> {
  const results = await measureAll(tasksOf(chosen), FULL)
  for (const result of results) console.log(line(result))
  if (flags.dry) return 0
  const file = join(root, 'bench', 'results.json')
  const machine: Machine = {
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    cpus: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
    date: new Date().toISOString().slice(0, 10),
  }
  const before =
    chosen.length < suites.length && existsSync(file)
      ? (JSON.parse(readFileSync(file, 'utf8')) as { readonly results: readonly Result[] }).results
      : []
  const kept = before.filter(({ suite }) => !chosen.some(({ name }) => name === suite))
  const all = suites.flatMap(({ name }) => [...kept, ...results].filter(({ suite }) => suite === name))
  writeFileSync(file, `${JSON.stringify({ machine, results: all }, undefined, 1)}\n`)
  const document = join(root, 'docs', 'performance.md')
  writeFileSync(document, withTables(readFileSync(document, 'utf8'), tablesOf(suites, all, machine)))
  return 0
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
