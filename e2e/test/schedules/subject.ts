import type { Fault, InjectOptions } from '@chaos/core'
import type { Random } from './random.js'

/** A fault with the blast radius that a schedule draws for it. */
export interface Choice {
  readonly fault: Fault<object>
  readonly how: InjectOptions
}

/** One object under a schedule, and what its application does meanwhile. */
export interface Play {
  readonly target: object
  /** The objects that must be as they were, besides the target: its class, objects that it made. */
  readonly others: readonly object[]
  /** A fault that can be in force on the target. */
  readonly choose: (random: Random) => Choice
  /** One step of the application: a call, a new key, a wrapper of its own. It undoes in `dispose` what a comparison would show. */
  readonly act: (random: Random) => void | Promise<void>
  /** Takes back what the application did to itself. Called when every fault has ended, before the comparison. */
  readonly settle?: () => void
  readonly dispose?: () => void | Promise<void>
}

/** A kind of object for schedules. Each has a file of its own in this folder. */
export interface Subject {
  readonly title: string
  readonly begin: (random: Random) => Play | Promise<Play>
}
