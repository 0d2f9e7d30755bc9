import { printable } from '@chaos/core/authoring'
import { reportOf } from '../explore/exploration.js'
import type { Replay } from '../explore/replay.js'
import { isComplete, lineOf } from '../search/line.js'
import { hitText, type Hit } from '../search/model.js'
import type { SearchResult } from '../search/search.js'
import { quoted } from '../shell/quoted.js'
import type { LiveKind } from './live-kinds.js'
import { shortName } from './live-kinds.js'
import { placeOf } from './live-plan.js'

/** A smallest set of faults under which an invariant does not hold. */
export interface LiveFinding {
  readonly hits: readonly Hit[]
  readonly reason: string
  readonly twins: readonly (readonly Hit[])[]
  /** The finding as commands `chaos inject …`, in the order in which they have to be given. */
  readonly commands: string
  /** The finding as data, for `--replay`. */
  readonly replay: Replay
}

/** What a search over a live app found, and what it left out. */
export interface LiveExploration {
  readonly name: string
  readonly findings: readonly LiveFinding[]
  readonly complete: boolean
  readonly line: string
  readonly result: SearchResult
  /** Faults that were no part of the search, with the reason. */
  readonly leftOut: readonly string[]
}

/** Makes the account of a search. */
export function liveExplorationOf(
  name: string,
  result: SearchResult,
  kinds: readonly LiveKind[],
  leftOut: readonly string[],
): LiveExploration {
  return {
    ...{ name, result, leftOut, complete: isComplete(result), line: lineOf(result) },
    findings: result.findings.map(({ hits, reason, twins }) => ({
      ...{ hits, reason, twins, commands: commandsOf(hits, kinds) },
      replay: { version: 1 as const, name, hits, reason },
    })),
  }
}

/** The longest report, in characters. */
const MAX_REPORT = 1_000_000

/** The account as text, in which nothing of what the app says moves the cursor. */
export function liveReport({ findings, leftOut, result, ...account }: LiveExploration): string {
  const shown = findings.map(({ hits, reason, twins, commands }) => ({ hits, reason, twins, code: commands }))
  const told = { ...result, spoiledBy: undefined, brokenAfter: undefined, failure: undefined }
  const parts = [
    reportOf({ ...account, result: told, findings: shown }),
    ...endOf(result),
    ...(leftOut.length === 0
      ? []
      : [['Faults that were no part of the search:', ...leftOut.map((one) => `   ${one}`)].join('\n')]),
  ]
  return printable(parts.join('\n\n'), { max: MAX_REPORT, lines: true })
}

/** Why the search ended as it did, if that is not as it should be. */
export function endOf({ spoiledBy, brokenAfter, failure }: SearchResult): readonly string[] {
  const putBack = 'Put back with --reset what a run has changed.'
  return [
    ...(spoiledBy === undefined
      ? []
      : [
          `After ${printable(spoiledBy.map(hitText).join(' and '), { max: 10_000 })} the app is gone, or an invariant does not hold without a fault, so the search ended there. ${putBack}`,
        ]),
    ...(brokenAfter === undefined
      ? []
      : [`After the search an invariant does not hold without a fault: ${brokenAfter}\n${putBack}`]),
    ...(failure === undefined ? [] : [`The search ended, since a run could not be made: ${failure}`]),
  ]
}

/** Prints hits as commands of `chaos`, to type beside the app. */
function commandsOf(hits: readonly Hit[], kinds: readonly LiveKind[]): string {
  return [...hits]
    .sort((one, other) => one.point.call - other.point.call)
    .map((hit) => {
      const { target } = hit.point
      const kind = kinds.find((one) => one.target === target && one.name === hit.kind)
      const options = Object.entries(kind?.options ?? {}).map(
        ([key, value]) => `${flag(key)} ${word(typeof value === 'string' ? value : JSON.stringify(value))}`,
      )
      const { only, scope, skip, limit } = placeOf(hit)
      return [
        `chaos inject ${word(target)} ${word(shortName(kind?.fault ?? hit.kind))}`,
        ...options,
        `--only ${word(String(only))}`,
        ...(scope === undefined ? [] : [`--scope ${word(scope)}`]),
        ...(skip === undefined ? [] : [`--skip ${skip}`]),
        ...(limit === undefined ? [] : [`--limit ${limit}`]),
      ].join(' ')
    })
    .join('\n')
}

const flag = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

const word = (text: string): string => quoted(printable(text, { max: 20_000 }))
