import { printable } from '@chaos/core/authoring'
import { twinText, type Finding } from '../search/finding.js'
import { isComplete, lineOf } from '../search/line.js'
import { hitText, pointText, type Hit, type Point } from '../search/model.js'
import type { SearchResult } from '../search/search.js'
import { codeOf } from './code.js'
import type { KindInfo } from './kinds.js'
import { mapOf } from './map.js'
import { replaySetting, type Replay } from './replay.js'

/** A smallest set of faults that breaks the test. */
export interface ExplorationFinding {
  readonly hits: readonly Hit[]
  /** Why the test broke. */
  readonly reason: string
  /** Sets with other kinds of faults, or at later tries of the same calls, which break the test for the same reason. */
  readonly twins: readonly (readonly Hit[])[]
  /** The finding as calls of `inject`, to paste into a test. */
  readonly code: string
  /** The finding as data. With its JSON, or a file of it, in `CHAOS_REPLAY`, the test is run with just this finding. */
  readonly replay: Replay
}

/** What a search found, and what it left out. */
export interface Exploration {
  readonly name: string
  readonly findings: readonly ExplorationFinding[]
  /** Whether every set of faults was run, cannot be, or contains a finding. */
  readonly complete: boolean
  /** What was tried and what was not, in one line. */
  readonly line: string
  /** All counts, points and fates. */
  readonly result: SearchResult
  /** The line, the findings and the map of points and kinds, as text. */
  readonly report: () => string
}

/** Tells a finding as code and as data. */
export function findingOf(
  name: string,
  { hits, reason, twins }: Finding,
  kinds: readonly KindInfo[],
): ExplorationFinding {
  return { hits, reason, twins, code: codeOf(hits, kinds), replay: { version: 1, name, hits, reason } }
}

/** Makes the account of a search. */
export function explorationOf(name: string, result: SearchResult, kinds: readonly KindInfo[]): Exploration {
  const findings = result.findings.map((finding) => findingOf(name, finding, kinds))
  const exploration = { name, findings, complete: isComplete(result), line: lineOf(result), result }
  return { ...exploration, report: () => reportOf(exploration) }
}

/** Makes the account of runs that were no search. */
export function accountOf(
  name: string,
  line: string,
  {
    runs,
    findings,
    notRepeated = [],
  }: Pick<SearchResult, 'runs' | 'findings'> & Partial<Pick<SearchResult, 'notRepeated'>>,
  kinds: readonly KindInfo[],
): Exploration {
  const result: SearchResult = {
    ...{ depth: 0, points: [], sets: 0, run: 0, pruned: {}, left: 0, inferred: 0, runs, ms: 0, findings, notRepeated },
    ...{ unstable: [], notReached: [], drifted: [], late: [], fates: [] },
    ...{ spoiledBy: undefined, brokenAfter: undefined, failure: undefined, stoppedBy: undefined },
    audit: { made: 0, agreed: 0, off: [] },
  }
  const account = { ...explorationOf(name, result, kinds), line, complete: false }
  return { ...account, report: () => reportOf(account) }
}

/** What a report says of a finding. `replay`: the finding can be replayed by a setting of the environment. */
type ReportedFinding = Omit<ExplorationFinding, 'replay'> & Partial<Pick<ExplorationFinding, 'replay'>>

export type Account = Omit<Exploration, 'report' | 'findings'> & { readonly findings: readonly ReportedFinding[] }

/** The line, the findings, what was left out, and the map of points and kinds, as text. */
export function reportOf({ name, line, findings, result }: Account): string {
  return [
    `${printable(name)}: ${line}`,
    ...findings.map((finding, n) => findingText(finding, n + 1)),
    ...listed(
      'Points left out, since they were not the same in two runs without a fault:',
      result.unstable.map(pointLine),
    ),
    ...listed(
      'Sets that broke the test once and not again:',
      result.notRepeated.map(({ hits }) => setText(hits)),
    ),
    ...listed(
      'Errors that nobody handled, which came after the runs of these sets had ended. Await in the test what it starts:',
      result.late.map(
        ({ hits, reason }) => `${hits.length === 0 ? 'no fault' : setText(hits)}: ${printable(reason, { max: 1_000 })}`,
      ),
    ),
    ...listed('Sets of which a call was not made, though earlier runs had made it:', result.notReached.map(setText)),
    ...listed(
      'Points that were gone, or new, in a run without a fault after the search:',
      result.drifted.map(pointLine),
    ),
    ...endOf(result),
    ...(result.fates.length > 0 ? [mapOf(result)] : []),
  ].join('\n\n')
}

/** Why the search ended as it did, if that is not as it should be. */
function endOf({ spoiledBy, brokenAfter, failure }: SearchResult): readonly string[] {
  const putBack = 'Put back in `reset` what a run has changed.'
  return [
    ...(spoiledBy === undefined
      ? []
      : [`After ${setText(spoiledBy)} the test breaks without a fault, so the search ended there. ${putBack}`]),
    ...(brokenAfter === undefined
      ? []
      : [`After the search the test breaks without a fault: ${brokenAfter}\n${putBack}`]),
    ...(failure === undefined ? [] : [`The search ended, since a run could not be made: ${failure}`]),
  ]
}

function findingText({ hits, reason, twins, code, replay }: ReportedFinding, n: number): string {
  const others = twins.map((twin) => printable(twinText(twin, { hits }), { max: 1_000 }))
  return [
    `${n}. ${hits.map(hitLine).join('\n   and ')}`,
    indented(reason, '   '),
    ...(others.length > 0 ? [`   also with ${others.join(', ')}`] : []),
    indented(code, '   '),
    ...(replay === undefined ? [] : [`   replay: ${replaySetting(replay)}`]),
  ].join('\n')
}

const indented = (text: string, by: string): string => text.replace(/^(?=.)/gm, by)
const hitLine = (hit: Hit): string => printable(hitText(hit), { max: 1_000 })
const setText = (hits: readonly Hit[]): string => hits.map(hitLine).join(' and ')
const MAX_LISTED = 20
const pointLine = (point: Point): string => printable(pointText(point), { max: 1_000 })

function listed(title: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return []
  const more = lines.length - MAX_LISTED
  return [
    [
      title,
      ...lines.slice(0, MAX_LISTED).map((line) => `   ${line}`),
      ...(more > 0 ? [`   … and ${more} more`] : []),
    ].join('\n'),
  ]
}
