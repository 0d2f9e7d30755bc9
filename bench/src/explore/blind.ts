import { failAfterCall, refuseCalls } from '@chaos/adapter'
import { inject, withScope, type Injection } from '@chaos/core'
import { checkout, services, type Services } from './checkout.js'

/** The names of the services that faults break. */
export const BROKEN = ['carts', 'stock', 'payments', 'orders', 'mail', 'log'] as const satisfies (keyof Services)[]
/** The kinds of faults of each call. */
export const KINDS = [
  refuseCalls({ error: 'ECONNREFUSED' }),
  refuseCalls({ error: 'ETIMEDOUT' }),
  failAfterCall({ error: 'ECONNRESET' }),
] as const
const SCOPE = 'blind'
type Service = (typeof BROKEN)[number]

interface Hit {
  readonly service: Service
  readonly operation: string
  readonly call: number
  readonly kind: number
}

/** The runs of a search that runs every set of faults that can be reached, and whether it found the bug. */
export interface Blind {
  readonly runs: number
  readonly found: number
}

/** Runs every set of faults that can be reached, up to a size, and leaves nothing out. */
export async function blindSearch(depth: number): Promise<Blind> {
  const seen = new Set<string>()
  let [runs, found] = [0, 0]
  let level: readonly (readonly Hit[])[] = [[]]
  for (let size = 0; size <= depth; size += 1) {
    const next: (readonly Hit[])[] = []
    for (const plan of level) {
      const id = plan.map(idOf).sort().join()
      if (seen.has(id)) continue
      seen.add(id)
      runs += 1
      const { reached, holds } = await runWith(plan)
      if (!holds) found += 1
      const taken = new Set(plan.map(pointOf))
      for (const point of reached)
        if (!taken.has(pointOf(point))) for (const kind of KINDS.keys()) next.push([...plan, { ...point, kind }])
    }
    level = next
  }
  return { runs, found }
}

type Point = Omit<Hit, 'kind'>
const pointOf = ({ service, operation, call }: Point): string => `${service}.${operation}#${call}`
const idOf = (hit: Hit): string => `${pointOf(hit)}=${hit.kind}`

/** Runs the checkout with planned faults, which are ordinary injections. */
async function runWith(plan: readonly Hit[]): Promise<{ readonly reached: readonly Point[]; readonly holds: boolean }> {
  const made = services()
  const reached: Point[] = []
  const injections: Injection[] = []
  for (const { service, operation, call, kind } of [...plan].sort((one, other) => one.call - other.call))
    injections.push(
      await inject(KINDS[kind] ?? KINDS[0], made[service], {
        scope: SCOPE,
        only: operation,
        skip: call - 1,
        limit: 1,
      }),
    )
  for (const service of BROKEN)
    injections.push(
      await inject(KINDS[0], made[service], {
        rate: 0,
        onSeen: ({ operation, call }) => void reached.push({ service, operation: String(operation), call }),
      }),
    )
  const holds = await withScope(SCOPE, () => checkout(made)).then(
    () => true,
    () => false,
  )
  for (const injection of injections.reverse()) await injection.rollback()
  return { reached, holds }
}
