import type { VerdictName } from '@chaos/experiment'
import type { Stage } from './stage.js'

/** The experiments of the sample app. */
export type ExperimentName =
  | 'no-fault'
  | 'worker'
  | 'worker-crash-loop'
  | 'eventbus'
  | 'adapter'
  | 'adapter-one-in-five'

/** How a run came out: its verdict, or that it was refused before anything was broken. */
export type Outcome = VerdictName | 'refused' | 'report-not-written'

/** One way to blind a run, or to hide a sickness from it. */
export interface Sabotage {
  readonly name: string
  /** What is wrong, for the table. */
  readonly title: string
  readonly experiment: ExperimentName
  /** What the run may come to. Never `pass`. */
  readonly expected: readonly Exclude<Outcome, 'pass'>[]
  /** What the cause, or the refusal, has to name. */
  readonly cause?: RegExp
  /** Sabotage inside of the app, by name; see `in-app/`. */
  readonly inApp?: string
  /** Whether it measures the machine, so that no other run may be beside it. */
  readonly isAlone?: boolean
  /** Sets the stage: environment, rules, proxies. Nothing runs yet. */
  readonly prepare?: (stage: Stage) => void | Promise<void>
  /** Does its part during the run: the app and its load run, and the command is about to start. */
  readonly act?: (stage: Stage) => void | Promise<void>
}

/** A run of a correct app under circumstances that must not count against it. */
export interface Healthy extends Omit<Sabotage, 'expected'> {
  readonly expected: readonly Outcome[]
  /** Whether the marks are held against the moments at which the app itself saw the fault land and end. */
  readonly hasTrueMarks?: boolean
}
