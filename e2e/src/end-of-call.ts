import { setTimeout as pause } from 'node:timers/promises'

/** A moment in which a call may end, in ms. */
const MOMENT_MS = 10

/**
 * Says how a call ended: its class, code and message. `no end` if it has not ended in time. Time counts in moments of this process: on a machine
 * that stalls, its own timers come first and what ends the call later.
 */
export const endOfCall = (work: Promise<unknown>, withinMs: number): Promise<string> =>
  Promise.race([
    work.then(
      () => 'an answer',
      (error: unknown) =>
        `\`${[(error as Error).constructor.name, Reflect.get(error as Error, 'code')].filter(Boolean).join(' ')}\`: ${(error as Error).message}`,
    ),
    noEnd(withinMs),
  ])

async function noEnd(withinMs: number): Promise<string> {
  for (let spentMs = 0; spentMs < withinMs; spentMs += MOMENT_MS) await pause(MOMENT_MS, undefined, { ref: false })
  return 'no end'
}
