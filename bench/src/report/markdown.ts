import { isPending, type Suite, type Unit } from '../runner/case.js'
import type { Result } from '../runner/measure-all.js'
import { verdictOf } from './verdict.js'

/** What a run was made on. */
export interface Machine {
  readonly node: string
  readonly platform: string
  readonly cpus: string
  readonly date: string
}

const START = '<!-- results: written by `npm run bench`, do not edit -->'
const END = '<!-- end of results -->'

/** Puts the tables between the markers of a document. @throws Error when it has none. */
export function withTables(document: string, tables: string): string {
  const from = document.indexOf(START)
  const to = document.indexOf(END)
  if (from === -1 || to < from) throw new Error(`Expected a document with the markers \`${START}\` and \`${END}\`.`)
  return `${document.slice(0, from + START.length)}\n\n${tables}\n${document.slice(to)}`
}

/** All results as tables, one a suite. */
export function tablesOf(
  suites: readonly Suite[],
  results: readonly Result[],
  machine: Machine,
  /** The machines of suites that were measured in another run. */
  elsewhere: Readonly<Record<string, Machine>> = {},
): string {
  const { node } = machine
  const barred = results.filter(({ bar }) => bar !== undefined)
  const missed = barred.filter((result) => verdictOf(result) !== 'met')
  return [
    `Measured ${shownMachine(machine)}. Of ${barred.length} bars ${barred.length - missed.length} are met.`,
    ...missed.map(
      (result) =>
        `- ${verdictOf(result) ?? ''}: ${titleOf(suites, result)}, ${result.name}${onNode(result, node)}: ${shown(result.median, result.unit)}, bar ${barOf(result)}`,
    ),
    '',
    ...suites.map((suite) =>
      tableOf(
        suite,
        results.filter((result) => result.suite === suite.name),
        node,
        elsewhere[suite.name],
      ),
    ),
  ].join('\n')
}

function tableOf(suite: Suite, results: readonly Result[], node: string, other: Machine | undefined): string {
  const rows = suite.cases.flatMap((one) => {
    if (isPending(one)) return [`| ${one.name} | pending: needs ${one.pending} | | | | |`]
    return results.filter(({ name }) => name === one.name).map((result) => rowOf(result, node))
  })
  return [
    `### ${suite.title}`,
    '',
    suite.about,
    ...(other === undefined ? [] : ['', `Measured ${shownMachine(other)}.`]),
    '',
    '| case | median | 10 % to 90 % of the readings | bare call | added | bar |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

function rowOf(result: Result, node: string): string {
  const name = `${result.isPeer ? '*peer:* ' : ''}${result.name}${onNode(result, node)}`
  if (result.failure !== undefined)
    return `| ${name} | not measured: ${result.failure.replaceAll('|', '\\|')} | | | | ${barOf(result)} |`
  const verdict = verdictOf(result)
  const spread =
    result.readings === 1
      ? ''
      : `${shown(result.low, result.unit)} to ${shown(result.high, result.unit)} (${result.readings})`
  return `| ${name} | ${shown(result.median, result.unit)} | ${spread} | ${ns(result.bareNs)} | ${ns(result.addedNs)} | ${barOf(result)}${verdict === undefined ? '' : `: ${verdict}`} |`
}

const shownMachine = ({ date, node, platform, cpus }: Machine): string =>
  `on ${date} with Node.js ${node} on ${platform}, ${cpus}`

function titleOf(suites: readonly Suite[], { suite }: Result): string {
  return suites.find(({ name }) => name === suite)?.title ?? suite
}

function onNode(result: Result, node: string): string {
  return result.node === node ? '' : `, on Node.js ${result.node}`
}

function barOf({ bar, unit }: Result): string {
  if (bar === undefined) return ''
  return `≤ ${shown(bar.most, unit)}${bar.addedNs === undefined ? '' : `, ≤ ${bar.addedNs} ns added`}`
}

function ns(value: number | undefined): string {
  if (value === undefined) return ''
  return value >= 10_000 ? `${(value / 1_000).toFixed(0)} µs` : `${value.toFixed(Math.abs(value) < 100 ? 1 : 0)} ns`
}

function shown(value: number, unit: Unit): string {
  if (unit === 'ratio') return value.toFixed(2)
  if (unit === 'differences' || unit === 'count') return String(value)
  return `${unit === 'KiB' ? Math.round(value).toLocaleString('en') : value.toFixed(2)} ${unit}`
}
