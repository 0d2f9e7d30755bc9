import type { Case, Suite } from '../runner/case.js'
import { BROKEN, blindSearch, KINDS } from '../explore/blind.js'
import { checkout, services } from '../explore/checkout.js'
import { leftOut, unstableShare, type NAMES } from '../explore/names.js'

/** A search takes long; its runs are the same each time. */
const searchesOf = (depth: number, rounds: number): number => (depth > 2 ? 1 : Math.min(rounds, 3))
const REQUESTS = [1, 8, 32] as const

async function measured(rounds: number, read: () => Promise<number>): Promise<{ readonly values: readonly number[] }> {
  const values: number[] = []
  for (let round = 0; round < rounds; round += 1) values.push(await read())
  return { values }
}

const namesBy = (requests: number, name: keyof typeof NAMES, by: string): Case => ({
  name: `names that mean another call in the next run, of 100, ${requests} at once, by ${by}`,
  unit: 'count',
  processes: 2,
  ...(name === 'scope' && { bar: { most: 0 } }),
  measure: (rounds) => measured(rounds, () => unstableShare(requests, name)),
})

const left = (requests: number): Case => ({
  name: `unstable points that \`explore\` leaves out, of ${4 * requests}, ${requests} at once`,
  unit: 'count',
  processes: 2,
  bar: { most: 0 },
  measure: (rounds) => measured(rounds, () => leftOut(requests)),
})

/** Explores the checkout, and reads one thing. */
async function searched(depth: number): Promise<{ readonly runs: number; readonly ms: number }> {
  const { explore } = await import('@chaos/test')
  let made = services()
  const startedAt = performance.now()
  const { result, findings } = await explore(
    {
      name: 'checkout',
      depth,
      reset: () => void (made = services()),
      targets: () => Object.fromEntries(BROKEN.map((name) => [name, made[name]])),
      faults: Object.fromEntries(BROKEN.map((name) => [name, KINDS])),
      onFinding: 'return',
    },
    () => checkout(made),
  )
  if (findings.length === 0) throw new Error('Expected the search to find the double charge, got no finding.')
  return { runs: result.runs, ms: performance.now() - startedAt }
}

async function blind(depth: number): Promise<{ readonly runs: number; readonly ms: number }> {
  const startedAt = performance.now()
  const { runs, found } = await blindSearch(depth)
  if (found === 0) throw new Error('Expected the blind search to find the double charge, got none.')
  return { runs, ms: performance.now() - startedAt }
}

const searchCases = (depth: number): readonly Case[] =>
  (['runs', 'ms'] as const).flatMap((reading) => {
    const [unit, what] = reading === 'runs' ? (['count', 'runs'] as const) : (['ms', 'time'] as const)
    const one = (how: string, search: typeof blind): Case => ({
      name: `a checkout of 8 calls × ${KINDS.length} kinds, depth ${depth}: ${what} of ${how}`,
      unit,
      processes: 1,
      measure: (rounds) => measured(searchesOf(depth, rounds), async () => (await search(depth))[reading]),
    })
    return [one('`explore`, audit and confirmation included', searched), one('a search of all sets', blind)]
  })

export const exploreSuite: Suite = {
  name: 'explore',
  title: 'Search',
  about:
    'How well a call is found again in the next run, when requests of 4 calls of 0 to 4 ms run at the same time; and the search of `@chaos/test` against one that runs every set of faults that can be reached.',
  cases: [
    ...REQUESTS.flatMap((requests) => [
      namesBy(requests, 'number', 'the number of the call alone'),
      namesBy(requests, 'scope', 'its scope and its number there'),
      left(requests),
    ]),
    ...searchCases(2),
    ...searchCases(3),
  ],
}
