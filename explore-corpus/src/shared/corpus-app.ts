import type { Clock, Fault } from '@chaos/core'

/** One fault at one call, or from one call on. */
export interface KnownHit {
  /** The scope of the call within the scope of the run. Default: the scope of the run itself. */
  readonly scope?: string
  readonly target: string
  readonly operation: string
  /** The number of the call among those of its operation in its scope. */
  readonly call: number
  /** `always`: this call and all later ones. Default: this call alone. */
  readonly times?: 'always'
  /** The name of the fault. */
  readonly fault: string
}

/** A planted bug. */
interface PlantedBug {
  /** What is wrong with the code. */
  readonly story: string
  /** A set of hits that reveals the bug and from which none can be taken. There may be others. */
  readonly revealedBy: readonly KnownHit[]
}

/** An app as it runs in a test: with some of its bugs, or none. */
export interface RunningApp {
  /** What can be broken. */
  readonly targets: Readonly<Record<string, object>>
  /** The faults for each target. */
  readonly faults: Readonly<Record<string, readonly Fault<object>[]>>
  /** The time of the app, for the faults. */
  readonly clock: Clock
  /** Uses the app, as an ordinary test does, and asserts what must be true in any case. */
  readonly body: () => Promise<void>
  /** Forgets what earlier runs have done. */
  readonly reset: () => void
  /** Ends what the app has started, such as threads. It starts again what it needs. */
  readonly close?: () => void
}

/** A {@link RunningApp} as an app writes it: the compiler checks that each fault fits its target. */
export interface RunningAppOf<Targets extends Readonly<Record<string, object>>> extends Omit<RunningApp, 'faults'> {
  readonly targets: Targets
  readonly faults: { readonly [Name in keyof Targets]?: readonly Fault<Targets[Name]>[] }
}

/** Declares an app as it runs. */
export function runningApp<Targets extends Readonly<Record<string, object>>>(app: RunningAppOf<Targets>): RunningApp {
  return app as unknown as RunningApp
}

/** An app of the corpus. */
export interface CorpusApp<Bug extends string = string> {
  readonly name: string
  readonly bugs: Readonly<Record<Bug, PlantedBug>>
  readonly make: (bugs: ReadonlySet<Bug>) => RunningApp
}

/** Declares an app. */
export function corpusApp<Bug extends string>(app: CorpusApp<Bug>): CorpusApp {
  // The names of bugs are checked where an app is written. Who runs all apps takes the names from `bugs`.
  return app as unknown as CorpusApp
}
