import { option } from '@chaos/core/authoring'

/** The values of {@link lossOptions}. */
export interface LossOptions {
  readonly lossRate: number
  readonly correlation: number
}

/** The options of faults that lose something. @param what What is lost: `packet`. */
export const lossOptions = (what: string) => ({
  lossRate: option.rate(`Probability that a ${what} is lost, 0 to 1.`),
  correlation: option.optional(
    option.rate(`Added to the probability if the ${what} before it was lost, 0 to 1, so that losses come in bursts.`),
    0,
  ),
})

/**
 * Decides one loss after the other, by a simple model after Gilbert and Elliott: a good state and a bad one, which a loss leads
 * to and a passage leaves.
 *
 * @param draw Returns the next random number, from 0 (included) to 1 (excluded).
 */
export function lossOf(draw: () => number): (options: LossOptions) => boolean {
  let wasLost = false
  return ({ lossRate, correlation }) => {
    wasLost = draw() < (wasLost ? lossRate + correlation : lossRate)
    return wasLost
  }
}
