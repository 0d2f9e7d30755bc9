import { ChaosError, type Cancel, type Clock } from '@chaos/core'
import { messageOf, printable, rolls } from '@chaos/core/authoring'
import type { InstanceRecord } from '../plan/instance.js'
import type { Plan, SignedPlan } from '../plan/plan.js'
import type { AgentTransport } from '../transports/transport.js'
import {
  initialAgentState,
  instanceStateOf,
  pollMsOf,
  step,
  type Account,
  type AgentEffect,
  type AgentEvent,
  type AgentState,
} from './agent-state.js'
import { outages, type Outages } from './outages.js'
import { ReadBudget } from './read-budget.js'

/** A fault that an agent has in force. */
export interface Application {
  /** Resolves when the fault is in force, and rejects if it cannot be. */
  readonly inForce: Promise<void>
  /** Keeps the fault in force until a later time of the agent's clock. */
  extend(deadlineMs: number): void
  /** Marks the fault ended before it returns, and rolls it back. Resolves when it is rolled back, and rejects if an undo step failed. */
  revert(): Promise<void>
  /** What the fault has done so far. */
  account(): Account
  /** Resolves if the fault ends by itself: somebody in this process stopped it, or its own lease is over. */
  readonly ended: Promise<'stopped' | 'deadline'>
}

/** What an agent needs. */
export interface AgentOptions {
  /** The id of the instance. */
  readonly id: string
  readonly transport: AgentTransport
  /** What the process tells about itself with each read. */
  readonly instance: () => Promise<Omit<InstanceRecord, 'state'>>
  /** Checks a plan, and returns it. @throws An error whose message says why the process refuses. */
  readonly check: (signed: SignedPlan, runId: string) => Plan | Promise<Plan>
  /** Puts the fault of a checked plan in force until the deadline, by the agent's clock. */
  readonly apply: (plan: Plan, deadlineMs: number) => Application
  readonly clock: Clock
  /** The time of the wall clock, in ms. It only makes the agent more careful. */
  readonly wallClock: () => number
  /** Varies the time between two reads, so that the agents of a fleet do not read together. */
  readonly seed: string
  /** The time between two reads while there is no run, in ms. */
  readonly idlePollMs: number
  /** Receives one line for each outage of the engine, and for each begin and end of a fault. */
  readonly log: (line: string) => void
}

/** An agent at work. */
export interface Agent {
  /** Ends the run of this process, if there is one. It takes part in later ones. */
  stop(): void
  /** Marks the fault ended before it returns, and takes part in no other run. Resolves when the fault is rolled back and the engine knows, or does not answer. */
  shutdown(): Promise<void>
  /** What the agent takes part in right now. */
  readonly state: AgentState
}

/** The share by which the time between two reads varies. */
const JITTER = 0.1
/** How often the clocks are compared and the deadline is looked at while there is a run, in ms. */
const LOOK_EVERY_MS = 250
/**
 * With which of the reads an answer is sent again that the engine has confirmed, and that has not changed: about once a lease.
 * An engine that has forgotten it, as a replica may that takes over, learns it then.
 */
const REPEATED_WITH_READ = 5
/** The bounds of the time that a read or an answer may take before the next one is sent, in ms. */
const [MIN_WAIT_MS, MAX_WAIT_MS] = [500, 5_000]
/** The longest wait for the engine by a process that leaves, in ms. */
const MAX_LEAVING_MS = 1_000

/**
 * Starts an agent: it reads, decides with {@link step}, and does what was decided. Errors of the engine never reach the
 * application, and no timer of the agent keeps the process alive.
 */
export function startAgent(options: AgentOptions): Agent {
  const agent = new RunningAgent(options)
  agent.start()
  return agent
}

class RunningAgent implements Agent {
  readonly #options: AgentOptions
  readonly #clock: Clock
  readonly #jitter: (call: number) => number
  #state = initialAgentState
  #polls = 0
  #isReading = false
  readonly #outages: Outages
  #readStartedAt = Number.NEGATIVE_INFINITY
  readonly #budget = new ReadBudget()
  /** Whether the next read waits for a call, and not for the time of a poll. */
  #isSoon = false
  /** How often the agent was asked to read while it was reading. */
  #calls = 0
  #cancelPoll: Cancel = () => undefined
  #cancelLook: Cancel | undefined
  #ignoreWake: () => void = () => undefined
  /** How far the wall clock was ahead when it was last looked at, in ms. */
  #wallAheadMs = 0
  #plan: Plan | undefined
  #application: Application | undefined
  /** The newest answer that waits for the one under way. */
  #nextAck: Extract<AgentEffect, { type: 'ack' }> | undefined
  #isAnswering = false
  /** The answer that the engine has confirmed last, and how often it has been due since. */
  #confirmed: { readonly runId: string; readonly text: string; due: number } | undefined
  #onSettled: (() => void)[] = []

  constructor(options: AgentOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#jitter = rolls(options.seed, 'fleet', 'poll')
    this.#outages = outages(options.clock, (line) => this.#log(line))
  }

  get state(): AgentState {
    return this.#state
  }

