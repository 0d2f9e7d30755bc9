import {
  ChaosError,
  isChaosError,
  inject as coreInject,
  journal,
  withFault as coreWithFault,
  type Fault,
  type Injection,
  type InjectOptions,
  type JournalEntry,
} from '@chaos/core'
import { onAbort, readSafely, systemClock } from '@chaos/core/authoring'
import { explain } from './explanation.js'
import { followHits } from './follow-hits.js'
import { missesOf } from './missed.js'
import { injectionIds } from './injection-ids.js'
import { idOfEntry, noteArmed, noteHit, stackAbove, type Recorded } from './recorded.js'
import { seedOfTests } from './seed.js'
import type { TestChaos, TestChaosOptions, TestInjectOptions, Work } from './test-chaos.js'
import { openTestScope } from './test-scope.js'

/** A test, as its runner knows it. */
export interface RunningTest extends TestChaosOptions {
  /** The names of the suites around the test and its own, outermost first. */
  readonly names: readonly string[]
  /** Returns the command line that runs the test alone again. */
  readonly rerun: (seed: string) => string
}

/** What ends a test, however its faults are injected. */
export interface OpenFaults {
  /** An error for each fault that hit nothing. For a test that has passed so far. */
  readonly misses: () => readonly Error[]
  /** Explains a failure. `undefined`: the test has injected no fault. */
  readonly explanation: () => string | undefined
  /** What the journal says of the faults of the test, oldest entry first. */
  readonly journal: () => readonly JournalEntry[]
  /** Ends the test: rolls back every fault. @returns What failed in that. Calling it again does nothing. */
  readonly end: () => Promise<readonly unknown[]>
}

/** What a runner does with the chaos of a test. */
export interface OpenTestChaos extends OpenFaults {
  readonly chaos: TestChaos
  /** Has the rest of the current call run in the scope of the test, if the test is scoped. */
  readonly enter: () => void
  /** Runs work in the scope of the test, if the test is scoped. */
  readonly run: <Result>(work: () => Result) => Result
}

/** Opens the chaos of one test. All runners use it. */
export function openTestChaos({ names, rerun, scoped = false, clock = systemClock }: RunningTest): OpenTestChaos {
  const seed = seedOfTests()
  const within = openTestScope(names)
  const idOf = injectionIds(within.key)
  const records: Recorded[] = []
  const inForce: Injection[] = []
  /** The injections that are not in force yet. */
  const arming = new Map<AbortController, Promise<void>>()
  const cleanups: (() => void)[] = [within.leave]
  let isOver = false
  if (scoped) within.carry()

  const assertRunning = (): void => {
    if (isOver) throw new ChaosError('CHAOS_INJECTION_ENDED', `The test "${within.scope.path}" has ended. ${AWAIT}`)
  }
  /** Injects a fault by one of the functions of core, which is given the options for it. */
  const arm = async <Result>(
    given: object,
    options: TestInjectOptions,
    calledFrom: string,
    begin: (how: InjectOptions, noteInForce: (injection: Injection) => Promise<void>) => Promise<Result>,
  ): Promise<Result> => {
    const fault = nameOfFault(given)
    assertRunning()
    const { mayMiss: _, id = idOf(fault), signal, ...how } = options
    const made: Recorded = { id, fault, how: options, calledFrom, injection: undefined, hits: [], outside: undefined }
    records.push(made)
    const ending = new AbortController()
    if (signal?.aborted === true) ending.abort(signal.reason)
    else if (signal !== undefined) cleanups.push(onAbort(signal, () => ending.abort(signal.reason)))
    cleanups.push(followHits(id, (hit) => noteHit(made, hit)))
    const inScope: InjectOptions = scoped ? { scope: within.scope } : {}
    const noteOutside: InjectOptions =
      scoped || how.scope !== undefined ? { onOutside: (call) => void (made.outside ??= call) } : {}
    const common = { seed, clock: chaos.clock, ...inScope, ...noteOutside, ...how, id, signal: ending.signal }
    let settle = (): void => undefined
    arming.set(ending, new Promise<void>((resolve) => (settle = resolve)))
    try {
      return await begin(common, async (injection) => {
        noteArmed(made, injection)
        inForce.push(injection)
        if (isOver) await injection.rollback()
        assertRunning()
        arming.delete(ending)
        settle()
      })
    } catch (error) {
      // The frames of core would leave no room for the call that is wrong.
      if (made.injection === undefined && isChaosError(error))
        error.stack = `${error.name}: ${error.message}\n${calledFrom}`
      throw error
    } finally {
      arming.delete(ending)
      settle()
    }
  }

  const chaos: TestChaos = {
    clock,
    seed,
    get scope() {
      within.carry()
      within.enter()
      return within.scope
    },
    inject(fault, target, options = {}) {
      within.enter()
      return arm(fault, options, stackAbove(chaos.inject), async (how, noteInForce) => {
        const injection = await coreInject(fault, target, how)
        await noteInForce(injection)
        return injection
      })
    },
    withFault<Target extends object, Result>(
      fault: Fault<Target>,
      target: Target,
      ...rest: readonly [Work<Result>] | readonly [TestInjectOptions, Work<Result>]
    ): Promise<Result> {
      within.enter()
      const [options, work] = rest.length === 1 ? [{}, rest[0]] : rest
      return arm(fault, options, stackAbove(chaos.withFault), (how, noteInForce) => {
        const noted: Work<Result> = async (injection) => {
          await noteInForce(injection)
          return work(injection)
        }
        // Core refuses work that is no function, and says how to call it.
        return coreWithFault(fault, target, how, typeof work === 'function' ? noted : work)
      })
    },
  }

  return {
    chaos,
    enter: within.enter,
    run: within.run,
    misses: () => missesOf(records),
    journal: () => journal.entries.filter((entry) => records.some(({ id }) => id === idOfEntry(entry))),
    explanation: () => explain(records, { seed, rerun: rerun(seed) }),
    async end() {
      if (isOver) return []
      isOver = true
      const unfinished = [...arming]
      for (const [ending] of unfinished) ending.abort(new Error(`The test "${within.scope.path}" has ended.`))
      // All are marked as ended before the first undo step runs.
      const ended = await Promise.allSettled([...inForce].reverse().map((injection) => injection.rollback()))
      await Promise.all(unfinished.map(([, settled]) => settled))
      for (const cleanup of cleanups) cleanup()
      return ended.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
    },
  }
}

/** The name of what should be a fault. Core refuses what is none. */
function nameOfFault(given: unknown): string {
  const name: unknown = readSafely(() => (given as Fault).name)
  return String(name)
}

const AWAIT = 'Await everything that a test does, so that nothing goes on after its end.'
