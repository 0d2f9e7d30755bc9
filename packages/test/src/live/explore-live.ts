import { ChaosError, isChaosError } from '@chaos/core'
import { messageOf, printable } from '@chaos/core/authoring'
import { notReproduced, type Replay } from '../explore/replay.js'
import { hitId, type Hit } from '../search/model.js'
import { search, type Progress, type SearchResult } from '../search/search.js'
import { survey, type Survey } from '../search/survey.js'
import { liveExplorationOf, type LiveExploration } from './live-exploration.js'
import type { LiveConnection } from './live-app.js'
import { chooseKinds, type AskedKinds, type ChosenKinds, type LiveKind } from './live-kinds.js'
import { liveSubject, type LiveSetting } from './live-run.js'

/** How to explore a live app. */
export interface LiveOptions extends Omit<LiveSetting, 'kinds'> {
  readonly name: string
  readonly asked: AskedKinds
  readonly depth: number
  readonly budgetMs: number
  readonly maxFindings: number
  readonly seed: string
  readonly thorough: boolean
  readonly onProgress: (progress: Progress) => void
}

/**
 * Runs the load of a live app under every set of faults that it can reach, and reads the invariants after each run.
 *
 * @throws ChaosError `CHAOS_NOT_EXPLORED` if an invariant does not hold without a fault, or the load reaches no point.
 */
export async function exploreLive(options: LiveOptions): Promise<LiveExploration> {
  const { app, asked, name, clock, signal } = options
  const { kinds, leftOut } = await usableKinds(await app.connection(), asked)
  const lost = new LostApp()
  const run = liveSubject({ ...options, kinds })
  const subject = lost.watch(run)
  const surveyed = await survey(subject)
  assertHealthy(surveyed)
  const result = await search(subject, surveyed, {
    ...options,
    nodeRule: false,
    now: () => clock.now(),
    isGivenUp: () => signal.aborted || lost.error !== undefined,
  })
  return liveExplorationOf(name, lost.toldIn(result), kinds, leftOut)
}

/** @throws ChaosError `CHAOS_NOT_EXPLORED` */
function assertHealthy({ unhealthy, stable, unstable }: Survey): void {
  if (unhealthy?.run === 1) throw notExplored(`A run without a fault breaks: ${unhealthy.reason}`)
  if (unhealthy?.run === 2)
    throw notExplored(
      `The invariants hold once, and not when the load is run again without a fault. Put back with --reset what a run has changed. ${unhealthy.reason}`,
    )
  if (stable.length + unstable.length === 0)
    throw notExplored(
      'The load makes no call that a fault of the app could hit. Check that it reaches the process that was chosen.',
    )
}

const notExplored = (message: string): ChaosError => new ChaosError('CHAOS_NOT_EXPLORED', message)

/**
 * Replays one finding.
 *
 * @returns Why it breaks. `undefined`: it holds.
 * @throws ChaosError `CHAOS_NOT_EXPLORED` if one of its faults does not land.
 */
export async function replayLive(
  options: Omit<LiveOptions, 'depth' | 'budgetMs' | 'maxFindings' | 'seed' | 'thorough' | 'onProgress'>,
  replay: Replay,
): Promise<string | undefined> {
  const { kinds } = await usableKinds(await options.app.connection(), options.asked)
  const run = await liveSubject({ ...options, kinds })(replay.hits)
  const missed = notReproduced(replay, run, kinds)
  if (missed !== undefined) throw notExplored(`The finding is not reproduced. ${missed}`)
  const { outcome } = run
  return outcome.verdict === 'breaks' ? outcome.reason : undefined
}

/** The kinds that the app accepts right now. What was asked for must be accepted. */
async function usableKinds(connection: LiveConnection, asked: AskedKinds): Promise<ChosenKinds> {
  const chosen = chooseKinds(await connection.targets(), await connection.faults(), asked)
  const kinds: LiveKind[] = []
  const leftOut = [...chosen.leftOut]
  for (const kind of chosen.kinds) {
    const refusal = await refusalOf(connection, kind, asked.faults.length > 0)
    if (refusal === undefined) kinds.push(kind)
    else leftOut.push(`${printable(kind.target)}: ${printable(kind.fault)}, since ${refusal}`)
  }
  return { kinds, leftOut }
}

/** Faults that do not fit their target are left out, unless they were asked for. */
async function refusalOf(
  connection: LiveConnection,
  { target, fault, options }: LiveKind,
  isAsked: boolean,
): Promise<string | undefined> {
  try {
    await connection.check(target, fault, options)
    return undefined
  } catch (error) {
    const isOfFault = isChaosError(error, 'CHAOS_TARGET_MISMATCH') || isChaosError(error, 'CHAOS_INVALID_OPTION')
    if (isAsked || !isOfFault) throw error
    return `the app refuses it: ${messageOf(error)}`
  }
}

/** Remembers that the app ended and did not come back: the search ends there, and its findings stand. */
class LostApp {
  error: unknown
  #last: { readonly hits: readonly Hit[]; readonly reason: string } | undefined

  watch(run: (plan: readonly Hit[]) => ReturnType<ReturnType<typeof liveSubject>>): ReturnType<typeof liveSubject> {
    return async (plan) => {
      try {
        const made = await run(plan)
        if (made.outcome.verdict === 'breaks' && plan.length > 0)
          this.#last = { hits: plan, reason: made.outcome.reason }
        return made
      } catch (error) {
        if (isChaosError(error, 'CHAOS_ENDPOINT_UNREACHABLE')) this.error = error
        throw error
      }
    }
  }

  /** The set under which the app ended could not be run again, and is told all the same. */
  toldIn(result: SearchResult): SearchResult {
    if (this.error === undefined || this.#last === undefined) return result
    const { hits } = this.#last
    const reason = `${this.#last.reason} ${messageOf(this.error)}`
    const fate = hits.length === 1 ? ('broke' as const) : ('broke with others' as const)
    const ids = new Set(hits.map(hitId))
    return {
      ...result,
      spoiledBy: hits,
      findings: [...result.findings, { hits, reason, twins: [] }],
      fates: result.fates.map((one) => (ids.has(hitId(one.hit)) ? { ...one, fate } : one)),
    }
  }
}
