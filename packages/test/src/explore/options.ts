import { ChaosError, type Clock, type Fault, type Scope } from '@chaos/core'
import {
  checkOptions,
  option,
  optionsSchema,
  printable,
  systemClock,
  type FaultFactoryFor,
} from '@chaos/core/authoring'
import type { Progress } from '../search/search.js'
import type { ExplorationFinding } from './exploration.js'

/** The objects that faults break, by name. */
export type TargetMap = Readonly<Record<string, object>>

/** A fault, or a factory of faults that needs no options. */
export type FaultFor<Target extends object> = Fault<Target> | FaultFactoryFor<Target>

/** The kinds of faults for each target. */
export type FaultMap<Targets extends TargetMap> = {
  readonly [Name in keyof Targets]?: readonly FaultFor<Targets[Name]>[]
}

/** What the test of a search gets in each run. */
export interface ExploreContext<Targets extends TargetMap> {
  /** The scope in which the test runs. Work outside it, such as a server that was started before, opens scopes of its own. */
  readonly scope: Scope
  readonly targets: Targets
  /** Aborts when the run ends, also when it is given up. */
  readonly signal: AbortSignal
  /** Lets go of what faults hold back (late events and calls), and waits for one turn of the event loop. Call it before asserting. */
  readonly settle: () => Promise<void>
  /**
   * Ends the faults of the run for good and settles, so that the test can check that the system heals: `await endFaults()`, let it
   * recover, then assert. Calls made afterwards are no points. What is held back is let go.
   *
   * @throws ChaosError `CHAOS_ROLLBACK_FAILED` if an undo step failed.
   */
  readonly endFaults: () => Promise<void>
}

/** The test that a search runs again and again: it acts, then asserts what must be true under any fault. */
export type ExploredTest<Targets extends TargetMap> = (context: ExploreContext<Targets>) => unknown

/** How to explore a test. */
export interface ExploreOptions<Targets extends TargetMap> {
  /** The name of the test, which is the outermost scope of its calls. Default `explore`. */
  readonly name?: string
  /** The objects that faults break, or a function that returns them for each run, after `reset`. */
  readonly targets: Targets | (() => Targets | Promise<Targets>)
  /**
   * The kinds of faults for each target, the most telling first. Give both a fault that refuses a call and one that loses its
   * reply (`refuseCalls` and `failAfterCall` of `@chaos/adapter`): most bugs are found by one of the two. An instant fault
   * (`terminateWorker`) happens at the calls that the first standing fault of its target sees. If its target has none, it happens at
   * those of every other target.
   */
  readonly faults: FaultMap<Targets>
  /** The largest number of faults in one run, 1 to 4. Default 2. */
  readonly depth?: number
  /** No set is begun later than this many ms after the first. What breaks is shrunk all the same. Default 60,000. */
  readonly budgetMs?: number
  /** A run that takes longer hangs, which breaks the test, in ms. Default 5,000. */
  readonly deadlineMs?: number
  /** Puts back what a run has changed. Called before each run. */
  readonly reset?: () => void | Promise<void>
  /**
   * Distinguishes calls of one operation by their arguments: a key of at most 1,000 characters, or `undefined`. Must give the same key
   * in each run. A test breaks if it throws. Default: all are alike.
   */
  readonly keyOf?: (args: ArrayLike<unknown>, operation: string, target: string) => string | undefined
  /** The seed of what is drawn: the share of pruned sets that is run all the same. Default `1`. */
  readonly seed?: string | number
  /** Whether to run also the sets that are inferred from others (equal kinds, scopes without state). Default `false`. */
  readonly thorough?: boolean
  /** Whether the work of each scope depends on its own calls alone. Sets over several scopes are then inferred. Default `false`. */
  readonly statelessScopes?: boolean
  /**
   * The file of the table of behaviours: what the test returned under each fault alone, or that it had no effect. An answer that is not
   * in it breaks the test. `CHAOS_UPDATE=1` has it written. Default: any answer is right that the assertions accept.
   */
  readonly behaviours?: string
  /** No run begins after this many findings. Default: no limit. */
  readonly maxFindings?: number
  /** `return`: findings do not make `explore` throw. Default `throw`. */
  readonly onFinding?: 'throw' | 'return'
  readonly onProgress?: (progress: Progress) => void
  /**
   * Called for each finding as soon as it is shrunk, while the search goes on. Its twins are not known yet. An error that it throws
   * ends the search, which rejects with it.
   */
  readonly onFound?: (finding: ExplorationFinding) => void
  /** Gives the search up when it aborts: the faults in force end, no run begins any more, and the line says what remains. */
  readonly signal?: AbortSignal
  /** The source of time of the faults, as for `inject`: of delays, for example. Default: the real clock. */
  readonly clock?: Clock
  /** The source of time of the search: of the budget and the deadline. Default: the real clock. */
  readonly searchClock?: Clock
}

