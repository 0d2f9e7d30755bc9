import { setMaxListeners } from 'node:events'
import { decisions, hasScopes } from '../blast-radius/blast-radius.js'
import type { Decisions, OutsideCall } from '../blast-radius/scoped.js'
import { soon, systemClock, type Cancel } from '../basics/clock.js'
import { watchForDisabling } from '../process/disabled-watch.js'
import { assertRolledBack, endInjections, messagesOf } from '../process/end-injections.js'
import { ChaosError } from '../basics/errors.js'
import { delegatedOptions, Elsewhere } from './elsewhere.js'
import { boundedEvidence } from './evidence.js'
import type { Fault, InjectionContext } from '../fault/fault.js'
import type { Observed } from '../fault/observed.js'
import { HeldWorkQueue } from './held-work.js'
import type { Injection, InjectionOutcome, InjectionState } from './injection.js'
import { onAbort } from '../basics/on-abort.js'
import { shown } from '../fault/data.js'
import { LiveState, type Arming } from './live-state.js'
import { processState, type LiveInjection } from '../process/process-state.js'
import { rolls } from '../blast-radius/random.js'
import { keptName, MAX_NAME_LENGTH } from '../basics/text.js'
import { currentScope, isScope } from '../scopes/scope.js'
import { areScopesOpened, needScopes } from '../scopes/state.js'
import type { CallCounts } from './observed-calls.js'
import { unwind, type UndoStep } from './undo-stack.js'
import { RollbackSteps } from './rollback-steps.js'

/** The life of one injection: armed, active, ending, ended. */
export class InjectionRecord extends LiveState implements Injection, LiveInjection {
  readonly #sequence: number
  readonly #done: Promise<InjectionState>
  readonly #fault: Fault
  readonly #arming: Arming
  /** The options as they were given, without the observers that count. */
  readonly #given: Arming
  /** Set if the decisions are made elsewhere. */
  #elsewhere: Elsewhere | undefined
  readonly #decisions: Decisions
  readonly #held: HeldWorkQueue
  readonly #rollbackSteps: RollbackSteps
  /** Created on first use, since most faults never read their signal. */
  #abort: AbortController | undefined
  #cancelLease: Cancel
  readonly #ignoreDisabling: () => void
  #ignoreSignal: () => void = () => undefined
  readonly #leaveScopes: (() => void) | undefined
  #settle: (state: InjectionState) => void = () => undefined

