import type { Readings } from '../runner/compare.js'
import { median, shuffled } from '../runner/statistics.js'

const NS_PER_MS = 1_000_000

/**
 * Measures two things in turn, in random order within a round. A reading is the ratio of the medians of a round.
 *
 * @param bare Returns the time of one slice of what the subject is compared with, in ms.
 * @param slices Slices of each in a round. Many short ones share what a noisy machine does better than few long ones.
 */
export async function inTurn(
  rounds: number,
  bare: () => Promise<number>,
  subject: () => Promise<number>,
  slices = 2,
): Promise<Readings & { readonly values: number[] }> {
  const sides = { bare, subject }
  // Until the optimising compilers of all processes have had their say.
  for (let time = 0; time < 2; time += 1) for (const measure of Object.values(sides)) await measure()
  const values: number[] = []
  const bareNs: number[] = []
  const addedNs: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const spent = { bare: [] as number[], subject: [] as number[] }
    for (const side of shuffled(Array.from({ length: slices }, () => ['bare', 'subject'] as const).flat()))
      spent[side].push(await sides[side]())
    const [theirs, ours] = [median(spent.bare), median(spent.subject)]
    values.push(ours / theirs)
    bareNs.push(theirs * NS_PER_MS)
    addedNs.push((ours - theirs) * NS_PER_MS)
  }
  return { values, bareNs, addedNs }
}
