import type { LiveInjection } from './process-state.js'
import { ChaosError } from '../basics/errors.js'
import { redactedText } from '../basics/redact.js'
import { messageOf } from '../basics/text.js'

/** The result of ending an injection. */
export type Ended = Awaited<ReturnType<LiveInjection['undo']>>

/**
 * Ends injections in three steps. First all of them are marked ended, so that none has another hit. Then held work is
 * released, innermost layer first. Then the undo steps run, last in, first out.
 *
 * The first two steps and every synchronous undo step are done before this function returns.
 */
export function endInjections(
  injections: Iterable<LiveInjection>,
  mark: (injection: LiveInjection) => boolean,
): Promise<Ended[]> {
  const ending = [...injections].filter(mark).sort((a, b) => a.sequence - b.sequence)
  for (const injection of ending) injection.release()
  return Promise.all(ending.reverse().map((injection) => injection.undo())).then((ended) => ended.reverse())
}

/** @throws ChaosError `CHAOS_ROLLBACK_FAILED` if there are failures. */
export function assertRolledBack(failures: readonly unknown[]): void {
  if (failures.length === 0) return
  throw new ChaosError(
    'CHAOS_ROLLBACK_FAILED',
    `The rollback reported ${failures.length} ${failures.length === 1 ? 'failure' : 'failures'}: ${messagesOf(failures).join('; ').replace(/\.$/, '')}. All other undo steps ran. Restart the process if the target still misbehaves.`,
    {
      errors: failures,
      cause: failures[0],
    },
  )
}

/** The most failures that are listed. */
const MAX_MESSAGES = 20
/** The most characters of each. */
const MAX_LENGTH = 500

/** The messages of failures: the first 20, then a count of the rest. */
export function messagesOf(failures: readonly unknown[]): string[] {
  const messages = failures
    .slice(0, MAX_MESSAGES)
    .map((failure) => redactedText(messageOf(failure, { max: MAX_LENGTH })))
  return failures.length > MAX_MESSAGES ? [...messages, `and ${failures.length - MAX_MESSAGES} more`] : messages
}
