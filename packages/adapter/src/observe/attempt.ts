/** One try of a call. */
export interface Attempt {
  /** When it began, in ms of the clock. */
  readonly at: number
  /** When it was answered or failed. `undefined`: not yet. */
  readonly endedAt: number | undefined
  /** Whether it succeeded. `undefined`: not answered yet. */
  readonly ok: boolean | undefined
  /** The value that the call answered with. */
  readonly result: unknown
  /** What the call threw or rejected with. `undefined` for a response that says that the request has failed: see `status`. */
  readonly error: unknown
  /** The status of an HTTP response. */
  readonly status: number | undefined
  /** The time since the end of the attempt before, in ms. `undefined`: it is the first, or the one before was not answered yet. */
  readonly gapMs: number | undefined
  readonly idempotencyKey: string | undefined
  /** Whether its caller gave it up: its signal was aborted before its end, or it failed with an abort. */
  readonly isCancelled: boolean
  /** Whether its caller had given up, or had its answer, before it began. */
  readonly isTooLate: boolean
}

/** What the application wants done once: one or several attempts. */
export interface ObservedCall {
  /** The name of the method, command or request: `get`, `SET`, `POST http://127.0.0.1:8080/charges`. */
  readonly operation: string
  /** The path of the scope that it was made in. */
  readonly scope: string | undefined
  /** What tells it from other calls of the operation. `undefined`: its arguments cannot be compared. */
  readonly key: string | undefined
  /** The first 100 attempts. */
  readonly attempts: readonly Attempt[]
  /** The number of all attempts. */
  readonly tries: number
  /** The attempt of the observation `above` within which it was made. */
  readonly caller: Attempt | undefined
}

/** The most attempts of one call that are kept. */
const MAX_ATTEMPTS = 100

/** The errors by which callers give up: of signals, of Node.js and of undici. */
const ABORTS: ReadonlySet<unknown> = new Set(['AbortError', 'ABORT_ERR', 'UND_ERR_ABORTED'])

/** The code of the error by which `AbortSignal.timeout` aborts: `DOMException.TIMEOUT_ERR`. */
const SIGNAL_TIMEOUT = 23

/** A call, as it is recorded. */
export class CallRecord implements ObservedCall {
  readonly attempts: AttemptRecord[] = []
  tries = 0
  last: AttemptRecord | undefined

  constructor(
    readonly operation: string,
    readonly scope: string | undefined,
    readonly key: string | undefined,
    readonly caller: AttemptRecord | undefined,
  ) {}

  add(attempt: AttemptRecord): void {
    this.tries += 1
    this.last = attempt
    if (this.attempts.length < MAX_ATTEMPTS) this.attempts.push(attempt)
  }
}

/** What is known of an attempt when it begins. */
export interface AttemptStart {
  readonly at: number
  readonly idempotencyKey: string | undefined
  readonly signal: AbortSignal | undefined
}

/** An attempt, as it is recorded. */
export class AttemptRecord implements Attempt {
  readonly at: number
  readonly gapMs: number | undefined
  readonly idempotencyKey: string | undefined
  readonly isTooLate: boolean
  endedAt: number | undefined
  ok: boolean | undefined
  result: unknown
  error: unknown
  status: number | undefined
  readonly #signal: AbortSignal | undefined
  #wasCancelled = false

  constructor(
    readonly call: CallRecord,
    { at, idempotencyKey, signal }: AttemptStart,
  ) {
    this.at = at
    this.idempotencyKey = idempotencyKey
    this.#signal = signal
    const before = call.last?.endedAt
    this.gapMs = before === undefined ? undefined : Math.max(0, at - before)
    const { caller } = call
    this.isTooLate =
      isAborted(signal) || (caller !== undefined && (caller.ok !== undefined || caller.isCancelled || caller.isTooLate))
  }

  get isCancelled(): boolean {
    return this.#wasCancelled || (this.ok === undefined && isAborted(this.#signal))
  }

  /** Records how it ended. An HTTP response may succeed by its head and fail by its body. */
  end(at: number, outcome: Partial<Pick<Attempt, 'ok' | 'result' | 'error' | 'status'>>): void {
    this.#wasCancelled ||= outcome.ok === false && (isAborted(this.#signal) || isAbort(outcome.error))
    this.endedAt = at
    Object.assign(this, outcome)
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

function isAbort(error: unknown): boolean {
  try {
    if (typeof error !== 'object' || error === null) return false
    const code: unknown = Reflect.get(error, 'code')
    return ABORTS.has(Reflect.get(error, 'name')) || ABORTS.has(code) || code === SIGNAL_TIMEOUT
  } catch {
    // An error of the application may throw when it is read.
    return false
  }
}
