import { attempt, type Answers } from './answer.js'

/** Captured at import, so that the fake timers of a test runner do not hold injected errors back. */
const inALaterTurn = setImmediate

/** Answers that are promises. */
export const promises: Answers = {
  failed: (makeError, timing = 'same-turn') =>
    new Promise((_resolve, reject) => {
      if (timing === 'same-turn') reject(makeError())
      // An error that `makeError` throws here rejects the promise.
      else inALaterTurn(reject, makeError())
    }),
  through: (answer, { item, end }) =>
    Promise.resolve(answer).then((value) => {
      end?.()
      return item === undefined ? value : item(value)
    }),
  late: (gate, proceed) =>
    new Promise((resolve, reject) => {
      gate(() => resolve(attempt(proceed)), reject)
    }),
  one: (value) => Promise.resolve(value),
}

/** Answers that are plain return values. */
export const values: Answers = {
  failed(makeError) {
    throw makeError()
  },
  through(answer, { item, end }) {
    end?.()
    return item === undefined ? answer : item(answer)
  },
  one: (value) => value,
}
