import { messageOf } from '@chaos/core/authoring'
import { samples } from './audit.js'
import { fatesOf, type Fate } from './fates.js'
import type { Finding, OnFound } from './finding.js'
import { KnownHits } from './hits.js'
import { Memory } from './memory.js'
import { pointId, type Hit, type LateError, type Point, type Reached, type Run, type Subject } from './model.js'
import { mostTellingFirst } from './order.js'
import { findTwins } from './prune/equal-kinds.js'
import { lookedAt, Prunings } from './prunings.js'
import { setId } from './sets.js'
import type { Survey } from './survey.js'
import { totalsOf, type Totals } from './totals.js'
import { Trials } from './trials.js'

/** The runs without a fault before and after a search. */
const AROUND = 3
/** The most errors that are kept. */
const MAX_LATE = 1_000
/** The longest account of an error, in characters. */
const MAX_FAILURE = 2_000

/** How to search. */
export interface SearchOptions {
  /** The largest number of faults in one run. */
  readonly depth: number
  /** No set is begun later than this many ms after the search began. What breaks is shrunk all the same. */
  readonly budgetMs: number
  readonly seed: string
  /** Whether to run also what is pruned by inference alone. */
  readonly thorough: boolean
  /** Whether to take scopes for nodes without state. */
  readonly nodeRule: boolean
  /** Reads a clock, in ms. */
  readonly now: () => number
  readonly onProgress: (progress: Progress) => void
  /** Called for each finding as soon as it is shrunk. */
  readonly onFound?: OnFound | undefined
  /** No run begins after this many findings. */
  readonly maxFindings: number
  /** Whether the search was given up: no run begins any more. */
  readonly isGivenUp: () => boolean
}

/** How far a search is. */
export interface Progress {
  /** The runs made, shrinking and audit included. */
  readonly runs: number
  /** The number of faults in the sets that are run now. */
  readonly size: number
  /** The sets of this size that are waiting. More may follow from what they show. */
  readonly waiting: number
  readonly findings: number
  readonly elapsedMs: number
}

/** What a search found, and what it left out. */
export interface SearchResult extends Totals {
  readonly depth: number
  readonly points: readonly Reached[]
  readonly unstable: readonly Point[]
  readonly findings: readonly Finding[]
  /** Sets that broke the test once and not again. */
  readonly notRepeated: readonly { readonly hits: readonly Hit[]; readonly reason: string }[]
  /** Sets of which some call was not made, though earlier runs had made it. */
  readonly notReached: readonly (readonly Hit[])[]
  readonly audit: { readonly made: number; readonly agreed: number; readonly off: readonly string[] }
  /** Points that the runs before the search reached and the one after it did not, or the other way round. */
  readonly drifted: readonly Point[]
  /** Why the run without a fault after the search broke, if the search did not end for a finding that spoiled it. */
  readonly brokenAfter: string | undefined
  /** Errors that nobody handled, which came after their runs had ended. */
  readonly late: readonly LateError[]
  /** Why a run could not be made, which ended the search. */
  readonly failure: string | undefined
  /** The finding after which the test broke without a fault, which ended the search. */
  readonly spoiledBy: readonly Hit[] | undefined
  /** Why no more runs were begun, if some were left. */
  readonly stoppedBy: 'the time was up' | 'it was given up' | 'enough was found' | 'a run could not be made' | undefined
  /** All runs, those of the survey, of shrinking and of the audit included. */
  readonly runs: number
  readonly ms: number
  /** What became of each fault. */
  readonly fates: readonly { readonly hit: Hit; readonly fate: Fate }[]
}

/**
 * Runs the test with every set of faults, by increasing number, that cannot be pruned. A set grows only by points that its own
 * run has reached.
 *
 * @throws What a run throws, if nothing was found until then. Else the search ends there, and what was found is told.
 */
