import type { Hit, Run, Subject } from './model.js'

/** What shrinking made of a set of hits. */
export interface Shrunk {
  /** The smallest set that still breaks the test: without any of its hits the test holds, or another hit does not land. */
  readonly hits: readonly Hit[]
  readonly reason: string
  /** The number of replays made. */
  readonly replays: number
}

/**
 * Makes a set of hits that breaks the test smaller, until no hit can be left out. Each step is a real run.
 *
 * The test is known to hold without a fault. A step counts only if the test breaks. Hits that did not land are left out: what breaks the test then is the rest.
 *
 * @returns `undefined` if the set does not break the test again, or some of its hits do not land: it is not reproduced.
 * @see Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002): delta debugging.
 */
export async function shrink(hits: readonly Hit[], subject: Subject): Promise<Shrunk | undefined> {
  let replays = 0
  const replay = async (plan: readonly Hit[]): Promise<Broken | undefined> => {
    replays += 1
    return brokenBy(plan, await subject(plan))
  }
  let current = await replay(hits)
  let parts = 2
  while (current !== undefined && current.hits.length > 1) {
    const smaller: Broken | undefined = await firstOf(candidates(current.hits, parts), replay)
    if (smaller !== undefined) {
      current = smaller
      parts = Math.max(2, parts - 1)
    } else if (parts >= current.hits.length) break
    else parts = Math.min(current.hits.length, parts * 2)
  }
  // A step may have left out hits that did not land: the rest has not been run on its own.
  if (current !== undefined && !current.isWhole) current = await replay(current.hits)
  return current?.isWhole === true ? { hits: current.hits, reason: current.reason, replays } : undefined
}

/** The hits under which a run broke. */
export interface Broken {
  readonly hits: readonly Hit[]
  /** Whether every hit of the plan landed. */
  readonly isWhole: boolean
  readonly reason: string
}

/** The hits of a plan that landed, if the run broke. */
export function brokenBy(plan: readonly Hit[], { outcome, landed }: Run): Broken | undefined {
  if (outcome.verdict === 'holds') return undefined
  return { hits: plan.filter((_, n) => landed[n] === true), isWhole: landed.every(Boolean), reason: outcome.reason }
}

/** The set without each of its parts. */
function candidates(hits: readonly Hit[], parts: number): readonly (readonly Hit[])[] {
  const size = Math.ceil(hits.length / parts)
  const slices = Array.from({ length: Math.ceil(hits.length / size) }, (_, n) => hits.slice(n * size, (n + 1) * size))
  return slices.map((part) => hits.filter((hit) => !part.includes(hit)))
}

async function firstOf(
  plans: readonly (readonly Hit[])[],
  replay: (plan: readonly Hit[]) => Promise<Broken | undefined>,
): Promise<Broken | undefined> {
  for (const plan of plans) {
    const broken = await replay(plan)
    if (broken !== undefined) return broken
  }
  return undefined
}
