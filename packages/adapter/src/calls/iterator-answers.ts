import { types } from 'node:util'
import type { Method } from '../operations/member-replacer.js'
import { isThenable, type AnswerChanges, type Answers, type Gate, type Passage } from './answer.js'
import { promises, values } from './promise-answers.js'

/** An iterator, `async` or not, as far as it is closed here. */
interface AnyIterator {
  readonly return?: () => unknown
}

/** Answers that are iterators, or iterable objects. */
export const iterators: Answers = {
  *failed(makeError) {
    yield values.failed(makeError)
  },
  through: (answer, passage, changes) => {
    const step = stepThrough(passage, changes)
    return withIterators(
      answer,
      Symbol.iterator,
      (iterator) =>
        changes.replaceMember(iterator, 'next', (next) => (...given) => {
          const result = observed(
            passage,
            () => Reflect.apply(next as Method, iterator, given) as IteratorResult<unknown>,
          )
          try {
            return step(result)
          } catch (error) {
            // Callers do not close an iterator that threw, so the fault closes the real one.
            iterator.return?.()
            throw error
          }
        }),
      changes,
    )
  },
}

/** Answers that are async iterators, or objects that can be iterated with `for await`. */
export const asyncIterators: Answers = {
  async *failed(makeError, timing) {
    yield await promises.failed(makeError, timing)
  },
  through: (answer, passage, changes) => {
    const step = stepThrough(passage, changes)
    return withIterators(
      answer,
      Symbol.asyncIterator,
      (iterator) =>
        changes.replaceMember(iterator, 'next', (next) => async (...given) => {
          const result = await observedLater(
            passage,
            () => Reflect.apply(next as Method, iterator, given) as Promise<IteratorResult<unknown>>,
          )
          try {
            return step(result)
          } catch (error) {
            await iterator.return?.()
            throw error
          }
        }),
      changes,
    )
  },
  // An async generator does nothing before its first `next`, and neither does a cursor.
  late(gate, proceed, changes) {
    const answer = proceed()
    if (isThenable(answer) && !(Symbol.asyncIterator in answer)) {
      Promise.resolve(answer).catch(() => undefined)
      return promises.late?.(gate, () => answer, changes)
    }
    if (typeof answer !== 'object' || answer === null) return answer
    const wait = waitForOpening(gate)
    try {
      return withIterators(
        answer,
        Symbol.asyncIterator,
        (iterator) => {
          changes.replaceMember(iterator, 'next', (next) => {
            const inTurn = wait(iterator)
            return (...given) => inTurn(() => Reflect.apply(next as Method, iterator, given))
          })
        },
        changes,
      )
    } catch {
      return answer
    }
  },
}

/** Makes the steps of iterators wait, in order, until the gate opens. A closed gate ends an iterator at its first step. */
function waitForOpening(gate: Gate): (iterator: AnyIterator) => (step: () => unknown) => unknown {
  let isOpen = false
  const opened = new Promise<void>((open, close) => {
    gate(open, close)
  })
  // If no item is ever read, the rejection needs a handler.
  opened.then(
    () => (isOpen = true),
    () => undefined,
  )
  return (iterator: AnyIterator) => {
    let waiting = 0
    let hasFailed = false
    let before: Promise<unknown> = Promise.resolve()
    const afterOpening = async (step: () => unknown): Promise<unknown> => {
      if (hasFailed) return { done: true, value: undefined }
      try {
        await opened
      } catch (error) {
        hasFailed = true
        await iterator.return?.()
        throw error
      }
      return step()
    }
    return (step) => {
      if (isOpen && waiting === 0) return step()
      waiting += 1
      const result = before.then(() => afterOpening(step)).finally(() => (waiting -= 1))
      before = result.catch(() => undefined)
      return result
    }
  }
}

/**
 * Changes the iterators that a caller gets from an answer: the answer itself, and those that it makes.
 *
 * @returns The answer, or an iterator of it if the answer is a collection of the language, which others may hold too.
 */
function withIterators(
  answer: unknown,
  key: typeof Symbol.iterator | typeof Symbol.asyncIterator,
  change: (iterator: AnyIterator) => void,
  { isOver, replaceMember }: AnswerChanges,
): unknown {
  const object = answer as AnyIterator & Record<typeof key, () => AnyIterator>
  const isIterator = 'next' in object
  if (isIterator) change(object)
  if (
    !isIterator &&
    (Array.isArray(object) || ArrayBuffer.isView(object) || types.isMap(object) || types.isSet(object))
  ) {
    const iterator = object[key]()
    change(iterator)
    return iterator
  }
  // An iterator of the language returns itself, and needs no change here.
  if (typeof object[key] !== 'function' || Object.prototype.toString.call(object).endsWith('Generator]')) return object
  replaceMember(object, key, (make) => (...given) => {
    const iterator = Reflect.apply(make as Method, object, given) as AnyIterator
    if (iterator !== object && !isOver()) change(iterator)
    return iterator
  })
  return object
}

function observed<Result>({ broke }: Passage, step: () => Result): Result {
  try {
    return step()
  } catch (error) {
    broke?.(error)
    throw error
  }
}

async function observedLater<Result>({ broke }: Passage, step: () => Promise<Result>): Promise<Result> {
  try {
    return await step()
  } catch (error) {
    broke?.(error)
    throw error
  }
}

function stepThrough({ item, end }: Passage, { isOver }: AnswerChanges) {
  return (result: IteratorResult<unknown>): IteratorResult<unknown> => {
    // A loop keeps the `next` that it began with, also after the end of the injection.
    if (isOver()) return result
    if (result.done === true) end?.()
    else if (item !== undefined) return { done: false, value: item(result.value) }
    return result
  }
}
