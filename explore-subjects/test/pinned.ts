import type { Exploration } from '@chaos/test'
import type { Subject } from '../src/subject.js'

/** What is the same each time a library is explored. */
export interface Pinned {
  /** `points × kinds, depth, run of sets, pruned`, if each run makes the same calls. */
  readonly size?: string
  /** The smallest sets of faults, with the first line of why the test broke. */
  readonly findings: readonly string[]
}

/** Between the faults of a set. */
const AND = ' and '

/** The name of a subject, with its remedy. */
export const titleOf = ({ name, remedy }: Subject): string => (remedy === undefined ? name : `${name}: ${remedy}`)

/** Reads what is pinned from an exploration. */
export function pinnedOf({ isSteady }: Subject, { findings, result }: Exploration): Pinned {
  const { points, depth, run, sets } = result
  return {
    ...(isSteady && { size: `${points.length} points, depth ${depth}: ${run} of ${sets} sets run` }),
    findings: findings
      .map(({ hits, reason }) => `${hits.map(textOf).join(AND)}: ${reason.split('\n')[0] ?? ''}`)
      .sort(),
  }
}

/** What a search of lesser depth finds of it. */
export const upTo = (depth: number, { findings, ...others }: Pinned): Pinned => ({
  ...others,
  findings: findings.filter((finding) => finding.split(AND).length <= depth),
})

/** The causes of findings: each reason once. */
export const causesOf = ({ findings }: Exploration): readonly string[] =>
  [...new Set(findings.map(({ reason }) => reason.split('\n')[0] ?? ''))].sort()

function textOf({ point, kind, times }: Exploration['findings'][number]['hits'][number]): string {
  const operation = point.operation.replace(/127\.0\.0\.1:\d+/, '127.0.0.1')
  return `${kind} at ${point.target}.${operation} #${point.call}${times === undefined ? '' : ', and all later calls'}`
}
