import type { Injection, Scope } from '@chaos/core'
import { openScope } from '@chaos/core/authoring'
import type { ProcessErrors } from '../oracles/process-errors.js'
import type { Hit, Run } from '../search/model.js'
import { givenUpError } from './given-up.js'
import type { Kind } from './kinds.js'
import { rememberRun, sortErrors } from './late-errors.js'
import type { Checked, ExploredTest, TargetMap } from './options.js'
import { breaks } from './outcome.js'
import { outcomeOf } from './outcome-of.js'
import { armPlan, type Armed } from './plan.js'
import type { Setting } from './setting.js'
import { Sight, type OnPoint } from './sight.js'
import { markExploring } from './turns.js'
import { watchCalls } from './watch.js'

/** What all runs of a search share. */
export interface Surroundings {
  readonly options: Checked
  readonly kinds: readonly Kind[]
  readonly test: ExploredTest<TargetMap>
  readonly errors: ProcessErrors
}

/** Where a run takes place. */
export interface Place extends Setting {
  /** The scope of the test. */
  readonly root: Scope
}

/** The faults of a run. */
interface Faults {
  /** The targets that they may break. */
  readonly broken: ReadonlySet<string>
  /** The faults themselves. At random, they are known when the run has ended. */
  readonly hits: readonly Hit[]
  /** Puts them in force. */
  readonly arm: (place: Place) => Promise<Armed>
  /** Called for each call, before they act. */
  readonly onPoint?: OnPoint
}

/** Runs the test once with planned hits. */
export function runPlan(around: Surroundings, plan: readonly Hit[]): Promise<Run> {
  const broken = new Set(plan.map(({ point }) => point.target))
  return runOnce(around, { broken, hits: plan, arm: (place) => armPlan(plan, around.kinds, place) })
}

/** Runs the test once with faults, and tells what it reached and whether it held. */
export async function runOnce(
  { options, kinds, test, errors }: Surroundings,
  { broken, hits, arm, onPoint }: Faults,
): Promise<Run> {
  if (options.signal?.aborted === true) throw givenUpError(options.signal)
  await options.reset?.()
  const targets = await targetsOf(options)
  const root = openScope(options.name, { parent: undefined, numbered: false })
  markExploring(root)
  const sight = new Sight(root, options.keyOf, kinds, (target) => broken.has(target), onPoint)
  const ended = new AbortController()
  const { clock, keyOf } = options
  const place: Place = { targets, root, clock, keyOf, signal: ended.signal }
  const injections: Injection[] = []
  const startedAt = options.searchClock.now()
  try {
    // The injection made first is innermost: it sees the calls that go through to the target.
    const below = kinds.filter(({ target }) => broken.has(target))
    injections.push(...(await watchCalls(below, place, sight.below)))
    const armed = await arm(place)
    injections.push(...armed.injections)
    // What is made last sees a call first: the kinds of a point are then in the order in which they were given.
    injections.push(...(await watchCalls([...kinds].reverse(), place, sight.above)))
    const { late: before } = sortErrors(errors.take())
    const endFaults = async (): Promise<void> => {
      await armed.done()
      for (const injection of [...injections].reverse()) await injection.rollback()
    }
    const stage = { root, targets, ended, planned: armed.injections, done: armed.done, endFaults }
    const { answer = '', late = [], ...asked } = await outcomeOf({ options, test, errors }, stage)
    await armed.done()
    const outcome = sight.problem === undefined ? asked : breaks(sight.problem)
    rememberRun(root, { hits, isBroken: outcome.verdict === 'breaks' })
    return {
      ...sight.shown,
      landed: armed.landed,
      outcome,
      answer,
      late: [...before, ...late],
      ms: options.searchClock.now() - startedAt,
    }
  } finally {
    ended.abort()
    for (const injection of injections.reverse()) await injection.rollback()
  }
}

async function targetsOf({ targets }: Checked): Promise<TargetMap> {
  return typeof targets === 'function' ? targets() : targets
}
