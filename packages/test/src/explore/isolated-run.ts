import type { Hit, Run } from '../search/model.js'
import { kindsOf, type KindInfo } from './kinds.js'
import { checkedOptions, type ExploredTest, type ExploreOptions, type TargetMap } from './options.js'
import { inProcess } from './in-process.js'
import { runPlan } from './run-once.js'

/** What a module exports that is explored in threads or processes of its own. */
export interface ExploredModule {
  readonly options: ExploreOptions<TargetMap>
  readonly test: ExploredTest<TargetMap>
}

/** What one run needs to know. */
export interface IsolatedRun {
  /** The URL of the module. */
  readonly module: string
  readonly plan: readonly Hit[]
  /** The deadline of the run, in ms. */
  readonly deadlineMs: number
}

/**
 * Loads the module of a test and runs it once with planned hits. The thread or process of the run calls it.
 *
 * @param onLoaded Called once the module is loaded.
 */
export async function isolatedRun({ module, plan, deadlineMs }: IsolatedRun, onLoaded: () => void): Promise<Run> {
  const { options, test } = (await import(module)) as ExploredModule
  onLoaded()
  const checked = checkedOptions({ ...options, deadlineMs })
  return inProcess(checked, test, (around) => runPlan(around, plan))
}

/** What whoever searches needs to know of a module, as data. */
export interface Description {
  readonly options: Omit<ExploreOptions<TargetMap>, 'targets' | 'faults' | 'clock' | 'searchClock' | 'signal'>
  readonly kinds: readonly KindInfo[]
}

/** Loads the module of a test and describes it. A thread or process calls it, so that the searching one never loads the module. */
export async function describeModule({ module }: Pick<IsolatedRun, 'module'>): Promise<Description> {
  const { options } = (await import(module)) as ExploredModule
  // Live objects stay where they are, as functions do.
  const { targets: _targets, faults, clock: _clock, searchClock: _searchClock, signal: _signal, ...rest } = options
  const kinds = kindsOf(options, Object.keys(faults)).map(
    ({ fault: { name, kind, options: own, portable }, ...info }) => ({
      ...info,
      fault: { name, kind, options: own, portable },
    }),
  )
  return JSON.parse(JSON.stringify({ options: rest, kinds })) as Description
}
