import type { Injection } from '@chaos/core'
import { addFinding, type Finding, type OnFound } from '../search/finding.js'
import { counted } from '../search/line.js'
import { hitId, type Hit, type Subject } from '../search/model.js'
import { shrink } from '../search/shrink.js'
import type { Kind } from './kinds.js'
import type { Armed } from './plan.js'
import { LatestPoints } from './latest-points.js'
import { runOnce, type Place, type Surroundings } from './run-once.js'
import { injectForRun } from './setting.js'

/** How to run a test at random. */
export interface RandomRuns {
  readonly runs: number
  readonly rate: number
  /** Whether another run may begin. */
  readonly mayGoOn: (findings: number) => boolean
  /** Called for each finding. */
  readonly onFound?: OnFound | undefined
}

/** What runs at random found. */
export interface RandomResult {
  readonly made: number
  readonly broken: number
  readonly findings: readonly Finding[]
  /** The hits of runs that broke, and did not break when the same calls were hit again. */
  readonly notReproduced: readonly { readonly hits: readonly Hit[]; readonly reason: string }[]
}

/** Runs the test with faults that hit at random. The hits of a run that breaks are planned one by one, and shrunk. */
export async function runAtRandom(
  around: Surroundings,
  subject: Subject,
  { runs, rate, mayGoOn, onFound }: RandomRuns,
): Promise<RandomResult> {
  let [made, broken] = [0, 0]
  let findings: readonly Finding[] = []
  const notReproduced: { readonly hits: readonly Hit[]; readonly reason: string }[] = []
  const targets = new Set(around.kinds.map(({ target }) => target))
  for (; made < runs && mayGoOn(findings.length); made += 1) {
    const hits: Hit[] = []
    const seed = `${around.options.seed}/${made}`
    const latest = new LatestPoints()
    const { outcome, late = [] } = await runOnce(around, {
      ...{ broken: targets, hits, onPoint: latest.set },
      arm: (place) => armAtRandom(around.kinds, place, { rate, seed, hits, latest }),
    })
    notReproduced.push(...late)
    if (outcome.verdict === 'holds') continue
    broken += 1
    const shrunk = await shrink(hits, subject)
    if (shrunk === undefined || shrunk.hits.length === 0) notReproduced.push({ hits, reason: outcome.reason })
    else if (!findings.some((one) => isSame(one.hits, shrunk.hits))) findings = addFinding(findings, shrunk, onFound)
  }
  return { made, broken, findings, notReproduced }
}

/** Tells of runs at random in one line. */
export function randomLine({ made, broken, findings, notReproduced }: RandomResult, rate: number): string {
  return [
    `${counted(made, 'random run')} at rate ${rate}: ${broken === 0 ? 'none' : broken} broke`,
    ...(broken > 0 ? [`shrunk to ${counted(findings.length, 'finding')}`] : []),
    ...(notReproduced.length > 0 ? [`${notReproduced.length} not reproduced`] : []),
  ].join('; ')
}

function isSame(one: readonly Hit[], other: readonly Hit[]): boolean {
  const ids = new Set(one.map(hitId))
  return one.length === other.length && other.every((hit) => ids.has(hitId(hit)))
}

/**
 * Puts every standing kind in force with a rate. Rolls depend on seed, injection, operation and call number alone, so a hit that is
 * taken away changes no other roll, and the hits of a run can be planned one by one.
 */
async function armAtRandom(
  kinds: readonly Kind[],
  place: Place,
  {
    rate,
    seed,
    hits,
    latest,
  }: { readonly rate: number; readonly seed: string; readonly hits: Hit[]; readonly latest: LatestPoints },
): Promise<Armed> {
  const injections: Injection[] = []
  for (const [n, kind] of kinds.entries()) {
    if (kind.fault.kind !== 'standing') continue
    const injection = await injectForRun(kind, place, {
      rate,
      seed,
      id: `at-random-${n}`,
      scope: place.root,
      onAffected: (call) => {
        const point = latest.get(kind, call)
        if (point !== undefined) hits.push({ point, kind: kind.name })
      },
    })
    injections.push(injection)
  }
  return { injections, landed: [], done: () => Promise.resolve() }
}
