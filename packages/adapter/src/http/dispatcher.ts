import type { HttpAnswer } from '../errors/http.js'

/**
 * A sender of requests: a dispatcher of undici (`Agent`, `Pool`, `Client`), or `globalThis` for the dispatcher of the
 * built-in `fetch`.
 */
export type RequestTarget = Dispatcher | typeof globalThis

/** The description of a {@link RequestTarget} in messages. */
export const REQUEST_TARGET = '`globalThis` (for the built-in `fetch`) or a dispatcher of undici'

/** A dispatcher of any version of undici. */
export interface Dispatcher {
  dispatch: (options: never, handler: never) => boolean
}

/** The request that a dispatcher sends. */
export interface RequestOptions {
  readonly origin?: string | URL
  readonly path: string
  readonly method: string
}

/** Returns whether a value is a {@link RequestTarget}. */
export function isRequestTarget(value: unknown): value is RequestTarget {
  return (
    value === globalThis ||
    (typeof value === 'object' && value !== null && 'dispatch' in value && typeof value.dispatch === 'function')
  )
}

/**
 * Returns the dispatcher of a target.
 *
 * Node.js stores the dispatcher of `fetch` under a symbol that names the version of undici's handler interface, and
 * makes it on first use of `fetch` or `Request`.
 */
export function dispatcherOf(target: RequestTarget): Dispatcher {
  if (target !== globalThis) return target as Dispatcher
  Reflect.get(globalThis, 'Request')
  const isNew = Number.parseInt(process.versions['undici'] ?? '', 10) >= 8
  return Reflect.get(globalThis, Symbol.for(`undici.globalDispatcher.${isNew ? 2 : 1}`)) as Dispatcher
}

/**
 * Returns the operation name of a request: `GET http://127.0.0.1:8080/items`, without the query.
 *
 * @param dispatched The arguments of `dispatch`.
 * @returns `undefined` for arguments that undici itself rejects with its own error.
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

/** The caller of a request, behind either of undici's two handler interfaces. */
export interface Caller {
  /**
   * Reports that the request has started.
   *
   * @param onAbort Called when the caller aborts the request.
   */
  readonly start: (onAbort: () => void) => void
  readonly answer: (answer: HttpAnswer, body: Buffer) => void
  /** Ends the fault's part. The real dispatcher starts the request again and answers it. */
  readonly leave: () => void
  /** Reports, after `leave`, that the real dispatcher rejected the request. */
  readonly fail: (error: unknown) => void
}

/** Returns the caller behind a handler. */
export function callerOf(handler: object): Caller {
  return 'onRequestStart' in handler ? newCaller(handler as NewHandler) : oldCaller(handler as OldHandler)
}

/** The handler interface of undici up to version 6, and of `fetch` up to Node.js 24. */
interface OldHandler {
  readonly onConnect?: (abort: (reason?: unknown) => void, context: null) => void
  readonly onHeaders: (statusCode: number, headers: Buffer[], resume: () => void, statusText: string) => boolean
  readonly onData: (chunk: Buffer) => boolean
  readonly onComplete: (trailers: string[]) => void
  readonly onError: (error: unknown) => void
}

/** The handler interface of undici from version 7 on. */
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

/**
 * Runs one step of a handler. An error in the step aborts the request while the answer arrives, or fails it at the end.
 * Undici's `RetryHandler` throws to ask for a retry.
 */
function orElse(fail: (error: unknown) => void, step: () => void): void {
  try {
    step()
  } catch (error) {
    fail(error)
  }
}

/** The controller with which a handler pauses, resumes and aborts its answer. */
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

/** Returns header names and values alternately, as undici reads them from the network. */
function rawHeaders(headers: HttpAnswer['headers']): Buffer[] {
  return Object.entries(headers)
    .flat()
    .map((text) => Buffer.from(text))
}

function abortError(): Error {
  return new DOMException('This operation was aborted', 'AbortError')
}
