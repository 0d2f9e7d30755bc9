import { ReadableStream } from 'node:stream/web'
import { isThenable, type Answers } from './answer.js'
import { promises } from './promise-answers.js'

/** Answers that are web streams. A stream of bytes stays one. */
export const webStreams: Answers = {
  failed: (makeError) => new ReadableStream({ start: (controller) => controller.error(makeError()) }),
  through: (answer, { item = (chunk) => chunk, end, broke }, changes) =>
    relay(answer as ReadableStream<unknown>, {
      ...(broke && { broke }),
      item: (chunk) => (changes.isOver() ? chunk : item(chunk)),
      end: () => {
        if (!changes.isOver()) end?.()
      },
    }),
  late(gate, proceed, changes) {
    const answer = proceed()
    if (isThenable(answer)) {
      // While the answer waits, its rejection needs a handler.
      Promise.resolve(answer).catch(() => undefined)
      return promises.late?.(gate, () => answer, changes)
    }
    if (!isOpenStream(answer)) return answer
    let held: { readonly drop: () => void } | undefined
    const opened = new Promise<void>((open, close) => {
      held = gate(open, close)
    })
    // If no chunk is ever read, the rejection needs a handler.
    opened.catch(() => undefined)
    return relay(answer, { opened, cancelled: () => held?.drop() })
  },
}

interface Relay {
  readonly opened?: Promise<void>
  readonly item?: (chunk: unknown) => unknown
  readonly end?: () => void
  readonly broke?: (error: unknown) => void
  readonly cancelled?: () => void
}

/** Makes a stream that reads another on demand, so that it holds no chunk itself. */
function relay(
  source: ReadableStream<unknown>,
  { opened, item = (chunk) => chunk, end, broke, cancelled }: Relay,
): ReadableStream<unknown> {
  const isOfBytes = readsBytes(source)
  const reader = source.getReader()
  const next = async (): Promise<Result> => {
    for (;;) {
      const result = await reader.read()
      if (result.done) {
        end?.()
        return { isDone: true }
      }
      const value = item(result.value)
      // A stream of bytes refuses a chunk without bytes.
      if (!isOfBytes || (value as Uint8Array).byteLength !== 0) return { isDone: false, value }
    }
  }
  const pulled = async (): Promise<Result> => {
    try {
      await opened
      return await next()
    } catch (error) {
      broke?.(error)
      // A reader of a broken stream does not cancel it, so its source would stay open.
      reader.cancel(error).catch(() => undefined)
      throw error
    }
  }
  const cancel = (reason: unknown): Promise<void> => {
    cancelled?.()
    return reader.cancel(reason)
  }
  if (isOfBytes) {
    return new ReadableStream({
      type: 'bytes',
      async pull(controller) {
        const result = await pulled()
        if (!result.isDone) {
          controller.enqueue(result.value as Uint8Array)
          return
        }
        controller.close()
        answerRequest(controller)
      },
      cancel,
    })
  }
  return new ReadableStream<unknown>(
    {
      async pull(controller) {
        const result = await pulled()
        if (result.isDone) controller.close()
        else controller.enqueue(result.value)
      },
      cancel,
    },
    { highWaterMark: 0 },
  )
}

type Result = { readonly isDone: true } | { readonly isDone: false; readonly value: unknown }

function isOpenStream(answer: unknown): answer is ReadableStream<unknown> {
  return typeof answer === 'object' && answer !== null && 'getReader' in answer && 'locked' in answer && !answer.locked
}

/** Returns whether a stream is one of bytes: only such a stream has a reader that fills the caller's buffer. */
function readsBytes(stream: ReadableStream<unknown>): boolean {
  if (stream.locked) return false
  try {
    stream.getReader({ mode: 'byob' }).releaseLock()
    return true
  } catch {
    return false
  }
}

/** Answers the pending request of a reader that fills a buffer with no bytes, since the stream has ended. */
function answerRequest(controller: object): void {
  const request = 'byobRequest' in controller ? controller.byobRequest : undefined
  if (typeof request === 'object' && request !== null && 'respond' in request && typeof request.respond === 'function')
    Reflect.apply(request.respond, request, [0])
}