  start(): void {
    this.#ignoreWake = this.#options.transport.onWake(() => this.#readSoon())
    this.#readSoon()
  }

  stop(): void {
    this.#happens({ type: 'stop', why: 'stopped' })
  }

  shutdown(): Promise<void> {
    this.#happens({ type: 'shutdown' })
    this.#ignoreWake()
    this.#cancelPoll()
    return new Promise((resolve) => {
      this.#onSettled.push(resolve)
      this.#settleIfDone()
    })
  }

  #happens(event: AgentEvent): void {
    const before = pollMsOf(this.#state, this.#options.idlePollMs)
    const { state, effects } = step(this.#state, event, this.#clock.now())
    this.#state = state
    // A run that begins or is checked is read more often from now on.
    if (!this.#isReading && !this.#isSoon && pollMsOf(state, this.#options.idlePollMs) < before)
      this.#readAfter(this.#pollMs())
    for (const effect of effects) this.#perform(effect)
    this.#look()
    this.#settleIfDone()
  }

  #perform(effect: AgentEffect): void {
    switch (effect.type) {
      case 'check':
        void this.#check(effect.runId, effect.signed)
        return
      case 'apply':
        void this.#apply(effect.runId, effect.deadlineMs)
        return
      case 'extend':
        this.#application?.extend(effect.deadlineMs)
        return
      case 'revert':
        void this.#revert(effect.runId, effect.why)
        return
      case 'ack':
        this.#nextAck = effect
        void this.#answer()
    }
  }

  async #check(runId: string, signed: SignedPlan): Promise<void> {
    try {
      const plan = await this.#options.check(signed, runId)
      this.#plan = plan
      const { leaseMs, maxDurationMs } = plan
      this.#happens({ type: 'checked', runId, verdict: { leaseMs, maxDurationMs } })
    } catch (error) {
      this.#happens({ type: 'checked', runId, verdict: { refusal: messageOf(error) } })
    }
  }

