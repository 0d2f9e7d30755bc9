import type { AnswerChanges } from '../calls/answer.js'
import { isThenable } from '../calls/answer.js'
import { answersOf } from '../calls/answers.js'
import type { Call } from '../calls/call.js'
import type { Method } from '../operations/member-replacer.js'
import type { Recording } from './recorder.js'

type Outcome = Pick<Recording, 'done' | 'failed'>

/** Records how an answer ends. The caller gets an answer of the same kind, and a rejection stays unhandled if it was. */
export function watchAnswer(
  answer: unknown,
  { answers }: Call,
  { done, failed }: Outcome,
  changes: AnswerChanges,
): unknown {
  if (answers !== answersOf.promise && answers !== answersOf.value)
    return answers.through(answer, { end: () => done(undefined), broke: failed }, changes)
  if (!isThenable(answer)) {
    done(answer)
    return answer
  }
  if (isBarePromise(answer))
    return answer.then(
      (value) => {
        done(value)
        return value
      },
      (error: unknown) => {
        failed(error)
        throw error
      },
    )
  whenAwaited(answer, { done, failed }, changes)
  return answer
}

/** A promise of the language to which its maker has added nothing. Node.js itself adds symbols, while it follows promises. */
function isBarePromise(answer: object): answer is Promise<unknown> {
  return Object.getPrototypeOf(answer) === Promise.prototype && Object.getOwnPropertyNames(answer).length === 0
}

/** A promise of a library, or a query that is executed when it is awaited, stays the object that it is. */
function whenAwaited(answer: object, { done, failed }: Outcome, { replaceMember }: AnswerChanges): void {
  replaceMember(
    answer,
    'then',
    (then) =>
      function (this: unknown, onValue, onError, ...rest) {
        return Reflect.apply(then as Method, this, [
          (value: unknown): unknown => {
            done(value)
            return typeof onValue === 'function' ? Reflect.apply(onValue, undefined, [value]) : value
          },
          (error: unknown): unknown => {
            failed(error)
            if (typeof onError === 'function') return Reflect.apply(onError, undefined, [error])
            throw error
          },
          ...rest,
        ])
      },
  )
}
