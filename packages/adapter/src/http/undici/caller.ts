import type { HttpAnswer } from '../../errors/http.js'
import { hasBody } from '../answer-body.js'

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

/**
 * Returns the caller behind a handler.
 *
 * @param method The method of the request.
 */
export function callerOf(handler: object, method: string): Caller {
  return 'onRequestStart' in handler
    ? newCaller(handler as NewHandler, method)
    : oldCaller(handler as OldHandler, method)
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

function oldCaller(handler: OldHandler, method: string): Caller {
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
      if (!isOver && body.length > 0 && hasBody(method, statusCode)) orElse(abort, () => void handler.onData(body))
      if (isOver) return
      isOver = true
      orElse(handler.onError.bind(handler), () => handler.onComplete([]))
    },
  }
}

function newCaller(handler: NewHandler, method: string): Caller {
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
        if (body.length > 0 && hasBody(method, statusCode))
          orElse(abort, () => handler.onResponseData?.(controller, body))
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
