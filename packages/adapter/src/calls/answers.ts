import type { Timing } from '../errors/timing.js'
import type { ReplaceMember, Method } from '../operations/member-replacer.js'
import { Readable } from 'node:stream'
import { ReadableStream, TransformStream, type ReadableStreamDefaultReader } from 'node:stream/web'

/** Captured at import, so that the fake timers of a test runner do not hold injected errors back. */
const inALaterTurn = setImmediate

/** The ways in which a method answers. */
export const answerKinds = ['promise', 'value', 'iterator', 'async-iterator', 'stream', 'web-stream'] as const
export type AnswerKind = (typeof answerKinds)[number]

/** Calls `open` when an answer may begin, or `close` with a reason if it never may. */
type Gate = (open: () => void, close: (reason: unknown) => void) => void

/** Changes a real answer on its way to the caller. An error that either function throws reaches the caller. */
interface Passage {
  /** Changes one value: the value of a promise or a function, an item of an iteration, a chunk of a stream. */
  readonly item?: (value: unknown) => unknown
  /** Called when the answer is complete. */
  readonly end?: () => void
}

/** The operations on answers of one kind. The result is an answer of the same kind. */
export interface Answers {
  /**
   * Makes an answer that fails: a rejection, a throw, or an iteration or a stream that breaks before its first item.
   *
   * @param timing When a promise rejects. Default: at once.
   */
  readonly failed: (makeError: () => Error, timing?: Timing) => unknown
  /**
   * Changes the real answer on its way.
   *
   * @param replaceMember Replaces methods of an answer that is an object, until the injection ends.
   */
  readonly through: (answer: unknown, passage: Passage, replaceMember: ReplaceMember) => unknown
  /** Makes an answer that begins when the gate opens. Absent if an answer of this kind cannot wait. */
  readonly late?: (gate: Gate, proceed: () => unknown) => unknown
  /** Makes an answer from one value. Absent if an answer of this kind has many values. */
  readonly one?: (value: unknown) => unknown
}

/** Makes a promise of what a call returns or throws. */
export function attempt(proceed: () => unknown): Promise<unknown> {
  return new Promise((resolve) => resolve(proceed()))
}

const promises: Answers = {
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
  late: (gate, proceed) => new Promise((resolve, reject) => gate(() => resolve(attempt(proceed)), reject)),
  one: (value) => Promise.resolve(value),
}

const values: Answers = {
  failed(makeError) {
    throw makeError()
  },
  through(answer, { item, end }) {
    end?.()
    return item === undefined ? answer : item(answer)
  },
  one: (value) => value,
}

const iterators: Answers = {
  *failed(makeError) {
    yield values.failed(makeError)
  },
  through: (answer, passage, replaceMember) => {
    const iterator =
      'next' in (answer as object) ? (answer as Iterator<unknown>) : (answer as Iterable<unknown>)[Symbol.iterator]()
    const step = stepThrough(passage)
    replaceMember(iterator, 'next', (next) => (...given) => {
      const result = Reflect.apply(next as Method, iterator, given) as IteratorResult<unknown>
      try {
        return step(result)
      } catch (error) {
        // Callers do not close an iterator that threw, so the fault closes the real one.
        iterator.return?.()
        throw error
      }
    })
    return iterator
  },
}

const asyncIterators: Answers = {
  async *failed(makeError, timing) {
    yield await promises.failed(makeError, timing)
  },
  through: (answer, passage, replaceMember) => {
    const iterator =
      'next' in (answer as object)
        ? (answer as AsyncIterator<unknown>)
        : (answer as AsyncIterable<unknown>)[Symbol.asyncIterator]()
    const step = stepThrough(passage)
    replaceMember(iterator, 'next', (next) => async (...given) => {
      const result = await (Reflect.apply(next as Method, iterator, given) as Promise<IteratorResult<unknown>>)
      try {
        return step(result)
      } catch (error) {
        await iterator.return?.()
        throw error
      }
    })
    return iterator
  },
  late: (gate, proceed) => afterOpening(opening(gate), proceed),
}