/** How to run a test at random. */
export interface RandomOptions<Targets extends TargetMap> extends Omit<
  ExploreOptions<Targets>,
  'depth' | 'thorough' | 'statelessScopes' | 'behaviours' | 'onProgress'
> {
  /** The number of runs. Default 100. */
  readonly runs?: number
  /** The share of the calls that each fault hits, 0 to 1. Default 0.1. */
  readonly rate?: number
}

type KeyOf = NonNullable<ExploreOptions<TargetMap>['keyOf']>

const clock = (description: string) =>
  option.live<Clock>((value) => 'now' in value && 'after' in value, 'a clock', description)

const schema = optionsSchema({
  // Read before the others are checked. Their names are known here for the message about an unknown one.
  targets: option.optional(option.value('Objects that faults break.')),
  faults: option.optional(option.value('Kinds of faults for each target.')),
  name: option.optional(option.text('Name of the test.', 200), 'explore'),
  depth: option.optional(option.count('Largest number of faults in one run.', 1, 4), 2),
  budgetMs: option.optional(option.durationMs('Time after which no set is begun, in ms.'), 60_000),
  deadlineMs: option.optional(option.durationMs('Time after which a run hangs, in ms.'), 5_000),
  reset: option.optional(option.func<() => void | Promise<void>>('Puts back what a run has changed.')),
  keyOf: option.optional(option.func<KeyOf>('Distinguishes calls by their arguments.')),
  seed: option.optional(
    option.either(
      option.text('Seed of what is drawn.', 200),
      option.integer('Seed of what is drawn.'),
      'a string of at most 200 characters or a whole number',
    ),
    '1',
  ),
  thorough: option.optional(option.flag('Whether to run also what is inferred.'), false),
  statelessScopes: option.optional(option.flag('Whether scopes have no state in common.'), false),
  behaviours: option.optional(option.text('File of the table of behaviours.', 4_096)),
  maxFindings: option.optional(
    option.count('Number of findings after which no run begins.', 1),
    Number.MAX_SAFE_INTEGER,
  ),
  onFinding: option.optional(option.oneOf(['throw', 'return'], 'What to do with findings.'), 'throw'),
  onProgress: option.optional(option.func<(progress: Progress) => void>('Called before each run of the search.')),
  onFound: option.optional(
    option.func<(finding: ExplorationFinding) => void>('Called for each finding while the search goes on.'),
  ),
  runs: option.optional(option.count('Number of random runs.', 1), 100),
  rate: option.optional(option.rate('Share of the calls that each fault hits.'), 0.1),
  signal: option.optional(
    option.live<AbortSignal>(
      (value) => 'aborted' in value && 'addEventListener' in value,
      'an AbortSignal',
      'Gives the search up.',
    ),
  ),
  clock: option.optional(clock('Source of time of the faults.')),
  searchClock: option.optional(clock('Source of time of the search.')),
})

/** Checked {@link ExploreOptions}. */
export type Checked = ReturnType<typeof checkedOptions>

/** Checks options. @throws ChaosError `CHAOS_INVALID_OPTION` */
export function checkedOptions(given: ExploreOptions<TargetMap> | RandomOptions<TargetMap>) {
  // Objects of the application are used as they are: what is checked as data is copied, and its size is bounded.
  const { targets, faults, ...data } = Object(given) as typeof given
  const checked = checkOptions(schema, data, 'explore')
  if (typeof targets !== 'function') assertObject('targets', targets)
  assertObject('faults', faults)
  const { clock = systemClock, searchClock = systemClock } = data
  return {
    ...checked,
    ...(checked.keyOf !== undefined && { keyOf: checkedKeyOf(checked.keyOf) }),
    ...{ clock, searchClock, targets, faults: faults as Readonly<Record<string, unknown>> },
  }
}

const MAX_KEY = 1_000

/** Has what is no key refused: it would name no call, or no call again. */
function checkedKeyOf(keyOf: KeyOf): KeyOf {
  return (...call) => {
    const key: unknown = keyOf(...call)
    if (key === undefined || (typeof key === 'string' && key.length <= MAX_KEY)) return key
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected \`keyOf\` of explore to return a string of at most ${MAX_KEY} characters or \`undefined\`, got \`${printable(key)}\`.`,
    )
  }
}

function assertObject(name: string, value: unknown): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `Expected \`${name}\` of explore to be an object, got \`${printable(value)}\`.`,
  )
}
