import { ChaosError } from '@chaos/core'
import { openBehaviours, type Behaviours } from '../oracles/behaviours.js'
import type { Finding } from '../search/finding.js'
import type { Subject } from '../search/model.js'
import { counted } from '../search/line.js'
import { search } from '../search/search.js'
import { survey, type Survey } from '../search/survey.js'
import { accountOf, explorationOf, findingOf, type Exploration } from './exploration.js'
import type { KindInfo } from './kinds.js'
import { inProcess } from './in-process.js'
import { describe, isolatedSubject, type Isolation } from './isolation.js'
import {
  checkedOptions,
  type Checked,
  type ExploredTest,
  type ExploreOptions,
  type RandomOptions,
  type TargetMap,
} from './options.js'
import { randomLine, runAtRandom } from './random.js'
import { notReproduced, replayFor, type Replay } from './replay.js'
import { runPlan, type Surroundings } from './run-once.js'
import { inTurn } from './turns.js'

/** An error of {@link explore} that carries what was found. */
export interface ExplorationError extends ChaosError {
  readonly exploration: Exploration
}

/**
 * Runs a test under every set of faults that it can reach, one fault at a time, then two, and ends with the smallest sets that
 * break it, and an account of what was not tried.
 *
 * The test acts and then asserts what must be true under any fault. It is run without a fault first, twice. If
 * `CHAOS_REPLAY` is a finding of this test, or names its file, it is run with just that set.
 *
 * @returns What was found, and what was left out.
 * @throws ChaosError `CHAOS_INVARIANT_BROKEN` if some set breaks the test, with the `exploration`. Unless `onFinding` is `return`.
 * @throws ChaosError `CHAOS_NOT_EXPLORED` if the test breaks without a fault, before or after the search, reaches no point, or a
 *   replayed fault does not land.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option; any error of `inject` or `reset`, if nothing was found until then.
 */
export function explore<const Targets extends TargetMap>(
  options: ExploreOptions<Targets>,
  test: ExploredTest<Targets>,
): Promise<Exploration> {
  return concluded(
    options as unknown as ExploreOptions<TargetMap>,
    test as unknown as ExploredTest<TargetMap>,
    searchAll,
  )
}

/**
 * Runs a test with faults that hit at random, by a seed. The hits of a run that breaks are planned one by one and shrunk to the
 * smallest set that breaks the test. It reaches more faults at once than {@link explore}, and proves nothing where it finds nothing.
 *
 * @throws The same as {@link explore}.
 */
export function exploreAtRandom<const Targets extends TargetMap>(
  options: RandomOptions<Targets>,
  test: ExploredTest<Targets>,
): Promise<Exploration> {
  return concluded(
    options as unknown as RandomOptions<TargetMap>,
    test as unknown as ExploredTest<TargetMap>,
    tryAtRandom,
  )
}

/** Runs the test, and throws for findings. */
async function concluded(
  given: ExploreOptions<TargetMap> | RandomOptions<TargetMap>,
  test: ExploredTest<TargetMap>,
  way: (around: Surroundings, subject: Subject) => Promise<Exploration>,
): Promise<Exploration> {
  const options = checkedOptions(given)
  if (typeof test !== 'function')
    throw new ChaosError('CHAOS_INVALID_OPTION', 'Pass the test as the second argument of `explore`.')
  return orThrow(
    options,
    await inTurn(() => inProcess(options, test, (around) => wayOf(around, (plan) => runPlan(around, plan), way))),
  )
}

/** Replays a finding if there is one to replay, else goes another way. */
function wayOf<Around extends Asked>(
  around: Around,
  subject: Subject,
  way: (around: Around, subject: Subject) => Promise<Exploration>,
): Promise<Exploration> {
  const replay = replayFor(around.options.name)
  return replay === undefined ? way(around, subject) : replayed(around, replay, subject)
}

/**
 * @throws ChaosError `CHAOS_INVARIANT_BROKEN` if there is a finding, `CHAOS_NOT_EXPLORED` if the test breaks without a fault after
 *   the search, or an error came that nobody handled. Unless `onFinding` is `return`.
 */
function orThrow(options: Checked, exploration: Exploration): Exploration {
  const { findings, result, report } = exploration
  const code = findings.length > 0 ? 'CHAOS_INVARIANT_BROKEN' : 'CHAOS_NOT_EXPLORED'
  const isFine = findings.length === 0 && result.brokenAfter === undefined && result.late.length === 0
  if (isFine || options.onFinding === 'return') return exploration
  throw Object.assign(new ChaosError(code, report()), { exploration })
}

