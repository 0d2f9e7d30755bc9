import type { Memory } from './memory.js'
import { placeId, type Hit } from './model.js'
import type { Finding } from './finding.js'

/**
 * What became of a fault: it broke the test alone, or with others; the test survived it, alone or with others; its call was made,
 * and the fault let it pass; its call was not made; it was not run.
 */
export type Fate = 'broke' | 'broke with others' | 'survived' | 'no effect' | 'not reached' | 'not run'

/** From what says the most to what says the least. */
const ORDER: readonly Fate[] = ['broke', 'broke with others', 'survived', 'no effect', 'not reached', 'not run']

/** What became of each fault that is known. */
export function fatesOf(
  memory: Memory,
  findings: readonly Finding[],
): readonly { readonly hit: Hit; readonly fate: Fate }[] {
  const { hits } = memory
  const fates = hits.hits.map((_, index): Fate => (memory.resolve([index]) === undefined ? 'not run' : 'not reached'))
  const tell = (index: number, fate: Fate): void => {
    if (ORDER.indexOf(fate) < ORDER.indexOf(fates[index] as Fate)) fates[index] = fate
  }
  for (const { set, run, reached } of memory.runs)
    for (const [n, index] of set.entries())
      if (run.landed[n] === true) tell(index, 'survived')
      else if (reached.has(placeOf(hits.hit(index)))) tell(index, 'no effect')
  for (const set of findings.flatMap((finding) => [finding.hits, ...finding.twins]))
    for (const hit of set)
      for (const lasting of [hit, { ...hit, times: 'always' as const }]) {
        const index = hits.indexOf(lasting)
        if (index !== undefined) tell(index, set.length === 1 ? 'broke' : 'broke with others')
      }
  return hits.hits.map((hit, index) => ({ hit, fate: fates[index] as Fate }))
}

const placeOf = ({ point, kind }: Hit): string => placeId(point, kind)
