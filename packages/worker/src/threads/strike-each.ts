import { ChaosError, isChaosError } from '@chaos/core'

/**
 * Strikes each chosen thread or process. One that ended by itself beforehand has not been struck, which is no failure as long
 * as another one has.
 *
 * @throws ChaosError `CHAOS_NO_LIVE_WORKER` if all ended by themselves.
 */
export async function strikeEach<One>(chosen: readonly One[], strike: (one: One) => Promise<void>): Promise<void> {
  const missed: unknown[] = []
  await Promise.all(
    chosen.map(async (one) => {
      try {
        await strike(one)
      } catch (error) {
        if (!isChaosError(error, 'CHAOS_NO_LIVE_WORKER')) throw error
        missed.push(error)
      }
    }),
  )
  if (missed.length > 0 && missed.length === chosen.length) throw missed[0]
}

/** The error of a thread or process that ended before the fault struck it. */
export const endedFirst = (what: string, how: string): ChaosError =>
  new ChaosError(
    'CHAOS_NO_LIVE_WORKER',
    `${what} ended by itself (${how}) before the fault struck it. Inject while it has work to do.`,
  )
