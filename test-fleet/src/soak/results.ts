/** The best, the median and the worst of some times, in ms. */
export interface Spread {
  readonly best: number
  readonly median: number
  readonly worst: number
}

/** What the trials of one harm have shown. */
export interface Row {
  readonly name: string
  readonly promises: string
  readonly agents: number
  readonly processes: number
  readonly leaseMs: number
  readonly trials: number
  /** From the publication of the plan until the last instance was affected, in each trial. */
  readonly appliedMs: readonly number[]
  /** From the call of the controller until then. */
  readonly asked: Spread | undefined
  /** From the harm until the last instance that it reaches was whole. */
  readonly reverted: Spread | undefined
  /** The promised time of that, in ms. */
  readonly boundMs: number | undefined
  /** The most by which a trial was beyond it, without the lateness of the event loops of that trial, in ms. */
  readonly beyondMs: number | undefined
  readonly reapplied: number
  /** The trials in which instances had reverted before the harm. */
  readonly early: number
  /** Why the trials that are not counted have failed, and what they showed. */
  readonly failures: readonly string[]
}

/** What must be so. */
export interface Bar {
  readonly name: string
  readonly limit: string
  readonly got: string
  readonly isHeld: boolean
}

export interface Results {
  readonly machine: Readonly<Record<string, string>>
  readonly form: 'quick' | 'whole'
  readonly tookS: number
  readonly rows: readonly Row[]
  readonly bars: readonly Bar[]
  /** What could not be tried on this machine. */
  readonly untried: readonly string[]
}

/** The spread of some times; `undefined` of none. */
export function spreadOf(times: readonly number[]): Spread | undefined {
  const sorted = [...times].sort((a, b) => a - b)
  const [best, worst] = [sorted[0], sorted.at(-1)]
  const median = sorted[Math.floor(sorted.length / 2)]
  if (best === undefined || worst === undefined || median === undefined) return undefined
  return { best: Math.round(best), median: Math.round(median), worst: Math.round(worst) }
}
