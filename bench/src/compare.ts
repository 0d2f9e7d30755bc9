import { measure } from 'mitata'

/** One way of doing the same thing. `make` builds it afresh each round, with functions of its own, so that cases share no inline cache. */
export interface Case {
  readonly name: string
  readonly make: () => Prepared | Promise<Prepared>
}

export interface Prepared {
  /** Does the work once. What it returns is kept, so that it cannot be optimised away. */
  readonly run: () => unknown
  readonly dispose?: () => void | Promise<void>
}

/** A case against the bare call: ratios of medians, one a round. */
export interface Comparison {
  readonly name: string
  readonly medianNs: number
  readonly ratio: { readonly min: number; readonly median: number; readonly max: number }
}

/**
 * Runs every case several times in random order and compares each with the bare call of its own round: the machine's speed drifts, ratios within a round do not.
 *
 * @param cases The first one is the bare call.
 * @param rounds Default 15.
 */
export async function compare(cases: readonly Case[], rounds = 15): Promise<Comparison[]> {
  const times = new Map<string, number[]>(cases.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, make } of shuffled(cases)) {
      const { run, dispose } = await make()
      const stats = await measure(run, { min_cpu_time: 20_000_000, batch_unroll: 1, inner_gc: false })
      times.get(name)?.push(stats.p50)
      await dispose?.()
    }
  }
  const [bare] = cases
  const bareTimes = times.get(bare?.name ?? '') ?? []
  return cases.map(({ name }) => {
    const own = times.get(name) ?? []
    const ratios = own.map((time, round) => time / (bareTimes[round] ?? Number.NaN)).sort((a, b) => a - b)
    return { name, medianNs: medianOf([...own].sort((a, b) => a - b)), ratio: { min: ratios[0] ?? Number.NaN, median: medianOf(ratios), max: ratios.at(-1) ?? Number.NaN } }
  })
}

function medianOf(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function shuffled<T>(items: readonly T[]): T[] {
  return items.map((item) => ({ item, at: Math.random() })).sort((a, b) => a.at - b.at).map(({ item }) => item)
}
