import { types } from 'node:util'

/**
 * Converts the answer of an application's predicate to a boolean. A promise is refused: calls and messages do not wait for
 * it, and as a boolean every promise is `true`.
 *
 * @throws TypeError for a promise, of this realm or another, or any other thenable. A rejection of that promise is handled.
 */
export function synchronousAnswer(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null) return Boolean(answer)
  if (types.isPromise(answer)) void Promise.resolve(answer).catch(() => undefined)
  else if (!('then' in answer) || typeof answer.then !== 'function') return true
  throw new TypeError('The predicate returned a promise. It must return true or false at once.')
}