export async function search(subject: Subject, surveyed: Survey, options: SearchOptions): Promise<SearchResult> {
  const startedAt = options.now()
  const hits = new KnownHits()
  hits.exclude(surveyed.unstable)
  hits.addFirst(surveyed.stable)
  const memory = new Memory(hits)
  memory.remember([], surveyed.first)
  const prunings = new Prunings(memory, options)
  const late: LateError[] = []
  const listening: Subject = async (plan) => {
    const run = await subject(plan)
    if (late.length < MAX_LATE) late.push(...(run.late ?? []))
    return run
  }
  const trials = new Trials(listening, memory, options.onFound)
  const audited = new Map<string, boolean>()
  let stoppedBy: SearchResult['stoppedBy']

  const mayGoOn = (): boolean => {
    if (options.isGivenUp()) stoppedBy = 'it was given up'
    else if (trials.findings.length >= options.maxFindings) stoppedBy = 'enough was found'
    else if (options.now() - startedAt >= options.budgetMs) stoppedBy = 'the time was up'
    return stoppedBy === undefined && trials.spoiledBy === undefined
  }
  const told = (size: number, waiting: number): void =>
    options.onProgress({
      runs: trials.runs + 2,
      size,
      waiting,
      findings: trials.findings.length,
      elapsedMs: options.now() - startedAt,
    })

  /** Runs what can be run of one size. Returns whether there was anything. */
  const runSize = async (size: number): Promise<boolean> => {
    const open = [...lookedAt(memory, size)].filter((set) => trials.isOpen(set) && prunings.of(set) === undefined)
    let ranAny = false
    for (const [n, set] of mostTellingFirst(open, memory).entries()) {
      if (!mayGoOn()) break
      // What a run before has found may prune this one.
      if (prunings.of(set) !== undefined) continue
      told(size, open.length - n)
      await trials.run(set)
      ranAny = true
    }
    if (ranAny) findTwins(size, memory)
    return ranAny
  }

  /** Runs a share of what was pruned of one size. Returns whether a pruning was turned off. */
  const auditSize = async (size: number): Promise<boolean> => {
    let hasTurnedOff = false
    for (const { set, pruning, expected } of samples(size, prunings, options.seed)) {
      if (!mayGoOn()) break
      if (audited.has(setId(set)) || !prunings.isOn(pruning)) continue
      told(size, 0)
      const trial = await trials.tryOut(set)
      const agrees = trial.run.outcome.verdict === expected && !(pruning.name === 'reach' && trial.isReached)
      audited.set(setId(set), agrees)
      if (agrees) continue
      prunings.turnOff(pruning)
      hasTurnedOff = true
      await trials.accept(set, trial)
    }
    return hasTurnedOff
  }

  const runAll = async (): Promise<void> => {
    for (let size = 1; size <= options.depth && mayGoOn(); size += 1) {
      let isOpen = true
      while (isOpen) {
        isOpen = false
        // A run may find hits that were not known before: they are run alone before they are run with others.
        for (let smaller = 1; smaller <= size && !isOpen; smaller += 1) isOpen = await runSize(smaller)
        // With many points it takes long only to look at the sets.
        if (!isOpen && mayGoOn()) isOpen = await auditSize(size)
      }
    }
  }
  let failure: string | undefined
  const orEnd = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      // A run that is given up shows nothing, and throws.
      stoppedBy = options.isGivenUp() ? 'it was given up' : 'a run could not be made'
      if (options.isGivenUp()) return undefined
      if (trials.findings.length === 0) throw error
      failure = messageOf(error, { max: MAX_FAILURE })
      return undefined
    }
  }
  await orEnd(runAll)
  const after = options.isGivenUp() || failure !== undefined ? undefined : await orEnd(() => listening([]))

  return {
    ...totalsOf(options.depth, memory, prunings),
    depth: options.depth,
    points: pointsOf(hits),
    unstable: surveyed.unstable.map(({ point }) => point),
    findings: trials.findings,
    notRepeated: trials.notRepeated,
    notReached: trials.notReached,
    audit: { made: audited.size, agreed: [...audited.values()].filter(Boolean).length, off: prunings.off },
    ...driftOf(surveyed, after),
    brokenAfter:
      trials.spoiledBy === undefined && after?.outcome.verdict === 'breaks' ? after.outcome.reason : undefined,
    late,
    failure,
    spoiledBy: trials.spoiledBy,
    stoppedBy,
    runs: trials.runs + AROUND,
    ms: options.now() - startedAt,
    fates: fatesOf(memory, trials.findings),
  }
}

/** How a run without a fault after the search differs from those before. One that breaks ends somewhere, which says nothing. */
function driftOf({ stable, unstable }: Survey, after: Run | undefined): Pick<SearchResult, 'drifted'> {
  if (after === undefined || after.outcome.verdict === 'breaks') return { drifted: [] }
  const reached = new Set(after.reached.map(({ point }) => pointId(point)))
  const known = new Set([...stable, ...unstable].map(({ point }) => pointId(point)))
  return {
    drifted: [
      ...stable.filter(({ point }) => !reached.has(pointId(point))),
      ...after.reached.filter(({ point }) => !known.has(pointId(point))),
    ].map(({ point }) => point),
  }
}

function pointsOf(hits: KnownHits): readonly Reached[] {
  return hits.points.map((at) => {
    const all = at.map((index) => hits.hit(index))
    const kinds = all.filter(({ times }) => times === undefined).map(({ kind }) => kind)
    return { point: (all[0] as Hit).point, kinds }
  })
}
