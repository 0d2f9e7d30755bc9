import { hitId, pointId, type Hit, type Subject } from '../src/search/model.js'

/** Runs every set of single hits up to a size that can be reached, without any pruning, and returns the smallest that break. */
export async function blindSearch(
  subject: Subject,
  depth: number,
): Promise<{ readonly causes: readonly (readonly Hit[])[]; readonly runs: number }> {
  const seen = new Set<string>()
  const breaking: (readonly Hit[])[] = []
  let runs = 0
  let level: readonly (readonly Hit[])[] = [[]]
  for (let size = 0; size <= depth; size += 1) {
    const next: (readonly Hit[])[] = []
    for (const plan of level) {
      const id = idOf(plan)
      if (seen.has(id)) continue
      seen.add(id)
      runs += 1
      const { landed, outcome, reached } = await subject(plan)
      if (!landed.every(Boolean)) continue
      if (outcome.verdict === 'breaks') breaking.push(plan)
      const taken = new Set(plan.map(({ point }) => pointId(point)))
      for (const { point, kinds } of reached)
        if (!taken.has(pointId(point))) for (const kind of kinds) next.push([...plan, { point, kind }])
    }
    level = next
  }
  const smallest = breaking.filter(
    (plan) => !breaking.some((other) => other.length < plan.length && isWithin(other, plan)),
  )
  return { causes: smallest, runs }
}

/** The identity of a set, whatever its order. */
export function idOf(plan: readonly Hit[]): string {
  return plan.map(hitId).sort().join(' + ')
}

/** Whether each hit of one set is in the other, or lasts in its place. */
function isWithin(smaller: readonly Hit[], set: readonly Hit[]): boolean {
  return smaller.every((hit) => set.some((other) => hitId(other) === hitId(hit)))
}
