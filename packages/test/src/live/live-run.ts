import { ChaosError, isChaosError, type Clock, type InjectionState } from '@chaos/core'
import { onAbort } from '@chaos/core/authoring'
import { breaks, HOLDS } from '../explore/outcome.js'
import type { Hit, Outcome, Run, Subject } from '../search/model.js'
import { judge, type Invariant } from './invariants.js'
import type { LiveApp, LiveConnection } from './live-app.js'
import type { LiveKind } from './live-kinds.js'
import { injectLive, passedOf, placeOf, pointsOf, type Watch } from './live-plan.js'
import { untilQuiet } from './quiet.js'
import { resultText, type Step } from './step.js'

/** How one run is made. */
export interface LiveSetting {
  readonly app: LiveApp
  readonly kinds: readonly LiveKind[]
  readonly load: Step
  /** How often the load is called, one after the other. */
  readonly times: number
  readonly invariants: readonly Invariant[]
  readonly reset: Step | undefined
  /** The longest time of the load, and of the reset, in ms. */
  readonly deadlineMs: number
  /** The longest time until the invariants hold, in ms. */
  readonly withinMs: number
  /** The app is quiet if it makes no call for this long, in ms. */
  readonly quietMs: number
  readonly clock: Clock
  /** Gives the search up. */
  readonly signal: AbortSignal
}

/** The time that a run takes besides its load, in ms. The lease of what it injects allows for it. */
const AROUND_MS = 30_000
const GONE = 'The app ended, hangs, or closed its control endpoint.'

/** Runs the load under planned faults. */
export function liveSubject(setting: LiveSetting): Subject {
  let last: LiveConnection | undefined
  return async (plan) => {
    const { app, signal, clock, reset } = setting
    signal.throwIfAborted()
    // An app that ended under faults is waited for here: nobody else answers a reset.
    const connection = await app.connection()
    const isBack = last !== undefined && last !== connection
    last = connection
    if (reset !== undefined) await runReset(reset, isBack, setting)
    const startedAt = clock.now()
    const run = await runUnder(connection, plan, setting)
    return { ...run, ms: clock.now() - startedAt }
  }
}

/** The time between two attempts to reset an app that is back, in ms. */
const PAUSE_MS = 200

/** @param isBack Whether the app was started again: it may need a while until it answers. */
async function runReset(reset: Step, isBack: boolean, setting: LiveSetting): Promise<void> {
  const { clock, deadlineMs } = setting
  const endsAt = clock.now() + deadlineMs
  for (;;) {
    const result = await orLate(setting, (signal) => reset.run(signal))
    if (result?.isOk === true) return
    if (!isBack || result === undefined || clock.now() >= endsAt)
      throw new ChaosError(
        'CHAOS_NOT_EXPLORED',
        `The reset \`${reset.text}\` failed: ${result === undefined ? `it took longer than ${deadlineMs} ms` : resultText(result)}`,
      )
    await new Promise<void>((resolve) => void clock.after(PAUSE_MS, resolve))
  }
}

/** What is in force during a run. */
interface Force {
  readonly below: Watch[]
  readonly hits: InjectionState[]
  readonly above: Watch[]
}

async function runUnder(
  connection: LiveConnection,
  plan: readonly Hit[],
  setting: LiveSetting,
): Promise<Omit<Run, 'ms'>> {
  const force: Force = { below: [], hits: [], above: [] }
  const landedIds = new Set<string>()
  const unfollow = connection.follow((entry) => {
    if (entry.type === 'landed') landedIds.add(entry.injection.id)
  })
  const link = { isGone: false }
  void connection.closed.then(() => (link.isGone = true))
  try {
    const order = await arm(connection, plan, force, setting)
    const loaded = await load(setting)
    await untilQuiet(connection, force.above, setting)
    const isHolding = plan.length > 0 && (await connection.injections()).some(({ held }) => held > 0)
    const hits = await stopAll(connection, force.hits)
    // What was held back is let go, and the app goes on.
    if (isHolding) await untilQuiet(connection, force.above, setting)
    const above = await stopWatches(connection, force.above)
    const below = await stopWatches(connection, force.below)
    // Watches above are made in reverse: the kinds of a point are in the order in which they were given.
    const { reached, isCut } = pointsOf([...above].reverse())
    const outcome = isCut
      ? breaks('The load makes more calls than can be told apart. Use a smaller one.')
      : loaded.outcome
    return {
      reached,
      passed: passedOf(below),
      landed: plan.map((hit) => (hits[order.indexOf(hit)]?.affected ?? 0) > 0),
      outcome: outcome.verdict === 'breaks' ? outcome : await afterwards(plan, loaded.failed, setting),
      answer: loaded.answer,
    }
  } catch (error) {
    setting.signal.throwIfAborted()
    if (!link.isGone && !isChaosError(error, 'CHAOS_ENDPOINT_UNREACHABLE')) throw error
    link.isGone = true
    // The next run connects anew.
    await connection.close().catch(() => undefined)
    return {
      reached: [],
      isCut: true,
      passed: [],
      landed: landedBefore(force.hits, landedIds, plan),
      outcome: breaks(GONE),
      answer: '',
    }
  } finally {
    unfollow()
    if (!link.isGone) await stopEverything(connection, force)
  }
}

