import { setMaxListeners } from 'node:events'
import { decisions, type Decisions } from '../blast-radius/blast-radius.js'
import { soon, type Cancel } from '../basics/clock.js'
import { watchForDisabling } from '../process/disabled-watch.js'
import { assertTakenBack, endInjections, messagesOf } from '../process/end-injections.js'
import { ChaosError } from '../basics/errors.js'
import { boundedEvidence } from './evidence.js'
import type { Fault, InjectionContext } from '../fault/fault.js'
import { HeldWorkQueue } from './held-work.js'
import type { Injection, InjectionOutcome, InjectionState } from './injection.js'
import { onAbort } from '../basics/on-abort.js'
import { shown } from '../fault/data.js'
import { LiveState, type Arming } from './live-state.js'
import { processState, type LiveInjection } from '../process/process-state.js'
import { rolls } from '../blast-radius/random.js'
import { keptName, MAX_NAME_LENGTH } from '../basics/text.js'
import { unwind, type UndoStep } from './undo-stack.js'
import { WayBack } from './way-back.js'

/** The life of one injection: armed, active, ending, ended. */
export class InjectionRecord extends LiveState implements Injection, LiveInjection {
  readonly #sequence: number
  readonly #done: Promise<InjectionState>
  readonly #fault: Fault
  readonly #arming: Arming
  readonly #decisions: Decisions
  readonly #held: HeldWorkQueue
  readonly #wayBack: WayBack
  /** Made when a fault asks for its signal: most never do. */
  #abort: AbortController | undefined
  readonly #cancelLease: Cancel
  readonly #ignoreDisabling: () => void
  #ignoreSignal: () => void = () => undefined
  #settle: (state: InjectionState) => void = () => undefined

