import { types } from 'node:util'

/**
 * The answer of a predicate that the application passed in. A call, an event and a message do not wait, so a promise is not an answer: read as a
 * boolean, every promise would mean yes.
 *
 * @throws TypeError for a promise, of this realm or another, and for any other thenable. A rejection of the promise is handled here.
 */
export function synchronousAnswer(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null) return Boolean(answer)
  if (types.isPromise(answer)) void Promise.resolve(answer).catch(() => undefined)
  else if (!('then' in answer) || typeof answer.then !== 'function') return true
  throw new TypeError('The predicate returned a promise. It must return true or false at once.')
}
