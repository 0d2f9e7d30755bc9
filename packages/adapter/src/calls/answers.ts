import type { Timing } from '../errors/timing.js'
import type { LayOver, Method } from '../operations/covering.js'
import { Readable } from 'node:stream'
import { ReadableStream, TransformStream, type ReadableStreamDefaultReader } from 'node:stream/web'

/** As it was when this was loaded: a runner's fake timers do not hold errors back. */
const inALaterTurn = setImmediate

/** How a method answers. */
export const answerKinds = ['promise', 'value', 'iterator', 'async-iterator', 'stream', 'web-stream'] as const
export type AnswerKind = (typeof answerKinds)[number]

/** Calls `open` when an answer may begin, or `close` with the reason why it never will. */
type Gate = (open: () => void, close: (reason: unknown) => void) => void

/** What becomes of a real answer on its way to the caller. What either of the two throws, the caller hears. */
interface Passage {
  /** The value of a promise or a function, each item of an iteration, each chunk of a stream. */
  readonly item?: (value: unknown) => unknown
  /** Called when all of the answer has come. */
  readonly end?: () => void
}

/** What can be done with answers of one kind, so that they stay of that kind. */
export interface Answers {
  /** An answer that fails: a rejection, a throw, an iteration or stream that breaks before its first item. @param timing When a promise rejects. Default: at once. */
  readonly failed: (makeError: () => Error, timing?: Timing) => unknown
  /** The real answer, changed on its way. @param layOver By which an answer that is an object of its own is covered, until the injection ends */
  readonly through: (answer: unknown, passage: Passage, layOver: LayOver) => unknown
  /** An answer that begins when the gate opens. Absent where an answer cannot wait. */
  readonly late?: (gate: Gate, proceed: () => unknown) => unknown
  /** An answer that is one value. Absent where an answer is many. */
  readonly one?: (value: unknown) => unknown
}

/** Takes what a call answers or throws for a promise. */
export function attempt(proceed: () => unknown): Promise<unknown> {
  return new Promise((resolve) => resolve(proceed()))
}

const promises: Answers = {
  failed: (makeError, timing = 'same-turn') =>
    new Promise((_resolve, reject) => {
      if (timing === 'same-turn') reject(makeError())
      // An executor that throws rejects.
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
  through: (answer, passage, layOver) => {
    const iterator =
      'next' in (answer as object) ? (answer as Iterator<unknown>) : (answer as Iterable<unknown>)[Symbol.iterator]()
    const step = stepThrough(passage)
    layOver(iterator, 'next', (next) => (...given) => {
      const result = Reflect.apply(next as Method, iterator, given) as IteratorResult<unknown>
      try {
        return step(result)
      } catch (error) {
        // Whoever breaks tidies up: no caller closes an iteration that failed by itself.
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
  through: (answer, passage, layOver) => {
    const iterator =
      'next' in (answer as object)
        ? (answer as AsyncIterator<unknown>)
        : (answer as AsyncIterable<unknown>)[Symbol.asyncIterator]()
    const step = stepThrough(passage)
    layOver(iterator, 'next', (next) => async (...given) => {
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
  through: (answer, { item = (chunk) => chunk, end }, layOver) => {
    const stream = answer as Readable
    layOver(stream, 'push', (push) => (chunk, encoding) => {
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
    // One that is destroyed closes at once, and asks the service for nothing: it would wait for the item that it has asked for.
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
        // Who has had enough before it began asks the service for nothing.
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

/** What can be done with answers, by their kind. */
export const answersOf: Readonly<Record<AnswerKind, Answers>> = {
  promise: promises,
  value: values,
  iterator: orAsItIs(iterators),
  'async-iterator': orAsItIs(asyncIterators),
  stream: orAsItIs(streams),
  'web-stream': orAsItIs(webStreams),
}

/** An answer that is not of the kind that was said (nothing at all, a frozen iterator, a stream that somebody reads already) comes as it is: the call must not fail by that. */
function orAsItIs(answers: Answers): Answers {
  return {
    ...answers,
    through(answer, passage, layOver) {
      try {
        return answers.through(answer, passage, layOver)
      } catch {
        return answer
      }
    },
  }
}

/** Lays a function over a member of an answer: it stays the very object that it was. */
function withOwn(
  answer: object,
  key: string,
  make: (original: (...args: unknown[]) => unknown) => (...args: unknown[]) => unknown,
): object {
  const original = Reflect.get(answer, key) as (...args: unknown[]) => unknown
  return Object.defineProperty(answer, key, { value: make(original), writable: true, configurable: true })
}

/** What came before an error is read before it, as from a connection that breaks behind it. Nothing comes behind it, also when the injection has ended. */
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

/** The wait begins with the call, not with the first item that somebody asks for. */
function opening(gate: Gate): Promise<void> {
  const opened = new Promise<void>((open, close) => gate(open, close))
  // Who never asks for an item hears of no failure.
  opened.catch(() => undefined)
  return opened
}

async function* afterOpening(opened: Promise<void>, proceed: () => unknown): AsyncGenerator<unknown, unknown> {
  await opened
  return yield* proceed() as AsyncGenerator<unknown, unknown>
}
