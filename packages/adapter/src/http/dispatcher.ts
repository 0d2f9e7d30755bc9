import type { HttpAnswer } from '../errors/http.js'

/** What sends requests: a dispatcher of undici (`Agent`, `Pool`, `Client`), or `globalThis`, which stands for the one that the built-in `fetch` uses. */
export type RequestTarget = Dispatcher | typeof globalThis

/** What such a target must be, in words. */
export const REQUEST_TARGET = '`globalThis` (for the built-in `fetch`) or a dispatcher of undici'

/** A dispatcher of undici, of any version. */
export interface Dispatcher {
  dispatch: (options: never, handler: never) => boolean
}

/** What a dispatcher is asked for. */
export interface RequestOptions {
  readonly origin?: string | URL
  readonly path: string
  readonly method: string
}

/** Whether a value sends requests. */
export function isRequestTarget(value: unknown): value is RequestTarget {
  return (
    value === globalThis ||
    (typeof value === 'object' && value !== null && 'dispatch' in value && typeof value.dispatch === 'function')
  )
}

/** The dispatcher of a target. The one of the built-in `fetch` lies behind a symbol that names the version of its interface, and is made when it is first needed. */
export function dispatcherOf(target: RequestTarget): Dispatcher {
  if (target !== globalThis) return target as Dispatcher
  Reflect.get(globalThis, 'Request')
  const isNew = Number.parseInt(process.versions['undici'] ?? '', 10) >= 8
  return Reflect.get(globalThis, Symbol.for(`undici.globalDispatcher.${isNew ? 2 : 1}`)) as Dispatcher
}

/**
 * The name of a request as an operation: `GET http://127.0.0.1:8080/items`, without the query.
 *
 * @param dispatched What `dispatch` was called with.
 * @returns `undefined` for what undici itself refuses, in its own words.
 */
export function requestName([options, handler]: readonly unknown[]): string | undefined {
  try {
    const { origin = '', path, method } = options as RequestOptions
    return typeof handler === 'object' && handler !== null
      ? `${method} ${String(origin)}${path.replace(/[?#].*$/s, '')}`
      : undefined
  } catch {
    return undefined
  }
}

/** Who waits for an answer, whichever interface of undici it speaks. */
export interface Caller {
  /** Tells it that its request is under way. @param onAbort Called when it gives up. */
  readonly start: (onAbort: () => void) => void
  readonly answer: (answer: HttpAnswer, body: Buffer) => void
  /** Leaves it to someone else to start it again and to answer. */
  readonly leave: () => void
  /** Tells it, after it was left, that nobody could take its request over. */
  readonly fail: (error: unknown) => void
}

/** The one who handed over this handler. */
export function callerOf(handler: object): Caller {
  return 'onRequestStart' in handler ? newCaller(handler as NewHandler) : oldCaller(handler as OldHandler)
}

/** The interface of undici up to 6, and of the `fetch` of Node.js up to 24. */
interface OldHandler {
  readonly onConnect?: (abort: (reason?: unknown) => void, context: null) => void
  readonly onHeaders: (statusCode: number, headers: Buffer[], resume: () => void, statusText: string) => boolean
  readonly onData: (chunk: Buffer) => boolean
  readonly onComplete: (trailers: string[]) => void
  readonly onError: (error: unknown) => void
}

/** The interface of undici from 7 on. */
interface NewHandler {
  readonly onRequestStart?: (controller: Controller, context: null) => void
  readonly onResponseStart?: (
    controller: Controller,
    statusCode: number,
    headers: Readonly<Record<string, string>>,
    statusText: string,
  ) => void
  readonly onResponseData?: (controller: Controller, chunk: Buffer) => void
  readonly onResponseEnd?: (controller: Controller, trailers: Readonly<Record<string, string>>) => void
  readonly onResponseError?: (controller: Controller, error: unknown) => void
}

function oldCaller(handler: OldHandler): Caller {
  let isOver = false
  let onGivenUp = (): void => undefined
  const abort = (reason: unknown): void => {
    if (isOver) return
    isOver = true
    onGivenUp()
    handler.onError(reason ?? abortError())
  }
  return {
    start(onAbort) {
      onGivenUp = onAbort
      handler.onConnect?.(abort, null)
    },
    leave: () => void (isOver = true),
    fail: (error) => handler.onError(error),
    answer({ statusCode, statusText, headers }, body) {
      orElse(abort, () => void handler.onHeaders(statusCode, rawHeaders(headers), () => undefined, statusText))
      if (!isOver && body.length > 0) orElse(abort, () => void handler.onData(body))
      if (isOver) return
      isOver = true
      orElse(handler.onError.bind(handler), () => handler.onComplete([]))
    },
  }
}

function newCaller(handler: NewHandler): Caller {
  let onGivenUp = (): void => undefined
  const controller = new Controller((reason) => {
    onGivenUp()
    handler.onResponseError?.(controller, reason)
  })
  const abort = (reason: unknown): void => controller.abort(reason)
  return {
    start(onAbort) {
      onGivenUp = onAbort
      handler.onRequestStart?.(controller, null)
    },
    leave: () => controller.leave(),
    fail: (error) => handler.onResponseError?.(controller, error),
    answer({ statusCode, statusText, headers }, body) {
      controller.rawHeaders = rawHeaders(headers)
      orElse(abort, () => handler.onResponseStart?.(controller, statusCode, headers, statusText))
      controller.whenResumed(() => {
        if (body.length > 0) orElse(abort, () => handler.onResponseData?.(controller, body))
        controller.whenResumed(() =>
          orElse(
            (error) => handler.onResponseError?.(controller, error),
            () => handler.onResponseEnd?.(controller, {}),
          ),
        )
      })
    },
  }
}

/** A handler that throws ends its own request, aborted while the answer comes and failed at its end: so undici's RetryHandler asks to try again. */
function orElse(fail: (error: unknown) => void, step: () => void): void {
  try {
    step()
  } catch (error) {
    fail(error)
  }
}

/** By which a handler pauses, resumes and aborts its answer. */
class Controller {
  rawHeaders: Buffer[] = []
  readonly rawTrailers: Buffer[] = []
  aborted = false
  paused = false
  reason: unknown = null
  readonly #onAbort: (reason: unknown) => void
  #next: (() => void) | undefined

  constructor(onAbort: (reason: unknown) => void) {
    this.#onAbort = onAbort
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    const next = this.#next
    this.#next = undefined
    next?.()
  }

  leave(): void {
    this.aborted = true
  }

  abort(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason ?? abortError()
    this.#onAbort(this.reason)
  }

  whenResumed(next: () => void): void {
    if (this.aborted) return
    if (this.paused) this.#next = () => this.whenResumed(next)
    else next()
  }
}

/** Names and values in turn, as they come from the wire. */
function rawHeaders(headers: HttpAnswer['headers']): Buffer[] {
  return Object.entries(headers)
    .flat()
    .map((text) => Buffer.from(text))
}

function abortError(): Error {
  return new DOMException('This operation was aborted', 'AbortError')
}
