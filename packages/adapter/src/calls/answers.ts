import { isThenable, type Answers } from './answer.js'
import { asyncIterators, iterators } from './iterator-answers.js'
import { promises, values } from './promise-answers.js'
import { streams } from './stream-answers.js'
import { webStreams } from './web-stream-answers.js'

/** The ways in which a method answers. */
export const answerKinds = [
  'promise',
  'callback',
  'lazy',
  'value',
  'iterator',
  'async-iterator',
  'stream',
  'web-stream',
] as const
export type AnswerKind = (typeof answerKinds)[number]

/** The operations on answers, by kind. A callback and a query that waits to be executed get the outcome of a promise. */
export const answersOf: Readonly<Record<AnswerKind, Answers>> = {
  promise: promises,
  callback: promises,
  lazy: promises,
  value: values,
  iterator: orUnchanged(iterators),
  'async-iterator': orUnchanged(asyncIterators),
  stream: orUnchanged(streams),
  'web-stream': orUnchanged(webStreams),
}

/**
 * Passes the answer of a promise through when it has come. Passes an answer through unchanged if it is not of the expected kind, for example `undefined`, a frozen iterator or a
 * locked stream. The fault must not make such a call fail.
 */
function orUnchanged(answers: Answers): Answers {
  return {
    ...answers,
    through(answer, passage, changes) {
      const through = (given: unknown): unknown => {
        try {
          return answers.through(given, passage, changes)
        } catch {
          return given
        }
      }
      if (!isThenable(answer) || Symbol.asyncIterator in answer || Symbol.iterator in answer) return through(answer)
      return promises.through(answer, { item: (given) => (changes.isOver() ? given : through(given)) }, changes)
    },
  }
}