  async #apply(runId: string, deadlineMs: number): Promise<void> {
    try {
      if (this.#plan?.runId !== runId) throw new Error(`The plan of the run ${runId} was not checked.`)
      const { target, fault, by, reason } = this.#plan
      const application = this.#options.apply(this.#plan, deadlineMs)
      this.#application = application
      application.ended.then(
        (why) => {
          // A fault that ends while it is rolled back has not ended by itself.
          if (this.#application === application) this.#happens({ type: 'stop', why })
        },
        () => undefined,
      )
      await application.inForce
      // It may have been rolled back meanwhile.
      if (this.#application === application)
        this.#log(
          printable(`The fault ${fault} is in force on "${target}" (run ${runId}, by ${by}: ${reason}).`, {
            max: 2_000,
          }),
        )
      this.#happens({ type: 'applied', runId })
    } catch (error) {
      // A fault that is being rolled back is reported when that is done.
      if (this.#state.run?.status === 'applying') this.#application = undefined
      this.#happens({ type: 'applied', runId, failure: messageOf(error) })
    }
  }

  async #revert(runId: string, why: string): Promise<void> {
    const application = this.#application
    this.#application = undefined
    let failure: string | undefined
    try {
      await application?.revert()
    } catch (error) {
      failure = messageOf(error)
    }
    const account = accountOf(application)
    this.#log(
      `The fault of the run ${runId} has ended (${why}) after ${account.hits} hits.${failure === undefined ? '' : ` ${failure}`}`,
    )
    this.#happens({
      type: 'reverted',
      runId,
      ...account,
      ...(failure === undefined ? {} : { evidence: [...account.evidence, { rollbackFailed: failure }] }),
    })
    // There may be another run, which had to wait.
    this.#readSoon()
  }

  /** Sends the newest answer. Answers are sent one by one, so that none overtakes another. */
  async #answer(): Promise<void> {
    if (this.#isAnswering) return
    this.#isAnswering = true
    for (let next = this.#nextAck; next !== undefined; next = this.#nextAck) {
      this.#nextAck = undefined
      const { runId, ack } = next
      const { transport, id } = this.#options
      const full = ack.status === 'applied' ? { ...ack, ...accountOf(this.#application) } : ack
      const text = JSON.stringify(full)
      if (this.#isKnown(runId, text)) continue
      const isGiven = await this.#inTime('ack', () => transport.ack(runId, id, full))
      this.#confirmed = isGiven === undefined ? undefined : { runId, text, due: 0 }
      if (isGiven !== undefined) this.#happens({ type: 'acked', runId, status: ack.status })
    }
    this.#isAnswering = false
    this.#settleIfDone()
  }

  /** Whether the engine has an answer, and need not be told it again now. */
  #isKnown(runId: string, text: string): boolean {
    const confirmed = this.#confirmed
    if (confirmed?.runId !== runId || confirmed.text !== text) return false
    confirmed.due += 1
    return confirmed.due < REPEATED_WITH_READ
  }

  /** Reads as soon as it may: now, after the read under way, or a moment after the last one. */
  #readSoon(): void {
    if (this.#isReading) {
      this.#calls += 1
      return
    }
    if (this.#isSoon) return
    const maxMs = pollMsOf(this.#state, this.#options.idlePollMs)
    const waitMs = this.#budget.waitMs(this.#clock.now(), this.#readStartedAt, maxMs)
    if (waitMs <= 0) {
      void this.#read()
      return
    }
    this.#readAfter(waitMs)
    this.#isSoon = true
  }

  #readAfter(ms: number): void {
    this.#isSoon = false
    this.#cancelPoll()
    if (!this.#state.isShutDown) this.#cancelPoll = this.#clock.after(ms, () => void this.#read(), { ref: false })
  }

  async #read(): Promise<void> {
    if (this.#isReading || this.#state.isShutDown) return
    this.#cancelPoll()
    this.#isSoon = false
    this.#isReading = true
    const calls = this.#calls
    let sentAtMs = (this.#readStartedAt = this.#clock.now())
    const snapshot = await this.#inTime('read', async () => {
      const record = await this.#options.instance()
      sentAtMs = this.#clock.now()
      return this.#options.transport.read({ ...record, state: instanceStateOf(this.#state) })
    })
    this.#isReading = false
    this.#compareClocks()
    this.#happens(
      snapshot === undefined ? { type: 'read-failed' } : { type: 'read', sentAtMs, snapshot: snapshot.answer },
    )
    if (!this.#owesAnswer()) this.#outages.works('ack')
    if (this.#calls > calls && snapshot !== undefined) this.#readSoon()
    else this.#readAfter(this.#pollMs())
  }

  /** The time to the next read, varied by a tenth. */
  #pollMs(): number {
    this.#polls += 1
    const ms = pollMsOf(this.#state, this.#options.idlePollMs)
    return ms * (1 - JITTER + 2 * JITTER * this.#jitter(this.#polls))
  }

  /**
   * Waits for the engine, for a while. An answer that comes later is ignored: the next read asks again.
   *
   * @returns The answer, or `undefined` if there is none.
   */
  async #inTime<T>(call: 'read' | 'ack', ask: () => Promise<T>): Promise<{ readonly answer: T } | undefined> {
    const waitMs = this.#patienceMs()
    let cancel: Cancel = () => undefined
    const tooLong = new Promise<never>((_resolve, reject) => {
      const late = (): void =>
        reject(new ChaosError('CHAOS_FLEET_UNREACHABLE', `The engine did not answer within ${waitMs} ms.`))
      cancel = this.#clock.after(waitMs, late, { ref: this.#state.isShutDown })
    })
    try {
      const answer = await Promise.race([ask(), tooLong])
      this.#outages.works(call)
      return { answer }
    } catch (error) {
      // Who leaves has closed the connection itself.
      if (!this.#state.isShutDown) this.#outages.failed(call, error)
      return undefined
    } finally {
      cancel()
    }
  }

  /** How long to wait for the engine, in ms. Nothing hurries before there is a run; a process that ends must not wait for long. */
  #patienceMs(): number {
    const { isShutDown, run } = this.#state
    if (isShutDown) return MAX_LEAVING_MS
    if (run === undefined) return MAX_WAIT_MS
    return Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, 2 * pollMsOf(this.#state, this.#options.idlePollMs)))
  }

  /** Whether the engine has not confirmed an answer that still holds. */
  #owesAnswer(): boolean {
    const { run, final } = this.#state
    return run?.answer !== undefined || final?.isConfirmed === false
  }

  /** Looks at the clocks as long as there is a run, and at its deadline when it is due. */
  #look(): void {
    this.#cancelLook?.()
    const { run } = this.#state
    if (run === undefined || run.status === 'reverting' || run.status === 'refused') {
      this.#cancelLook = undefined
      return
    }
    // A look that was not set before has nothing to compare with.
    if (this.#cancelLook === undefined) this.#wallAheadMs = this.#measureWallAheadMs()
    const leftMs = (run.deadlineMs ?? Number.POSITIVE_INFINITY) - this.#clock.now()
    const look = (): void => {
      this.#compareClocks()
      this.#happens({ type: 'tick' })
    }
    this.#cancelLook = this.#clock.after(Math.max(0, Math.min(LOOK_EVERY_MS, leftMs)), look, { ref: false })
  }

  #compareClocks(): void {
    if (this.#cancelLook === undefined) return
    const aheadMs = this.#measureWallAheadMs()
    const byMs = aheadMs - this.#wallAheadMs
    this.#wallAheadMs = aheadMs
    this.#happens({ type: 'drift', byMs })
  }

  #measureWallAheadMs(): number {
    return this.#options.wallClock() - this.#clock.now()
  }

  #settleIfDone(): void {
    if (!this.#state.isShutDown || this.#isAnswering || this.#nextAck !== undefined) return
    if (this.#state.run !== undefined) return
    for (const settled of this.#onSettled.splice(0)) settled()
  }

  /** Tells the application. A logger that throws must not stop the agent. */
  #log(line: string): void {
    try {
      this.#options.log(line)
    } catch {
      // Nobody else can be told.
    }
  }
}

const NOTHING_DONE: Account = { hits: 0, evidence: [] }

const accountOf = (application: Application | undefined): Account => application?.account() ?? NOTHING_DONE
