import { chainOf, hitText, planId, pointId, type Hit } from './model.js'

/** A smallest set of faults that breaks the test. */
export interface Finding {
  readonly hits: readonly Hit[]
  /** Why the test broke. */
  readonly reason: string
  /** Sets with other kinds of faults, or at later tries of the same calls, which break the test for the same reason. */
  readonly twins: readonly (readonly Hit[])[]
}

/** Called for each finding that is new, and no twin. */
export type OnFound = (finding: Finding) => void

/**
 * Adds a finding. One that has the same reason as an earlier finding, and differs in kinds alone, or hits a later try of the same call,
 * becomes its twin.
 */
export function addFinding(
  findings: readonly Finding[],
  { hits, reason }: Pick<Finding, 'hits' | 'reason'>,
  onFound: OnFound | undefined,
): readonly Finding[] {
  const alike = findings.find(
    (one) =>
      withoutNumbers(one.reason) === withoutNumbers(reason) &&
      (placesOf(one.hits) === placesOf(hits) || isLaterTry(hits, [one.hits, ...one.twins])),
  )
  if (alike !== undefined) return findings.map((one) => (one === alike ? { ...one, twins: [...one.twins, hits] } : one))
  const finding = { hits, reason, twins: [] }
  onFound?.(finding)
  return [...findings, finding]
}

/** A twin for people: its kinds, or all of it if it hits other calls than the finding. */
export function twinText(twin: readonly Hit[], { hits }: Pick<Finding, 'hits'>): string {
  return placesOf(twin) === placesOf(hits)
    ? twin.map(({ kind }) => kind).join(' + ')
    : twin.map((hit) => hitText(hit)).join(' and ')
}

/** Whether a set is one of others if its last hit on each call comes at the first try that the set hits. */
function isLaterTry(hits: readonly Hit[], others: readonly (readonly Hit[])[]): boolean {
  const firsts = new Map<string, Hit>()
  for (const hit of [...hits].sort((one, other) => one.point.call - other.point.call)) {
    const first = firsts.get(chainOf(hit.point)) ?? hit
    firsts.set(chainOf(hit.point), { ...hit, point: first.point })
  }
  const moved = planId([...firsts.values()])
  return others.some((other) => planId(other) === moved)
}

function placesOf(hits: readonly Hit[]): string {
  return hits
    .map(({ point, times }) => `${pointId(point)}${times ?? ''}`)
    .sort()
    .join('\n')
}

/** Times and ids in a message change between runs. */
function withoutNumbers(reason: string): string {
  return reason.replace(/\d+/g, '0')
}