  constructor(fault: Fault, arming: Arming) {
    super(fault, arming)
    const state = processState()
    this.#fault = fault
    this.#arming = arming
    this.#sequence = state.sequence += 1
    this.#done = new Promise((resolve) => (this.#settle = resolve))
    this.#held = new HeldWorkQueue(
      arming.clock,
      () => this.#endIfSpent(),
      (error) => this.#lost(error),
    )
    this.#wayBack = new WayBack(arming.id, arming.clock, (message) => this.#warn(message))
    this.#decisions = decisions({
      ...arming,
      injection: arming.id,
      account: this,
      now: () => arming.clock.now(),
      endsAt: this.leaseEndsAt,
      onHit: (operation, call, at) => this.#hit(operation, call, at),
      onOverdue: () => this.#overdue(),
      onFilterFailed: (error) =>
        this.#warn(`The predicate \`only\` threw, ${shown(error)}. Calls on which it throws are left alone.`),
    })
    // A lease alone keeps no process alive: what it would take back ends with the process.
    this.#cancelLease = arming.clock.after(arming.leaseMs, () => void this.#end('lease-expired'), { ref: false })
    if (arming.signal !== undefined) this.#ignoreSignal = onAbort(arming.signal, () => void this.#end('aborted'))
    this.#ignoreDisabling = watchForDisabling(() => {
      if (!this.#isOver()) this.#warn('CHAOS_DISABLED was set while it was in force: it is stopped.')
    })
    state.live.add(this)
  }

  /** Position in the order of arming, across all copies of core. */
  get sequence(): number {
    return this.#sequence
  }
  get done(): Promise<InjectionState> {
    return this.#done
  }
  get held(): number {
    return this.#held.size
  }

  /**
   * Puts the fault in force. An instant one is done when this resolves.
   *
   * @throws What `fault.inject` threw, after taking back what it had done; ChaosError `CHAOS_INJECTION_ENDED` when the injection ended meanwhile.
   */
  async arm(target: never): Promise<void> {
    this.#write('armed')
    // Whoever was told of it may have stopped it: then nothing is broken at all.
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
    if (this.kind === 'instant') assertTakenBack(await this.#end('completed'))
    else this.#endIfSpent()
  }

  async rollback(): Promise<InjectionState> {
    const failures = await this.#end('rolled-back')
    const state = await this.done
    assertTakenBack(failures)
    return state
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
    this.#wayBack.stepAside()
  }

  undo(): Promise<{ readonly failures: readonly unknown[]; readonly state: InjectionState }> {
    const failures = this.#wayBack.take()
    if (failures instanceof Promise) return failures.then((late) => this.#ended(late))
    return Promise.resolve(this.#ended(failures))
  }

  #ended(failures: readonly unknown[]): { failures: readonly unknown[]; state: InjectionState } {
    this.addFailures(failures)
    this.status = 'ended'
    processState().live.delete(this)
    this.#ignoreDisabling()
    const state = this.snapshot()
    this.#write('ended', state)
    this.#settle(state)
    return { failures, state }
  }

  #end(outcome: InjectionOutcome): Promise<readonly unknown[]> {
    return endInjections([this], () => this.mark(outcome)).then(([ended]) => ended?.failures ?? [])
  }

  /** The fault itself failed: take back what it had done, then report both. */
  async #fail(error: unknown): Promise<void> {
    if (this.#isOver()) {
      await this.done
      return
    }
    this.addFailures([error])
    const failures = await this.#end('failed')
    if (failures.length > 0) assertTakenBack([error, ...failures])
  }

  /** A spent limit ends a standing fault, as soon as what it still holds back has run. */
  #endIfSpent(): void {
    if (this.status === 'active' && this.kind === 'standing' && this.#isSpent() && this.#held.size === 0)
      void this.#end('limit-spent')
  }

  #isSpent(): boolean {
    return this.affected >= (this.#arming.limit ?? Number.POSITIVE_INFINITY)
  }

  #isOver(): boolean {
    return this.outcome !== undefined
  }

  /** The lease is over, and its timer has not had its turn: a loop that never yields, or a process that was stopped. */
  #overdue(): void {
    this.#decisions.end()
    // Not now: the caller is in the middle of this very call.
    soon(() => void this.#end('lease-expired'))
  }

  #warn(message: string): void {
    this.#arming.journal.write({ type: 'warning', at: this.#arming.clock.now(), id: this.id, message })
  }

  #hit(operation: string | symbol, call: number, at: number): void {
    if (this.kind === 'standing') this.#land(at)
    this.#arming.journal.write({ type: 'hit', at, id: this.id, operation: hitName(operation), call })
    // Not now: the caller has yet to act on this very hit.
    if (this.#isSpent()) soon(() => this.#endIfSpent())
  }

  /** Held work is lost. Counted each time, said once: there may be thousands. */
  #lost(error: unknown): void {
    const before = this.account['lost'] ?? 0
    this.account['lost'] = before + 1
    if (before > 0) return
    const why = error === undefined ? 'what it was held on is closed' : `it failed: ${shown(error)}`
    this.#arming.journal.write({
      type: 'warning',
      at: this.#arming.clock.now(),
      id: this.id,
      message: `Held work was lost, since ${why.slice(0, 200)}. \`account.lost\` counts all that is lost.`,
    })
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
      clock,
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
        this.#wayBack.patch(object, key, layer, options)
      },
      defer: (undo) => this.#defer(undo),
      account: (...names) => {
        for (const name of names) this.account[name] ??= 0
        return this.account
      },
      // A stream is named apart from every operation, whose rolls are decisions.
      rolls: (stream) => rolls(seed, id, `~${stream}`),
      landed: (evidence) => {
        this.addEvidence(boundedEvidence(evidence))
        this.#land(clock.now())
      },
    }
  }

  #defer(undo: UndoStep['undo']): void {
    const step = this.#wayBack.step(undo.name, undo)
    if (!this.#isOver()) {
      this.#wayBack.push(step)
      return
    }
    // The step was made too late to be kept: take it back at once.
    void Promise.resolve(unwind([step], this.#arming.clock)).then((failures) =>
      messagesOf(failures).forEach((message) =>
        this.#warn(`A step that came after the end could not be taken back: ${message}`),
      ),
    )
    throw this.#endedError()
  }

  #signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      // As many may listen as a fault has targets.
      setMaxListeners(0, this.#abort.signal)
      if (this.#isOver()) this.#abort.abort(this.#endedError())
    }
    return this.#abort.signal
  }

  /** Waits for an async inject, but not beyond the end of the injection. */
  async #orEnded(pending: Promise<void>): Promise<void> {
    // Whatever a fault returned: a promise, something that only looks like one, or a value that nobody waits for.
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
        ? `Expected ${this.fault} to be done within its lease of ${this.leaseMs} ms, it was not. What it had done was taken back; pass a longer \`leaseMs\` if it needs more time.`
        : `The injection ${this.id} has ended (${outcome ?? 'not begun'}).`,
      reason === undefined ? {} : { cause: reason },
    )
  }

  #write(type: 'armed' | 'landed' | 'ended', injection = this.snapshot()): void {
    this.#arming.journal.write({ type, at: this.#arming.clock.now(), injection })
  }
}

/** The name of an operation as the journal keeps it. */
function hitName(operation: string | symbol): string {
  return typeof operation === 'string' && operation.length <= MAX_NAME_LENGTH ? operation : keptName(operation)
}
