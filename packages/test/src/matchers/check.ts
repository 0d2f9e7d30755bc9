import { AssertionError } from 'node:assert'
import type { MatcherResult } from './result.js'

/**
 * Asserts what a matcher answers, in a runner without `expect.extend`: `check(toHaveHit(fault, 'get', 3))`.
 *
 * @throws AssertionError with the message of the matcher. The result of a matcher that waits rejects with it.
 */
export function check(answer: MatcherResult): void
export function check(answer: Promise<MatcherResult>): Promise<void>
export function check(answer: MatcherResult | Promise<MatcherResult>): void | Promise<void> {
  if (answer instanceof Promise) return answer.then((one) => check(one))
  if (!answer.pass) throw new AssertionError({ message: answer.message(), stackStartFn: check })
}
