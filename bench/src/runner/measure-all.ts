import { fileURLToPath } from 'node:url'
import { NODE_VERSIONS, nodeProgram } from '../../../e2e/src/node-versions.js'
import { run } from '../../../e2e/src/run.js'
import { isPending, type Bar, type Case, type Suite, type Unit } from './case.js'
import type { Readings } from './compare.js'
import { median, quantile, shuffled } from './statistics.js'

/** What is published of a case. */
export interface Result {
  readonly suite: string
  readonly name: string
  readonly unit: Unit
  /** Version of Node.js. */
  readonly node: string
  readonly isPeer: boolean
  readonly bar: Bar | undefined
  readonly refused: number | undefined
  readonly median: number
  /** 10 % of the readings are below `low`, 10 % above `high`. */
  readonly low: number
  readonly high: number
  readonly readings: number
  /** Of a comparison, medians in ns. */
  readonly bareNs: number | undefined
  readonly addedNs: number | undefined
  /** Why there is no result: a server that is not there, a package that does not load. */
  readonly failure: string | undefined
}

/** How much is measured. */
export interface Effort {
  /** Processes per case. */
  readonly processes: number
  /** Readings per process. */
  readonly rounds: number
  /** Whether cases are also measured on the other versions of Node.js where they say so. */
  readonly everyNode: boolean
  /** Whether what takes long may be smaller. */
  readonly isQuick: boolean
  /** A regression on purpose, in every layer of every fault. */
  readonly sabotage?: string | undefined
}

export interface Task {
  readonly suite: Suite
  readonly one: Case
}

const child = fileURLToPath(new URL('./child.js', import.meta.url))
const TIMEOUT_MS = 120_000

/** Measures cases, each in fresh processes of its own; these come in random order, so that no case has the quiet minute for itself. */
export async function measureAll(
  tasks: readonly Task[],
  { processes, rounds, everyNode, isQuick, sabotage }: Effort,
): Promise<Result[]> {
  const programs = new Map<string, string | undefined>([[process.versions.node, process.execPath]])
  const groups = tasks.flatMap((task) => {
    const versions =
      everyNode && task.one.everyNode === true
        ? [...new Set([process.versions.node, ...NODE_VERSIONS])]
        : [process.versions.node]
    return versions.map((node) => ({
      ...task,
      node,
      readings: [] as Readings[],
      failure: undefined as string | undefined,
    }))
  })
  // One after another: two would install the same version into one folder.
  for (const { node } of groups) if (!programs.has(node)) programs.set(node, await nodeProgram(node))
  for (const group of shuffled(
    groups.flatMap((one) => Array.from({ length: Math.min(processes, one.one.processes ?? processes) }, () => one)),
  )) {
    if (group.failure !== undefined) continue
    const program = programs.get(group.node)
    if (program === undefined) {
      group.failure = `Node.js ${group.node} could not be had`
      continue
    }
    const args = [
      child,
      group.suite.name,
      group.one.name,
      String(rounds),
      isQuick ? 'quick' : 'whole',
      ...(sabotage === undefined ? [] : [sabotage]),
    ]
    const { exitCode, signal, stdout, stderr } = await run(program, args, { timeoutMs: TIMEOUT_MS })
    if (exitCode === 0) group.readings.push(JSON.parse(stdout) as Readings)
    else group.failure = /^\w*Error.*$/m.exec(stderr)?.[0] ?? `ended with ${String(exitCode ?? signal)}`
  }
  return groups.map(({ suite, one, node, readings, failure }) => {
    const values = readings.flatMap((reading) => reading.values)
    const ofBare = readings.flatMap(({ bareNs = [] }) => bareNs)
    const added = readings.flatMap(({ addedNs = [] }) => addedNs)
    return {
      suite: suite.name,
      name: one.name,
      unit: one.unit,
      node,
      isPeer: one.isPeer === true,
      bar: one.bar,
      refused: one.refused,
      median: median(values),
      low: quantile(values, 0.1),
      high: quantile(values, 0.9),
      readings: values.length,
      bareNs: ofBare.length === 0 ? undefined : median(ofBare),
      addedNs: added.length === 0 ? undefined : median(added),
      failure,
    }
  })
}

/** The cases of suites that can be measured. */
export function tasksOf(suites: readonly Suite[]): Task[] {
  return suites.flatMap((suite) => suite.cases.flatMap((one) => (isPending(one) ? [] : [{ suite, one }])))
}
