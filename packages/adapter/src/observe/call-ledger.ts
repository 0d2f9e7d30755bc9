import type { Scope } from '@chaos/core'
import { AttemptRecord, CallRecord, type AttemptStart } from './attempt.js'

/** What an observation has counted, beyond the calls that it remembers. */
export interface Totals {
  calls: number
  attempts: number
  /** Attempts that failed. */
  failed: number
  /** The most attempts of one call. */
  mostAttempts: number
}

/** A call that begins. */
export interface CallStart extends AttemptStart {
  readonly operation: string
  readonly key: string | undefined
  readonly scope: Scope | undefined
  readonly caller: AttemptRecord | undefined
  /**
   * Whether `scope` and `caller` may be those of another call, or missing: a client that retries by itself goes on where its
   * connection was made.
   */
  readonly isLoose: boolean
}

/** The calls of one identity that are not done, the first first. */
interface OpenCalls {
  /** Their last attempt has failed: the next attempt is theirs. */
  readonly failed: Set<CallRecord>
  /** Their last attempt is not answered. */
  readonly pending: Set<CallRecord>
}

/**
 * Groups attempts into calls.
 *
 * An attempt belongs to the call of the same caller, scope, operation and key whose last attempt has failed, no longer ago
 * than `retryWithinMs`. While an attempt is not answered, the next one of the same caller or scope, or with the same
 * idempotency key, belongs to the same call: its caller stopped waiting. Outside of all of these, it is another call, since
 * many callers may ask the same at once.
 *
 * An attempt whose caller is not known for sure, and that continues no call of it, belongs to the call of any caller that
 * still waits.
 */
export class CallLedger {
  readonly totals: Totals = { calls: 0, attempts: 0, failed: 0, mostAttempts: 0 }
  readonly #calls = new Set<CallRecord>()
  readonly #open = new Map<string, OpenCalls>()
  readonly #byIdempotencyKey = new Map<string, CallRecord>()
  readonly #identities = new WeakMap<CallRecord, readonly string[]>()
  readonly #callerIds = new WeakMap<AttemptRecord, number>()
  readonly #remembered: number
  readonly #retryWithinMs: number
  #lastId = 0

  constructor(remembered: number, retryWithinMs: number) {
    this.#remembered = remembered
    this.#retryWithinMs = retryWithinMs
  }

  /** The remembered calls, oldest first. */
  get calls(): readonly CallRecord[] {
    return [...this.#calls]
  }

  begin(start: CallStart): AttemptRecord {
    const call = this.#continued(start) ?? this.#newCall(start)
    const attempt = new AttemptRecord(call, start)
    call.add(attempt)
    this.#move(call, 'pending')
    this.totals.attempts += 1
    this.totals.mostAttempts = Math.max(this.totals.mostAttempts, call.tries)
    if (start.idempotencyKey !== undefined && this.#calls.has(call))
      this.#byIdempotencyKey.set(sameKey(start.operation, start.idempotencyKey), call)
    return attempt
  }

  end(attempt: AttemptRecord, at: number, outcome: Parameters<AttemptRecord['end']>[1]): void {
    const { call, ok } = attempt
    attempt.end(at, outcome)
    if (attempt.ok === false && ok !== false) this.totals.failed += 1
    if (call.last !== attempt || !this.#calls.has(call)) return
    this.#move(call, attempt.ok === false ? 'failed' : undefined)
  }

  #continued(start: CallStart): CallRecord | undefined {
    const { idempotencyKey, operation, scope, caller, isLoose } = start
    const same =
      idempotencyKey === undefined ? undefined : this.#byIdempotencyKey.get(sameKey(operation, idempotencyKey))
    if (same !== undefined) return same
    const identity = this.#identityOf(start)
    const failed = this.#failed(identity, start, () => true)
    if (failed !== undefined) return failed
    if (isLoose && scope === undefined && !isWaiting(caller)) {
      const ofOthers = this.#failed(looseIdentityOf(start), start, (call) => isWaiting(call.caller))
      if (ofOthers !== undefined) return ofOthers
    }
    if (scope === undefined && caller === undefined) return undefined
    return [...(this.#open.get(identity)?.pending ?? [])].at(-1)
  }

  /** The call that failed first, of those whose failure is not too long ago. */
  #failed(identity: string, { at }: CallStart, isIt: (call: CallRecord) => boolean): CallRecord | undefined {
    for (const call of this.#open.get(identity)?.failed ?? []) {
      if (at - (call.last?.endedAt ?? at) > this.#retryWithinMs) this.#move(call, undefined)
      else if (isIt(call)) return call
    }
    return undefined
  }

  #newCall(start: CallStart): CallRecord {
    const { operation, key, scope, caller, isLoose } = start
    const call = new CallRecord(operation, scope?.path, key, isLoose && !isWaiting(caller) ? undefined : caller)
    this.totals.calls += 1
    this.#calls.add(call)
    this.#identities.set(call, [this.#identityOf(start), looseIdentityOf(start)])
    if (this.#calls.size > this.#remembered) this.#forgetOldest()
    return call
  }

  #forgetOldest(): void {
    const [oldest] = this.#calls
    if (oldest === undefined) return
    this.#move(oldest, undefined)
    this.#calls.delete(oldest)
    for (const { idempotencyKey } of oldest.attempts)
      if (idempotencyKey !== undefined) this.#byIdempotencyKey.delete(sameKey(oldest.operation, idempotencyKey))
  }

  #move(call: CallRecord, to: keyof OpenCalls | undefined): void {
    for (const identity of this.#identities.get(call) ?? []) {
      let open = this.#open.get(identity)
      if (open === undefined) {
        if (to === undefined) continue
        this.#open.set(identity, (open = { failed: new Set(), pending: new Set() }))
      }
      open.failed.delete(call)
      open.pending.delete(call)
      if (to !== undefined) open[to].add(call)
      else if (open.failed.size === 0 && open.pending.size === 0) this.#open.delete(identity)
    }
  }

  /** What a call is known by. One that has no key, no scope and no caller is like no other. */
  #identityOf({ operation, key, scope, caller }: CallStart): string {
    const isUnknown = key === undefined && scope === undefined && caller === undefined
    return JSON.stringify([
      operation,
      isUnknown ? this.#nextId() : (key ?? null),
      scope?.id,
      caller && this.#idOf(caller),
    ])
  }

  #idOf(caller: AttemptRecord): number {
    let id = this.#callerIds.get(caller)
    if (id === undefined) this.#callerIds.set(caller, (id = this.#nextId()))
    return id
  }

  #nextId(): number {
    this.#lastId += 1
    return this.#lastId
  }
}

/** Whether a caller is there that has no answer yet. */
function isWaiting(caller: AttemptRecord | undefined): boolean {
  return caller !== undefined && caller.ok === undefined
}

/** What a call is known by if its scope and its caller are not known. */
function looseIdentityOf({ operation, key }: CallStart): string {
  return JSON.stringify(['of any caller', operation, key ?? null])
}

function sameKey(operation: string, idempotencyKey: string): string {
  return `${operation}\n${idempotencyKey}`
}
