import { do_not_optimize } from 'mitata'
import type * as batches from './batch.js'
import type { Run } from './batch.js'
import { loadCopy, type Side } from './load-copy.js'
import { median, shuffled } from './statistics.js'

/** What is called: a module in `targets/`, loaded once for each side. */
export interface TargetModule<Target = never> {
  /** Makes the target, its class or functions included. */
  readonly make: (parameter: number) => Target | Promise<Target>
  /** How it is called, once. */
  readonly use: (target: Target) => Run
  readonly isAsync: boolean
  readonly dispose?: (target: Target) => void | Promise<void>
}

/** A bare call, and the same call on a target to which something was done. */
export interface Comparison {
  /** Name of the module in `targets/`. */
  readonly target: string
  /** Passed to `make`. Default 1. */
  readonly parameter?: number
  /** Does it. @returns What is called instead of the target. */
  readonly prepare?: (target: never) => unknown
  /** Done before each slice of the subject, and taken back after it: for what is not in the target but in the process. */
  readonly around?: () => Promise<() => Promise<void>>
}

/** What a process has measured, one value a round. */
export interface Readings {
  readonly values: readonly number[]
  /** Of a comparison: what the bare call takes, and how much the subject takes more. */
  readonly bareNs?: readonly number[]
  readonly addedNs?: readonly number[]
}

const NS_PER_MS = 1_000_000
const now = (): number => performance.now() * NS_PER_MS
/** One timed stretch of calls: long beside the resolution of the clock, short beside what disturbs a machine. */
const BATCH_MS = 0.5
/** A subject is called as often as the bare call, unless that would take far longer. */
const LONGEST_BATCH_MS = 16 * BATCH_MS
/** A slice is a few batches, of which the median counts. */
const SLICE_MS = 2
const MIN_BATCHES = 3
/** Until the optimising compiler has had its say. */
const WARM_UP_MS = 120
const SLICES_PER_ROUND = 3

/** Compares a call with the bare one: in each round both are measured several times, in random order, and the ratio of their medians is one reading. */
export async function compare(
  { target, parameter = 1, prepare, around }: Comparison,
  rounds: number,
): Promise<Readings> {
  const bare = await sideOf('bare', target, parameter)
  const subject = await sideOf('subject', target, parameter, prepare)
  const times = await timesWithin(BATCH_MS, bare)
  const subjectTimes = await timesWithin(LONGEST_BATCH_MS, subject, times)
  const sliceOf = {
    // Coming and going disturbs caches: the bare call has it behind it too, and the first slice after it does not count.
    bare: async () => {
      if (around !== undefined) {
        await (
          await around()
        )()
        await slice(bare, times)
      }
      return slice(bare, times)
    },
    subject: async () => {
      if (around === undefined) return slice(subject, subjectTimes)
      const leave = await around()
      await slice(subject, subjectTimes)
      const time = await slice(subject, subjectTimes)
      await leave()
      return time
    },
  }
  for (const side of ['bare', 'subject'] as const)
    for (const start = performance.now(); performance.now() - start < WARM_UP_MS;) await sliceOf[side]()

  const values: number[] = []
  const bareNs: number[] = []
  const addedNs: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const spent = { bare: [] as number[], subject: [] as number[] }
    for (const side of shuffled(Array.from({ length: SLICES_PER_ROUND }, () => ['bare', 'subject'] as const).flat()))
      spent[side].push(await sliceOf[side]())
    const ours = median(spent.subject)
    const theirs = median(spent.bare)
    values.push(ours / theirs)
    bareNs.push(theirs)
    addedNs.push(ours - theirs)
  }
  await subject.dispose()
  await bare.dispose()
  return { values, bareNs, addedNs }
}

interface Prepared {
  readonly runBatch: (times: number) => unknown
  readonly dispose: () => Promise<void>
}

async function sideOf(
  side: Side,
  name: string,
  parameter: number,
  prepare: Comparison['prepare'] = (target) => target,
): Promise<Prepared> {
  const { make, use, isAsync, dispose } = (await loadCopy(`targets/${name}`, side)) as TargetModule
  const { batch, asyncBatch } = (await loadCopy('runner/batch', side)) as typeof batches
  const target = await make(parameter)
  const run = use((await prepare(target)) as never)
  const runBatch = isAsync
    ? (times: number) => asyncBatch(run, times).then(do_not_optimize)
    : (times: number) => do_not_optimize(batch(run, times))
  return { runBatch, dispose: async () => dispose?.(target) }
}

/** How many calls take so long, but no more than `most`. */
async function timesWithin(ms: number, { runBatch }: Prepared, most = Infinity): Promise<number> {
  for (let times = 1; ; times *= 2) {
    if (times >= most) return most
    const start = performance.now()
    await runBatch(times)
    if (performance.now() - start >= ms) return times
  }
}

/** Time of one call, in ns: the median of the batches of a slice. */
async function slice({ runBatch }: Prepared, times: number): Promise<number> {
  const spent: number[] = []
  for (const end = now() + SLICE_MS * NS_PER_MS; spent.length < MIN_BATCHES || now() < end;) {
    const start = now()
    await runBatch(times)
    spent.push(now() - start)
  }
  return median(spent) / times
}