/** Without an account of the app: the hits that were seen to land, or all, if none was. */
function landedBefore(
  hits: readonly InjectionState[],
  ids: ReadonlySet<string>,
  plan: readonly Hit[],
): readonly boolean[] {
  const order = inOrder(plan)
  const seen = plan.map((hit) => ids.has(hits[order.indexOf(hit)]?.id ?? ''))
  return seen.includes(true) ? seen : plan.map(() => true)
}

/** Later calls are planned last: a hit hides its own call alone from those that count earlier ones. */
const inOrder = (plan: readonly Hit[]): readonly Hit[] =>
  [...plan].sort((one, other) => one.point.call - other.point.call)

/** Puts watches, hits and watches above them in force. The injection made last sees a call first. */
async function arm(
  connection: LiveConnection,
  plan: readonly Hit[],
  force: Force,
  setting: LiveSetting,
): Promise<readonly Hit[]> {
  const { kinds, deadlineMs, times, withinMs } = setting
  const { maxLeaseMs } = await connection.info()
  const leaseMs = Math.min(maxLeaseMs, deadlineMs * (1 + times) + withinMs + AROUND_MS)
  const watch = async (kind: LiveKind): Promise<Watch> => ({
    kind,
    state: await injectLive(connection, kind, { leaseMs, rate: 0, observe: true }, setting),
  })
  for (const kind of kinds) force.below.push(await watch(kind))
  const order = inOrder(plan)
  for (const hit of order) {
    const kind = kinds.find(({ target, name }) => target === hit.point.target && name === hit.kind)
    if (kind === undefined)
      throw new ChaosError('CHAOS_NOT_EXPLORED', `The app has no fault ${hit.kind} of ${hit.point.target}.`)
    force.hits.push(await injectLive(connection, kind, { leaseMs, ...placeOf(hit) }, setting))
  }
  for (const kind of [...kinds].reverse()) force.above.push(await watch(kind))
  return order
}

/** What the load showed. */
interface Loaded {
  readonly outcome: Outcome
  readonly answer: string
  /** How the load failed, if it did. Under faults it may. */
  readonly failed: string | undefined
}

async function load(setting: LiveSetting): Promise<Loaded> {
  const answers: string[] = []
  let failed: string | undefined
  for (let n = 0; n < setting.times; n += 1) {
    const result = await orLate(setting, (signal) => setting.load.run(signal))
    if (result === undefined)
      return {
        outcome: breaks(`The load hangs: it did not end within ${setting.deadlineMs} ms.`),
        answer: answers.join(', '),
        failed,
      }
    answers.push(result.answer)
    if (!result.isOk) failed ??= resultText(result)
  }
  return { outcome: HOLDS, answer: answers.join(', '), failed }
}

/** Judges a run once its faults have ended. */
async function afterwards(plan: readonly Hit[], failed: string | undefined, setting: LiveSetting): Promise<Outcome> {
  if (plan.length === 0 && failed !== undefined) return breaks(`The load fails: ${failed}`)
  return judge(setting.invariants, setting)
}

const LATE = new Error('The work took longer than its deadline.')

/** Does some work, at most until the deadline. `undefined`: it was late, and was given up. */
async function orLate<T>(
  { deadlineMs, clock, signal }: LiveSetting,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const ending = new AbortController()
  const ignore = onAbort(signal, () => ending.abort(signal.reason))
  const cancel = clock.after(deadlineMs, () => {
    ending.abort(LATE)
  })
  try {
    return await work(ending.signal)
  } catch (error) {
    signal.throwIfAborted()
    if (ending.signal.reason === LATE) return undefined
    throw error
  } finally {
    cancel()
    ignore()
  }
}

/** Ends injections, the last first, and returns their final states in the order in which they were made. */
async function stopAll(
  connection: LiveConnection,
  states: readonly InjectionState[],
): Promise<readonly InjectionState[]> {
  const ended: InjectionState[] = []
  for (const { id } of [...states].reverse()) ended.unshift(await connection.stop(id))
  return ended
}

async function stopWatches(connection: LiveConnection, watches: readonly Watch[]): Promise<readonly Watch[]> {
  const states = await stopAll(
    connection,
    watches.map(({ state }) => state),
  )
  return watches.map(({ kind }, n) => ({ kind, state: states[n] as InjectionState }))
}

/** Ends what an error has left in force. Ending what has ended has no effect. */
async function stopEverything(connection: LiveConnection, { above, hits, below }: Force): Promise<void> {
  const states = [...below.map(({ state }) => state), ...hits, ...above.map(({ state }) => state)].reverse()
  const results = await Promise.allSettled(states.map(({ id }) => connection.stop(id)))
  const failed = results.find(
    (result): result is PromiseRejectedResult =>
      result.status === 'rejected' && isChaosError(result.reason, 'CHAOS_ROLLBACK_FAILED'),
  )
  if (failed !== undefined) throw failed.reason
}
