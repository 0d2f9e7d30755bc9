/** Does one thing once. It gets what the time before returned, so that no call can be left out, moved or merged with another. */
export type Run = (last: unknown) => unknown

// Each side of a comparison loads a copy of this module of its own, so that the loops share no feedback.

/** Runs so many times. */
export function batch(run: Run, times: number): unknown {
  let last: unknown = 0
  for (let index = 0; index < times; index += 1) last = run(last)
  return last
}

/** Runs so many times, each after the promise of the one before has settled. */
export async function asyncBatch(run: Run, times: number): Promise<unknown> {
  let last: unknown = 0
  for (let index = 0; index < times; index += 1) last = await run(last)
  return last
}
