import { currentScope, type Clock } from '@chaos/core'
import { needScopes, type InjectionContext } from '@chaos/core/authoring'
import type { Attempt, AttemptRecord } from './attempt.js'
import { boundedKey, defaultIdempotencyKeyOf, defaultKeyOf } from './call-keys.js'
import type { CallLedger } from './call-ledger.js'
import type { Callers } from './callers.js'

/** A call that an observation sees, for the functions that name it. */
export interface SeenAttempt {
  readonly operation: string
  /** The arguments of a method or a command. Of a request: one object with `method`, `url` and `headers`. */
  readonly args: readonly unknown[]
}

/** A call that begins at a seam. */
export interface BegunCall extends SeenAttempt {
  /** What tells it from other calls of the operation. Default: the arguments. */
  readonly identity?: readonly unknown[]
  readonly signal?: AbortSignal | undefined
  /** Whether its scope and caller may be those of another call. Default: they are its own. */
  readonly isLoose?: boolean
}

/** How the caller names calls. */
export interface Naming {
  readonly keyOf?: ((call: SeenAttempt) => unknown) | undefined
  readonly idempotencyKeyOf?: ((call: SeenAttempt) => unknown) | undefined
}

/** The recording of one attempt, for the seam that sees it. */
export interface Recording {
  /** Runs what the attempt does, so that calls within it know their caller. */
  readonly run: <Result>(work: () => Result) => Result
  /** Each of these may be called again, as when a response breaks behind its head. */
  readonly done: (result: unknown) => void
  readonly failed: (error: unknown) => void
  /** A response has a status that says whether the request has succeeded. */
  readonly answered: (status: number) => void
  /** The response is complete: what its status says stands. */
  readonly complete: () => void
}

/** Records what the seams of one observation see. Nothing that a caller's function throws reaches the application. */
export class Recorder {
  readonly #ledger: CallLedger
  readonly #clock: Clock
  readonly #callers: Callers
  readonly #above: Callers | undefined
  readonly #naming: Naming

  constructor(ledger: CallLedger, clock: Clock, callers: Callers, above: Callers | undefined, naming: Naming) {
    this.#ledger = ledger
    this.#clock = clock
    this.#callers = callers
    this.#above = above
    this.#naming = naming
  }

  /** Has scopes and callers carried while an injection is in force. */
  attach(context: InjectionContext): void {
    context.defer(needScopes())
    if (this.#above !== undefined) context.defer(this.#above.need())
  }

  begin(begun: BegunCall): Recording {
    const attempt = this.#begin(begun)
    const end = (outcome: Partial<Attempt>): void => this.#ledger.end(attempt, this.#clock.now(), outcome)
    return {
      run: (work) => this.#callers.run(attempt, work),
      done: (result) => end({ ok: true, result }),
      failed: (error) => end({ ok: false, error }),
      answered: (status) => end({ ok: isSuccess(status), status }),
      complete: () => {
        if (attempt.ok !== undefined) end({ ok: attempt.ok })
      },
    }
  }

  #begin({ operation, args, identity = args, signal, isLoose = false }: BegunCall): AttemptRecord {
    const { keyOf, idempotencyKeyOf } = this.#naming
    const seen: SeenAttempt = { operation, args }
    const idempotencyKey = boundedKey(
      orUndefined(() => (idempotencyKeyOf === undefined ? defaultIdempotencyKeyOf(args) : idempotencyKeyOf(seen))),
    )
    const key =
      keyOf === undefined ? defaultKeyOf(identity, idempotencyKey) : boundedKey(orUndefined(() => keyOf(seen)))
    return this.#ledger.begin({
      at: this.#clock.now(),
      operation,
      key,
      scope: currentScope(),
      caller: this.#above?.current,
      idempotencyKey,
      signal,
      isLoose,
    })
  }
}

/** Whether a response's status says that a request has succeeded: not a timeout, a refusal or an error of the server, nor any other error. */
function isSuccess(status: number): boolean {
  return status < 400
}

function orUndefined(read: () => unknown): unknown {
  try {
    return read()
  } catch {
    // A function of the caller, or a getter of an argument, may throw. The application's call goes on.
    return undefined
  }
}