  constructor(fault: Fault, given: Arming) {
    super(fault, given)
    const arming = this.counts === undefined ? given : observing(given, this.counts)
    const state = processState()
    this.#fault = fault
    this.#arming = arming
    this.#given = given
    this.#sequence = state.sequence += 1
    this.#done = new Promise((resolve) => (this.#settle = resolve))
    this.#held = new HeldWorkQueue(
      arming.clock,
      () => this.#endIfOver(),
      (error) => this.#lost(error),
    )
    this.#rollbackSteps = new RollbackSteps(arming.id, arming.clock, (message) => this.#warn(message))
    this.#decisions = decisions({
      ...arming,
      ...(!isScope(arming.scope) && { onOutside: (call: OutsideCall) => this.#outside(call) }),
      injection: arming.id,
      account: this,
      now: () => arming.clock.now(),
      endsAt: () => this.leaseEndsAt,
      onHit: (operation, call, at) => this.#hit(operation, call, at),
      onOverdue: () => this.#overdue(),
      onFilterFailed: (error) =>
        this.#warn(`The predicate \`only\` threw: ${shown(error)}. Calls on which it throws are left alone.`),
      onObserverFailed: (error) => this.#warn(`An observer of calls threw: ${shown(error)}. It is called again.`),
    })
    this.#cancelLease = this.#endAfter(arming.leaseMs)
    if (arming.signal !== undefined) this.#ignoreSignal = onAbort(arming.signal, () => void this.#end('aborted'))
    this.#ignoreDisabling = watchForDisabling(() => {
      if (!this.#isOver()) this.#warn('`CHAOS_DISABLED` was set while the fault was in force, so the fault is stopped.')
    })
    state.live.add(this)
    state.ids.add(arming.id)
    // Last: a constructor that fails has nothing to leave.
    this.#leaveScopes = hasScopes(arming) ? needScopes() : undefined
  }

  /** Position in the order of arming, across all copies of core. */
  get sequence(): number {
    return this.#sequence
  }
  get done(): Promise<InjectionState> {
    return this.#done
  }
  get held(): number {
    return this.#held.size + (this.#elsewhere?.held ?? 0)
  }
  override get observed(): Observed | undefined {
    return this.#elsewhere?.observed ?? super.observed
  }

  /**
   * Puts the fault in force. An instant fault is done when this resolves.
   *
   * @throws The error of `fault.inject`, after the fault was rolled back; ChaosError `CHAOS_INJECTION_ENDED` if the injection ended meanwhile.
   */
  async arm(target: never): Promise<void> {
    this.#write('armed')
    // A listener of the journal may have stopped the injection. Then the fault must not touch the target.
    if (this.#isOver()) {
      await this.done
      throw this.#endedError()
    }
    try {
      const pending = this.#fault.inject(target, this.#context())
      if (pending !== undefined) await this.#orEnded(pending)
    } catch (error) {
      await this.#fail(error)
      throw error
    }
    if (this.#isOver()) {
      await this.done
      throw this.#endedError()
    }
    this.status = 'active'
    if (this.kind === 'instant') assertRolledBack(await this.#end('completed'))
    else this.#endIfOver()
  }

  async rollback(): Promise<InjectionState> {
    const failures = await this.#end('rolled-back')
    const state = await this.done
    assertRolledBack(failures)
    return state
  }

  extendLease(forMs: number, mayShorten = false): boolean {
    const { clock, maxLeaseMs } = this.#arming
    const now = clock.now()
    if (this.#isLeaseOver(now)) return false
    const leaseMs = Math.min(now + forMs - this.armedAt, maxLeaseMs)
    if (mayShorten || leaseMs > this.leaseMs) this.#setLease(leaseMs, now)
    return true
  }

  /**
   * Ends the lease `forMs` from now, earlier or later than before, and journals it.
   *
   * @throws ChaosError `CHAOS_INJECTION_ENDED` if the injection has ended, or its lease is over.
   */
  renew(forMs: number): void {
    const now = this.#arming.clock.now()
    if (this.#isLeaseOver(now))
      throw new ChaosError(
        'CHAOS_INJECTION_ENDED',
        `The injection ${this.id} has ended (${this.outcome ?? 'lease-expired'}), so its lease cannot be renewed. Inject the fault again.`,
      )
    this.#setLease(now + forMs - this.armedAt, now)
    this.#write('renewed')
  }

  /** At the end of its lease an injection has had its last hit, even if no timer could end it yet. */
  #isLeaseOver(now: number): boolean {
    return this.#isOver() || now >= this.leaseEndsAt
  }

  #setLease(leaseMs: number, now: number): void {
    this.leaseMs = leaseMs
    this.leaseEndsAt = this.armedAt + leaseMs
    this.#cancelLease()
    this.#cancelLease = this.#endAfter(this.leaseEndsAt - now)
    this.#elsewhere?.onLease(this.leaseEndsAt - now)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rollback()
  }

  mark(outcome: InjectionOutcome): boolean {
    if (this.#isOver()) return false
    this.status = 'ending'
    this.outcome = outcome
    this.endedAt = this.#arming.clock.now()
    this.#decisions.end()
    this.#cancelLease()
    this.#ignoreSignal()
    return true
  }

  release(): void {
    this.#abort?.abort(this.#endedError())
    this.#held.release()
    this.#rollbackSteps.stepAside()
  }

  undo(): Promise<{ readonly failures: readonly unknown[]; readonly state: InjectionState }> {
    const failures = this.#rollbackSteps.run()
    if (failures instanceof Promise) return failures.then((late) => this.#ended(late))
    return Promise.resolve(this.#ended(failures))
  }

  #ended(failures: readonly unknown[]): { failures: readonly unknown[]; state: InjectionState } {
    this.addFailures(failures)
    this.status = 'ended'
    const state = processState()
    state.live.delete(this)
    state.ids.delete(this.id)
    this.#ignoreDisabling()
    this.#leaveScopes?.()
    const snapshot = this.snapshot()
    this.#write('ended', snapshot)
    this.#settle(snapshot)
    return { failures, state: snapshot }
  }

  #endAfter(ms: number): Cancel {
    // A lease does not keep the process alive: the fault ends with the process anyway.
    return this.#arming.clock.after(ms, () => void this.#end('lease-expired'), { ref: false })
  }

  #end(outcome: InjectionOutcome): Promise<readonly unknown[]> {
    return endInjections([this], () => this.mark(outcome)).then(([ended]) => ended?.failures ?? [])
  }

  /** Rolls back a fault whose `inject` failed, and reports both failures. */
  async #fail(error: unknown): Promise<void> {
    if (this.#isOver()) {
      await this.done
      return
    }
    this.addFailures([error])
    const failures = await this.#end('failed')
    if (failures.length > 0) assertRolledBack([error, ...failures])
  }

  /** Ends a standing fault whose limit is spent, once its held work has run, or that has ended elsewhere. */
  #endIfOver(): void {
    if (this.status !== 'active' || this.kind !== 'standing') return
    if (this.#elsewhere !== undefined) {
      if (this.#elsewhere.outcome !== undefined) void this.#end(this.#elsewhere.outcome)
    } else if (this.#isSpent() && this.#held.size === 0) void this.#end('limit-spent')
  }

  #isSpent(): boolean {
    return this.affected >= (this.#arming.limit ?? Number.POSITIVE_INFINITY)
  }

  #isOver(): boolean {
    return this.outcome !== undefined
  }

  /** Ends an injection whose lease is over but whose timer could not fire: a loop never yielded, or the process was suspended. */
  #overdue(): void {
    this.#decisions.end()
    // Later, since the patched call is still running.
    soon(() => void this.#end('lease-expired'))
  }

  #warn(message: string): void {
    this.#arming.journal.write({ type: 'warning', at: this.#arming.clock.now(), id: this.id, message })
  }

  #hit(operation: string | symbol, call: number, at: number): void {
    this.#writeHit(operation, call, at)
    // Later, since the fault has yet to act on this hit.
    if (this.#isSpent()) soon(() => this.#endIfOver())
  }

  #writeHit(operation: string | symbol, call: number, at: number): void {
    if (this.kind === 'standing') this.#land(at)
    const hit = { operation: hitName(operation), call, ...this.#hitScope() }
    this.#arming.journal.write({ type: 'hit', at, id: this.id, ...hit })
  }

  /** The scope of a hit. Only an injection that needs scopes asks. */
  #hitScope(): { readonly scope?: string } {
    const path = this.#leaveScopes === undefined ? undefined : currentScope()?.path
    return path === undefined ? {} : { scope: path }
  }

  /** Counts lost work. Warns only once, since there may be thousands of losses. */
  #lost(error: unknown): void {
    const before = this.account['lost'] ?? 0
    this.account['lost'] = before + 1
    if (before > 0) return
    const why = error === undefined ? 'the resource it was held on is closed' : `it failed: ${shown(error)}`
    this.#arming.journal.write({
      type: 'warning',
      at: this.#arming.clock.now(),
      id: this.id,
      message: `Held work was lost, since ${why.slice(0, 200)}. \`account.lost\` counts all lost work.`,
    })
  }

  /** Tells of the first call outside of the scope. If nothing opens scopes, there will be none inside. */
  #outside(call: OutsideCall): void {
    if (call.scope === undefined && !areScopesOpened())
      this.#warn(
        `A call of \`${hitName(call.operation)}\` was made in no scope, and nothing in this process opens scopes, so the fault for \`${this.scope ?? ''}\` leaves it alone. ` +
          'Open scopes with `httpScopes` or `eventScopes` (`CHAOS_SCOPES=1` for an app without chaos code), or do the work in `withScope`.',
      )
    this.#arming.onOutside?.(call)
  }

  #land(at: number): void {
    if (this.landedAt !== undefined) return
    this.landedAt = at
    this.#write('landed')
  }

  #context(): InjectionContext {
    const { clock, seed, id } = this.#arming
    const signalOf = (): AbortSignal => this.#signal()
    return {
      id,
      clock,
      leaseLeftMs: () => this.#leaseLeftMs(),
      get signal() {
        return signalOf()
      },
      operation: this.#decisions.operation,
      isHolding: this.#held.isHolding,
      hold: (work) => this.#held.hold(work),
      queue: (work) => {
        this.queued += 1
        this.#held.queue(work)
      },
      patch: (object, key, layer, options = {}) => {
        if (this.#isOver()) throw this.#endedError()
        this.#rollbackSteps.patch(object, key, layer, options)
      },
      defer: (undo) => this.#defer(undo),
      account: (...names) => {
        for (const name of names) this.account[name] ??= 0
        return this.account
      },
      // The prefix separates these streams from the rolls of operations.
      rolls: (stream) => rolls(seed, id, `~${stream}`),
      landed: (evidence) => {
        this.addEvidence(boundedEvidence(evidence))
        this.#land(clock.now())
      },
      delegate: (onLease) => this.#delegate(onLease),
    }
  }

  #delegate(onLease: (leaseMs: number) => void): Elsewhere {
    const { clock, id, seed } = this.#arming
    const how = delegatedOptions(this.fault, this.#given, { id, seed, leaseMs: this.#leaseLeftMs() })
    this.#elsewhere = new Elsewhere(how, onLease, {
      isEnded: () => this.status === 'ended',
      count: ({ seen, affected, queued, account }) => {
        Object.assign(this, { seen, affected, queued })
        Object.assign(this.account, account)
      },
      hit: ({ operation, call, agoMs }) =>
        this.#writeHit(operation, call, clock.now() - (clock === systemClock ? agoMs : 0)),
      warn: (message) => this.#warn(message),
      fail: (failures) => this.addFailures(failures),
      onOver: () => this.#endIfOver(),
    })
    return this.#elsewhere
  }

  #leaseLeftMs(): number {
    return Math.max(0, this.leaseEndsAt - this.#arming.clock.now())
  }

  #defer(undo: UndoStep['undo']): void {
    const step = this.#rollbackSteps.step(undo.name, undo)
    if (!this.#isOver()) {
      this.#rollbackSteps.push(step)
      return
    }
    // The step came after the end, so it is undone at once.
    void Promise.resolve(unwind([step], this.#arming.clock)).then((failures) =>
      messagesOf(failures).forEach((message) =>
        this.#warn(`A step that the fault took after its end could not be undone: ${message}`),
      ),
    )
    throw this.#endedError()
  }

  #signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      // A fault may add one listener per target object.
      setMaxListeners(0, this.#abort.signal)
      if (this.#isOver()) this.#abort.abort(this.#endedError())
    }
    return this.#abort.signal
  }

  /** Waits for an async `inject`, at most until the injection ends. */
  async #orEnded(pending: Promise<void>): Promise<void> {
    // A fault written in JavaScript may return a promise, another thenable or a plain value.
    const settled = new Promise<void>((resolve) => resolve(pending))
    settled.catch(() => undefined)
    await Promise.race([settled, this.done.then(() => Promise.reject(this.#endedError()))])
  }

  #endedError(): ChaosError {
    const { outcome } = this
    const reason = this.#arming.signal?.aborted === true ? (this.#arming.signal.reason as unknown) : undefined
    return new ChaosError(
      'CHAOS_INJECTION_ENDED',
      outcome === 'lease-expired'
        ? `The lease of ${this.fault} ended after ${this.leaseMs} ms, before the fault was done. Everything it had done was rolled back. Pass a longer \`leaseMs\` if it needs more time.`
        : `The injection ${this.id} has ended (${outcome ?? 'not begun'}).`,
      reason === undefined ? {} : { cause: reason },
    )
  }

  #write(type: 'armed' | 'landed' | 'renewed' | 'ended', injection = this.snapshot()): void {
    this.#arming.journal.write({ type, at: this.#arming.clock.now(), injection })
  }
}

/** Has the calls counted that an injection sees. */
function observing(arming: Arming, counts: CallCounts): Arming {
  const { onSeen, onAffected } = arming
  return {
    ...arming,
    onSeen(call) {
      counts.see(call)
      onSeen?.(call)
    },
    onAffected(call) {
      counts.affect(call)
      onAffected?.(call)
    },
  }
}

/** The name of an operation for the journal. */
function hitName(operation: string | symbol): string {
  return typeof operation === 'string' && operation.length <= MAX_NAME_LENGTH ? operation : keptName(operation)
}
