import { randomBytes } from 'node:crypto'
import type { Clock } from '@chaos/core'
import { messageOf, printable } from '@chaos/core/authoring'
import type { InstanceRecord } from '../plan/instance.js'
import type { Plan, SignedPlan } from '../plan/plan.js'
import { runRefused } from '../plan/refusals.js'
import type { ControllerTransport, OpenResult } from '../transports/transport.js'
import { beatMs, keepLease, type LossReason, type RunLease } from './lease.js'
import {
  endedByItself,
  isOver,
  isServing,
  noteGone,
  takeAcks,
  waitingFor,
  whysOf,
  wholeAt,
  type InstanceOutcome,
  type OutcomeChange,
} from './outcomes.js'
import { paceOf } from './pace.js'
import { rolloutWatch } from './rollout.js'
import { notBegun, refusalOf } from './run-refusals.js'
import type { RunEnd, RunEvent, RunState } from './run-state.js'

/** Options of {@link startRun}. */
export interface RunOptions {
  readonly transport: ControllerTransport
  readonly clock: Clock
  readonly plan: Plan
  readonly signed: SignedPlan
  /** The instances when the plan was made. */
  readonly fleet: readonly InstanceRecord[]
  /** Whether the fault happens once: the run ends when every instance has applied it. Default `false`. */
  readonly isInstant?: boolean
  /** The longest wait for the agents to be ready, in ms. Default 15,000: an idle agent looks every 5 s. */
  readonly readyWithinMs?: number
  /** Called with each event, in order. It must not throw. */
  readonly onEvent?: (event: RunEvent) => void
}

/** A run that has been asked for. */
export interface Run {
  readonly state: RunState
  /**
   * Resolves when the fault is in force.
   *
   * @throws ChaosError `CHAOS_FLEET_RUN_REFUSED` if the run did not begin: then no instance is affected any more.
   *   `CHAOS_FLEET_RUN_LOST` if it was lost while it began. `CHAOS_FLEET_UNREACHABLE` if the engine does not answer.
   */
  readonly started: Promise<RunState>
  /** Resolves when every instance is whole. Never rejects. */
  readonly done: Promise<RunState>
  /** Ends the run. Resolves as `done` does. */
  stop(): Promise<RunState>
}

const DEFAULT_READY_MS = 15_000
/** The longest reason of a halt that is told, in characters. */
const MAX_REASON = 200

/**
 * Runs one fault on the instances of a plan.
 *
 * It begins in two phases: every instance checks the plan, and none is affected before all of them (or the quorum) are ready.
 * While it runs, its lease is renewed; whatever happens to this process, every instance reverts when the lease ends. A run
 * that was lost is never opened again.
 */
