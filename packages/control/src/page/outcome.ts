import type { InjectionState } from '@chaos/core'
import { messageOf } from '@chaos/core/authoring'
import type { Outcome } from './sessions.js'

/** The most injections and failures that an outcome lists. */
const MAX_DETAILS = 50
/** The longest message, in characters. */
const MAX_MESSAGE = 2_000

/** What ending injections did. */
export function stoppedOutcome(stopped: readonly InjectionState[]): Outcome {
  const failures = stopped.flatMap(({ id, failures: failed }) => failed.map((failure) => `${id}: ${failure}`))
  const failed = failures.length > 0
  const what = stopped.length === 0 ? 'Nothing was in force.' : `Stopped: ${counted(stopped.length)}.`
  return {
    failed,
    text: failed ? `${what} What was changed could not all be undone: restart the process if it misbehaves.` : what,
    details: cut(failed ? failures : stopped.map(endedLine)),
  }
}

/** What is said of a stop that failed. */
export const failedOutcome = (error: unknown): Outcome => ({
  failed: true,
  text: `The stop failed: ${messageOf(error, { max: MAX_MESSAGE })}`,
  details: [],
})

const counted = (count: number): string => (count === 1 ? '1 injection' : `${count} injections`)

const endedLine = ({ id, affected, seen, outcome }: InjectionState): string =>
  `${id}: ${outcome ?? 'ended'}, ${affected} of ${seen} operations affected`

const cut = (lines: readonly string[]): readonly string[] =>
  lines.length <= MAX_DETAILS ? lines : [...lines.slice(0, MAX_DETAILS), `and ${lines.length - MAX_DETAILS} more`]
