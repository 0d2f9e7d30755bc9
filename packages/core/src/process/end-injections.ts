import type { LiveInjection } from './process-state.js'
import { ChaosError } from '../basics/errors.js'
import { messageOf } from '../basics/text.js'

/** How an injection that was ended from outside came out. */
export type Ended = Awaited<ReturnType<LiveInjection['undo']>>

/**
 * Ends injections in three steps. All of them are marked ended before anything else happens, so no new hit comes from
 * any; then held work is released, innermost layer first; then everything is taken back, last in, first out.
 *
 * The first two steps, and every undo step that is synchronous, are done before this returns.
 */
export function endInjections(
  injections: Iterable<LiveInjection>,
  mark: (injection: LiveInjection) => boolean,
): Promise<Ended[]> {
  const ending = [...injections].filter(mark).sort((a, b) => a.sequence - b.sequence)
  for (const injection of ending) injection.release()
  return Promise.all(ending.reverse().map((injection) => injection.undo())).then((ended) => ended.reverse())
}

/** @throws ChaosError `CHAOS_ROLLBACK_FAILED` when anything could not be taken back. */
export function assertTakenBack(failures: readonly unknown[]): void {
  if (failures.length === 0) return
  throw new ChaosError(
    'CHAOS_ROLLBACK_FAILED',
    `Expected every step to be taken back, ${failures.length} failed: ${messagesOf(failures).join('; ')}. The others were taken back; restart the process if the target still misbehaves.`,
    {
      errors: failures,
      cause: failures[0],
    },
  )
}

/** Failures that are told at most. */
const MAX_MESSAGES = 20
/** Characters of each. */
const MAX_LENGTH = 500

/** What failed, in words: the first 20 of many. */
export function messagesOf(failures: readonly unknown[]): string[] {
  const messages = failures.slice(0, MAX_MESSAGES).map((failure) => messageOf(failure, { max: MAX_LENGTH }))
  return failures.length > MAX_MESSAGES ? [...messages, `and ${failures.length - MAX_MESSAGES} more`] : messages
}