/**
 * Runs the test of a module as {@link explore} does, each run in a fresh thread or process, where nothing is left of the runs
 * before. It needs no `reset`, and a run that hangs, crashes or spoils what it shares ends with its thread or process.
 *
 * @param module The URL of a module that exports `options` and `test`, as for {@link explore}.
 * @param isolation `worker` is faster; a `process` shares nothing.
 * @param changes Options that differ from those of the module, without targets and faults.
 * @throws The same as {@link explore}, and any error of the module.
 */
export async function exploreModule(
  module: string | URL,
  isolation: Isolation,
  changes: Partial<Omit<ExploreOptions<TargetMap>, 'targets' | 'faults' | 'reset' | 'keyOf' | 'clock'>> = {},
): Promise<Exploration> {
  const url = String(module)
  const { options, kinds } = await describe(isolation, url)
  const checked = checkedOptions({ targets: {}, faults: {}, ...options, ...changes })
  const subject = isolatedSubject(isolation, { module: url, deadlineMs: checked.deadlineMs }, checked.signal)
  return orThrow(checked, await wayOf({ options: checked, kinds }, subject, searchAll))
}

/** What a search needs to know besides how to run the test. */
interface Asked {
  readonly options: Checked
  readonly kinds: readonly KindInfo[]
}

async function searchAll({ options, kinds }: Asked, run: Subject): Promise<Exploration> {
  const behaviours = behavioursOf(options)
  const subject: Subject = behaviours === undefined ? run : async (plan) => behaviours.judge(plan, await run(plan))
  const surveyed = await survey(subject)
  assertHealthy(options.name, surveyed)
  const result = await search(subject, surveyed, {
    depth: options.depth,
    budgetMs: options.budgetMs,
    seed: String(options.seed),
    thorough: options.thorough,
    maxFindings: options.maxFindings,
    nodeRule: options.statelessScopes,
    now: () => options.searchClock.now(),
    onProgress: options.onProgress ?? (() => undefined),
    onFound: tellerOf({ options, kinds }),
    isGivenUp: () => options.signal?.aborted === true,
  })
  behaviours?.save()
  return explorationOf(options.name, result, kinds)
}

async function tryAtRandom(around: Surroundings, subject: Subject): Promise<Exploration> {
  const { name, runs, rate, budgetMs, maxFindings, searchClock, signal } = around.options
  assertHealthy(name, await survey(subject))
  const endsAt = searchClock.now() + budgetMs
  const result = await runAtRandom(around, subject, {
    runs,
    rate,
    onFound: tellerOf(around),
    mayGoOn: (found) => found < maxFindings && searchClock.now() < endsAt && signal?.aborted !== true,
  })
  return accountOf(
    name,
    randomLine(result, rate),
    { runs: result.made, findings: result.findings, notRepeated: result.notReproduced },
    around.kinds,
  )
}

/** Tells whoever asked of each finding. */
function tellerOf({ options: { name, onFound }, kinds }: Asked): ((finding: Finding) => void) | undefined {
  return onFound && ((finding) => onFound(findingOf(name, finding, kinds)))
}

/** @throws ChaosError `CHAOS_NOT_EXPLORED` */
function assertHealthy(name: string, { unhealthy, stable, unstable }: Survey): void {
  if (unhealthy?.run === 1) throw notExplored(`The test "${name}" breaks without a fault: ${unhealthy.reason}`)
  if (unhealthy?.run === 2)
    throw notExplored(
      `The test "${name}" holds once, and breaks when it is run again without a fault. Put back in \`reset\` what a run has changed. ${unhealthy.reason}`,
    )
  if (stable.length + unstable.length === 0)
    throw notExplored(
      `The test "${name}" makes no call that a fault of \`faults\` could hit. Check that it works on the objects in \`targets\`.`,
    )
}

/** Runs the hits of a finding, and nothing else. */
async function replayed({ options, kinds }: Asked, replay: Replay, run: Subject): Promise<Exploration> {
  const behaviours = behavioursOf(options)
  // An answer that is no effect of the fault is known by that of a run without one.
  if (behaviours !== undefined) behaviours.judge([], await run([]))
  const made = await run(replay.hits)
  const missed = notReproduced(replay, made, kinds)
  if (missed !== undefined) throw notExplored(`The finding of "${options.name}" is not reproduced. ${missed}`)
  const { hits } = replay
  const { outcome } = behaviours?.judge(hits, made) ?? made
  const line = `a finding of ${counted(hits.length, 'fault')} replayed: the test ${outcome.verdict}`
  const findings = outcome.verdict === 'breaks' ? [{ hits, reason: outcome.reason, twins: [] }] : []
  return accountOf(options.name, line, { runs: 1, findings }, kinds)
}

const behavioursOf = ({ behaviours }: Checked): Behaviours | undefined =>
  behaviours === undefined ? undefined : openBehaviours(behaviours)

function notExplored(message: string): ChaosError {
  return new ChaosError('CHAOS_NOT_EXPLORED', message)
}