const streams: Answers = {
  failed: (makeError) => new Readable({ read: () => undefined }).destroy(makeError()),
  through: (answer, { item = (chunk) => chunk, end }, replaceMember) => {
    const stream = answer as Readable
    replaceMember(stream, 'push', (push) => (chunk, encoding) => {
      try {
        if (chunk === null) end?.()
        return Reflect.apply(push as Method, stream, [chunk === null ? null : item(chunk), encoding])
      } catch (error) {
        breakWhenRead(stream, error as Error)
        return false
      }
    })
    return stream
  },
  late: (gate, proceed) => {
    let giveUp: (reason: unknown) => void = () => undefined
    const opened = opening((open, close) => {
      giveUp = close
      gate(open, close)
    })
    // A stream destroyed while it waits closes at once and never calls the service. The generator behind
    // `Readable.from` alone would first finish its pending step.
    return withOwn(
      Readable.from(afterOpening(opened, proceed)),
      '_destroy',
      (destroy) =>
        function (this: unknown, ...args) {
          giveUp(args[0])
          return Reflect.apply(destroy, this, args)
        },
    )
  },
}

const webStreams: Answers = {
  failed: (makeError) => new ReadableStream({ start: (controller) => controller.error(makeError()) }),
  through: (answer, { item = (chunk) => chunk, end }) =>
    (answer as ReadableStream).pipeThrough(
      new TransformStream<unknown, unknown>({
        transform: (chunk, controller) => controller.enqueue(item(chunk)),
        flush: () => end?.(),
      }),
    ),
  late: (gate, proceed) => {
    const opened = opening(gate)
    let reader: ReadableStreamDefaultReader | undefined
    let isCancelled = false
    return new ReadableStream<unknown>({
      async start() {
        await opened
        // A stream cancelled before its answer begins never calls the service.
        if (!isCancelled) reader = (proceed() as ReadableStream).getReader()
      },
      async pull(controller) {
        const next = await reader?.read()
        if (next === undefined || next.done) controller.close()
        else controller.enqueue(next.value)
      },
      cancel(reason) {
        isCancelled = true
        return reader?.cancel(reason)
      },
    })
  },
}

/** The operations on answers, by kind. */
export const answersOf: Readonly<Record<AnswerKind, Answers>> = {
  promise: promises,
  value: values,
  iterator: orUnchanged(iterators),
  'async-iterator': orUnchanged(asyncIterators),
  stream: orUnchanged(streams),
  'web-stream': orUnchanged(webStreams),
}

/**
 * Passes an answer through unchanged if it is not of the expected kind, for example `undefined`, a frozen iterator or a
 * locked stream. The fault must not make such a call fail.
 */
function orUnchanged(answers: Answers): Answers {
  return {
    ...answers,
    through(answer, passage, replaceMember) {
      try {
        return answers.through(answer, passage, replaceMember)
      } catch {
        return answer
      }
    },
  }
}

/** Replaces a method of an answer. The answer stays the same object. */
function withOwn(
  answer: object,
  key: string,
  make: (original: (...args: unknown[]) => unknown) => (...args: unknown[]) => unknown,
): object {
  const original = Reflect.get(answer, key) as (...args: unknown[]) => unknown
  return Object.defineProperty(answer, key, { value: make(original), writable: true, configurable: true })
}

/**
 * Destroys a stream with an error once its buffered data is read, as when a connection breaks behind the data. Later
 * data is discarded, even after the injection has ended.
 */
function breakWhenRead(stream: Readable, error: Error): void {
  withOwn(stream, 'push', () => () => false)
  if (stream.readableLength === 0) {
    stream.destroy(error)
    return
  }
  withOwn(stream, 'read', (read) => (...size) => {
    const chunk = Reflect.apply(read, stream, size)
    if (stream.readableLength === 0) process.nextTick(() => stream.destroy(error))
    return chunk
  })
}

function stepThrough({ item, end }: Passage) {
  return (result: IteratorResult<unknown>): IteratorResult<unknown> => {
    if (result.done === true) end?.()
    else if (item !== undefined) return { done: false, value: item(result.value) }
    return result
  }
}

/** Starts the wait at the call, not at the first item that is read. */
function opening(gate: Gate): Promise<void> {
  const opened = new Promise<void>((open, close) => gate(open, close))
  // If no item is ever read, the rejection needs a handler.
  opened.catch(() => undefined)
  return opened
}

async function* afterOpening(opened: Promise<void>, proceed: () => unknown): AsyncGenerator<unknown, unknown> {
  await opened
  return yield* proceed() as AsyncGenerator<unknown, unknown>
}
