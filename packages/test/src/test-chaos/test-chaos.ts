import type { Clock, Fault, Injection, InjectOptions, Scope } from '@chaos/core'

/** How a test injects a fault: as for `inject` of `@chaos/core`, and `mayMiss`. */
export interface TestInjectOptions extends InjectOptions {
  /** The source of time. Default: the clock of the test. */
  readonly clock?: Clock
  /** The target's name in messages. Default: the name of the target's class or function. */
  readonly targetName?: string
  /** Whether the test may pass although the fault hits nothing. Default `false`. */
  readonly mayMiss?: boolean
}

/** The work to run while a fault is in force. */
export type Work<Result> = (injection: Injection) => Result | Promise<Result>

/** Runs work while a fault is in force. The options may be left out. */
interface WithFault {
  <Target extends object, Result>(fault: Fault<Target>, target: Target, work: Work<Result>): Promise<Result>
  <Target extends object, Result>(
    fault: Fault<Target>,
    target: Target,
    options: TestInjectOptions,
    work: Work<Result>,
  ): Promise<Result>
}

/** Chaos in one test. Each of its faults is rolled back when the test has ended, in any outcome. */
export interface TestChaos {
  /** Injects a fault until the end of the test. As `inject` of `@chaos/core`, with the seed, the clock and the scope of the test. */
  readonly inject: <Target extends object>(
    fault: Fault<Target>,
    target: Target,
    options?: TestInjectOptions,
  ) => Promise<Injection>
  /** Runs work while a fault is in force. As `withFault` of `@chaos/core`, with the seed, the clock and the scope of the test. */
  readonly withFault: WithFault
  /**
   * The clock of the faults that are injected from now on. Default: the real clock, which fake timers do not affect. Set it to
   * `runnerClock()` to have the fake timers of the test move the delays and leases of its faults.
   */
  clock: Clock
  /** The scope of the test. From its first use on, the work of the test is carried in it. */
  readonly scope: Scope
  /** The seed of random decisions: `CHAOS_SEED`, else one that is drawn once per process. */
  readonly seed: string
}

/** How the faults of a test act. */
export interface TestChaosOptions {
  /**
   * Whether the faults of the test affect only what is done on its behalf. Default: `true` where the runner says that the test is
   * concurrent, else `false`: they act on the whole process, also on a server that was started before the test.
   */
  readonly scoped?: boolean | undefined
  /** See {@link TestChaos.clock}. */
  readonly clock?: Clock | undefined
}