export function startRun(options: RunOptions): Run {
  const {
    transport,
    clock,
    plan,
    signed,
    fleet,
    isInstant = false,
    readyWithinMs = DEFAULT_READY_MS,
    onEvent,
  } = options
  const { runId, leaseMs, maxDurationMs, quorum } = plan
  const owned = { runId, owner: randomBytes(20).toString('base64url') }
  const outcomes = waitingFor(plan.instances, fleet)
  const pollMs = beatMs(leaseMs)
  const rollout = rolloutWatch(fleet, Object.keys(plan.selected), plan.instances)
  const openedAt = clock.now()

  let status: RunState['status'] = 'preparing'
  let ending: { readonly end: RunEnd; readonly why: string | undefined; readonly at: number } | undefined
  let activeAt: number | undefined
  let landedAt: number | undefined
  let endedAt: number | undefined
  let lease: RunLease | undefined
  const pace = paceOf(clock, pollMs)

  const state = (): RunState => ({
    plan,
    status,
    end: ending?.end,
    why: ending?.why,
    openedAt,
    activeAt,
    landedAt,
    endedAt,
    instances: [...outcomes.values()],
  })
  const tell = (type: Exclude<RunEvent['type'], 'instance'>): void => onEvent?.({ type, state: state() })
  const tellOf = (changes: readonly OutcomeChange[]): void => {
    if (changes.length === 0) return
    // One state for all: a copy for each of thousands would take seconds.
    const told = state()
    for (const change of changes) onEvent?.({ type: 'instance', ...change, state: told })
  }
  const isEnding = (): boolean => ending !== undefined
  const all = (): readonly InstanceOutcome[] => [...outcomes.values()]

  /** Begins the end, once: the first reason stands. */
  function endFor(end: RunEnd, why?: string): void {
    if (ending !== undefined) return
    ending = { end, why, at: clock.now() }
    lease?.end()
    pace.wake()
  }
  const lossWords: Readonly<Record<LossReason, string>> = {
    lost: 'the engine does not hold the run any more',
    fenced: `the engine did not answer for the lease of ${leaseMs} ms`,
    halted: 'somebody called a halt',
    'not-permitted': 'the window in which runs are permitted has closed',
  }

  let reading: Promise<void> | undefined
  /** Reads the answers of the agents. An engine that does not answer is not waited for longer than a beat. */
  async function look(): Promise<void> {
    reading ??= readAcks().finally(() => {
      reading = undefined
      pace.wake()
    })
    await pace.pause()
  }
  async function readAcks(): Promise<void> {
    let acks
    try {
      acks = await transport.acks(runId)
    } catch {
      // The lease decides whether the engine has been away for too long.
      return
    }
    if (status === 'ended') return
    const at = clock.now()
    const changes = takeAcks(outcomes, acks, at, activeAt)
    tellOf(changes)
    for (const { now } of changes) {
      if (now.landedAt === undefined) continue
      const isFirst = landedAt === undefined
      // The answer of another instance may tell of an earlier effect.
      landedAt = Math.min(landedAt ?? now.landedAt, now.landedAt)
      if (isFirst) tell('landed')
    }
  }

  /** Since when fewer than the quorum have been left. */
  let tooFewSince: number | undefined
  let listing: Promise<void> | undefined
  let listedAt = openedAt
  /** Lists the fleet, not too often: for a rollout, and for instances that went away. */
  function lookAtFleet(everyMs: number): void {
    if (listing !== undefined || clock.now() < listedAt + everyMs) return
    listedAt = clock.now()
    listing = transport
      .list()
      .then(
        (records) => {
          if (status === 'ended') return
          tellOf(noteGone(outcomes, records))
          const why = rollout(records)
          if (why !== undefined && status === 'active') endFor('rollout', why)
        },
        // As with answers, the lease decides.
        () => undefined,
      )
      .finally(() => (listing = undefined))
  }

  /** Adds the reason of a halt, as far as the engine tells it while instances revert. */
  async function askWhy(): Promise<void> {
    const { halt } = await transport.status().catch(() => ({ halt: undefined }))
    if (halt === undefined || halt === '' || ending?.end !== 'halted' || status === 'ended') return
    ending = { ...ending, why: `${lossWords.halted}: ${printable(halt, { max: MAX_REASON })}` }
  }

  /** Opens the run. @throws ChaosError `CHAOS_FLEET_RUN_REFUSED`, or the error of the engine */
  async function open(): Promise<void> {
    let result: OpenResult
    try {
      result = await transport.open(signed, plan, owned.owner)
    } catch (error) {
      // It may have arrived. Nobody renews it, and nobody was told to begin.
      void transport.close(owned, plan).catch(() => undefined)
      throw error
    }
    if (!result.isOpen) throw runRefused(refusalOf(result))
    lease = keepLease({
      transport,
      run: owned,
      leaseMs,
      clock,
      openedAt,
      onLoss(reason) {
        endFor(reason === 'fenced' ? 'lost' : reason, lossWords[reason])
        if (reason === 'halted') void askWhy()
      },
    })
    if (isEnding()) lease.end()
    tell('opened')
  }

  /** Waits until the agents are ready. Nobody is affected meanwhile. @throws ChaosError `CHAOS_FLEET_RUN_REFUSED` if too few are */
  async function prepare(): Promise<void> {
    pace.ask()
    const until = clock.now() + readyWithinMs
    while (!isEnding()) {
      await look()
      const ready = all().filter((one) => one.status === 'ready').length
      const refused = all().filter(isOver)
      if (plan.instances.length - refused.length < quorum)
        throw runRefused(`${refused.length} of ${plan.instances.length} instances refused the plan. ${whysOf(refused)}`)
      const isLate = clock.now() >= until
      if (ready >= quorum && (isLate || ready + refused.length === plan.instances.length)) return
      if (isLate)
        throw runRefused(
          `Only ${ready} of ${plan.instances.length} instances were ready within ${readyWithinMs} ms, and ${quorum} must be. ${whysOf(all().filter((one) => one.status !== 'ready'))}`,
        )
      if (!isEnding()) await pace.pause()
    }
  }

  /** Tells the agents to begin, and waits until those that were ready have. @throws ChaosError `CHAOS_FLEET_RUN_REFUSED` if too few did */
  async function begin(): Promise<void> {
    if (isEnding() || lease === undefined) return
    const begun = all().filter((one) => one.status === 'ready')
    activeAt = clock.now()
    pace.ask()
    if (!(await lease.activate())) return
    // An instant fault is in force until it is done.
    const until = clock.now() + (isInstant ? Math.max(leaseMs, maxDurationMs) : leaseMs)
    const pending = (): readonly InstanceOutcome[] =>
      begun.flatMap(({ id }) => outcomes.get(id) ?? []).filter((one) => one.status === 'ready')
    for (;;) {
      await look()
      if (isEnding()) return
      if (pending().length === 0 || clock.now() >= until) break
      await pace.pause()
    }
    const serving = all().filter(isServing).length
    if (serving < quorum)
      throw runRefused(
        `Only ${serving} of ${plan.instances.length} instances put the fault in force, and ${quorum} must. ${whysOf(all().filter((one) => !isServing(one)))}`,
      )
    pace.rest()
    status = 'active'
    tell('active')
  }

  /** Watches the run until something ends it. */
  async function watch(): Promise<void> {
    while (!isEnding()) {
      await look()
      lookAtFleet(leaseMs)
      decide()
      if (!isEnding()) await pace.pause()
    }
  }

  function decide(): void {
    const applied = all().filter((one) => one.status === 'applied')
    const cutShort = all().filter((one) => one.status === 'reverted' && !endedByItself(one))
    const serving = all().filter(isServing)
    if (cutShort.length > 0 && serving.length < quorum) {
      tooFewSince ??= clock.now()
      // Instances that say so are believed when the next renewals do not tell of a halt or of a closed window.
      const isTold = cutShort.every(({ why }) => why !== 'halted' && why !== 'not-permitted')
      if (isTold || clock.now() >= tooFewSince + 2 * pollMs)
        endFor('too-few', `the fault was cut short in ${cutShort.length} instances: ${whysOf(cutShort)}`)
      return
    }
    if (isInstant) endFor('completed')
    else if (applied.length === 0) {
      const [why, ...others] = new Set(serving.map((one) => one.why))
      endFor(others.length === 0 && why === 'limit-spent' ? why : 'max-duration')
    }
    // An instance that does not answer any more, such as one that was killed, must not keep the run open.
    const dueAt = Math.max(...applied.map((one) => wholeAt(one, maxDurationMs) ?? 0))
    if (!isEnding() && clock.now() >= dueAt + 2 * pollMs) endFor('max-duration')
  }

  /** Closes the run, and waits until every instance is whole: by its own word, or because its lease has ended. */
  async function finish(): Promise<void> {
    const startedAt = clock.now()
    pace.ask()
    status = 'ending'
    lease?.end()
    tell('ending')
    let closedAt: number | undefined
    let closing: Promise<void> | undefined
    const close = (): void => {
      if (closedAt !== undefined || lease === undefined) return
      closing ??= transport
        .close(owned, plan)
        .then(
          () => {
            closedAt = clock.now()
            pace.wake()
          },
          () => undefined,
        )
        .finally(() => (closing = undefined))
    }
    // Nobody was told to begin, so nobody needs to be waited for.
    const isWhole = (one: InstanceOutcome): boolean => {
      if (activeAt === undefined || isOver(one)) return true
      const byItself = wholeAt(one, maxDurationMs) ?? Number.POSITIVE_INFINITY
      // A read that was sent before the run was closed may extend a lease once more, and by no more than a lease.
      return clock.now() >= Math.min(byItself, (closedAt ?? startedAt) + leaseMs)
    }
    for (;;) {
      close()
      if (activeAt === undefined) {
        // One answer of the engine, or a lease, after which it has forgotten the run.
        if (closedAt !== undefined || lease === undefined || clock.now() >= startedAt + leaseMs) break
      } else {
        await look()
        // An instance that confirms nothing may have gone.
        if (!all().every(isWhole)) lookAtFleet(2 * pollMs)
        if (all().every(isWhole) && (closedAt !== undefined || clock.now() >= startedAt + leaseMs)) break
      }
      await pace.pause()
    }
    endedAt = clock.now()
    status = 'ended'
    tell('ended')
  }

  let onStarted: (state: RunState) => void = () => undefined
  let onRefused: (error: unknown) => void = () => undefined
  const started = new Promise<RunState>((resolve, reject) => {
    onStarted = resolve
    onRefused = reject
  })
  // Who waits for `done` alone has not forgotten an error: it is in the state.
  started.catch(() => undefined)

  async function main(): Promise<RunState> {
    const unfollow = transport.onWake(() => pace.wake())
    let refusal: unknown
    try {
      await open()
      await prepare()
      await begin()
      if (status === 'active') onStarted(state())
      await watch()
    } catch (error) {
      refusal = error
      endFor('refused', messageOf(error, { max: 1_000 }))
    }
    await finish()
    unfollow()
    // After `started` has resolved, this has no effect.
    onRefused(refusal ?? notBegun(ending?.end, ending?.why))
    return state()
  }
  const done = main()

  return {
    get state() {
      return state()
    },
    started,
    done,
    stop() {
      endFor('stopped')
      return done
    },
  }
}
