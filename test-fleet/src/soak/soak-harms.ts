import { harms, type Harm } from '../harms.js'
import { startLab, type Lab, type LabOptions } from '../lab.js'
import { tryHarm, type Trial } from '../trial.js'
import { spreadOf, type Row } from './results.js'

/** What a trial may take, in ms, before it counts as hung. */
const HUNG_MS = 60_000
/** How often a fleet is made anew for one harm, because a trial has failed. */
const MAX_FAILURES = 3
/** What timers and clocks may differ, in ms. */
const ALLOWANCE_MS = 10

/** Tries these harms on one fleet, each several times. A trial that fails is recorded, and the next one has a new fleet. */
export async function soakHarms(
  options: LabOptions,
  chosen: readonly { readonly harm: Harm; readonly trials: number }[],
  log: (line: string) => void,
): Promise<readonly Row[]> {
  let lab: Lab | undefined
  const rows: Row[] = []
  for (const { harm, trials } of chosen) {
    const done: Trial[] = []
    const failures: string[] = []
    for (let index = 0; index < trials && failures.length < MAX_FAILURES; index += 1) {
      try {
        lab ??= await startLab(options)
        const trial = await inTime(tryHarm(lab, harm, (index + 0.5) / trials))
        done.push(trial)
        const reached = harm.reaches?.(lab).length ?? options.agents
        const reverted = Object.values(trial.whys).reduce((sum, count) => sum + count, 0)
        if (reverted !== reached) failures.push(`Of ${reached} agents that were reached, ${reverted} reverted.`)
      } catch (error) {
        failures.push(String(error).slice(0, 500))
        log(`${harm.name}: a trial failed: ${String(error)}`)
        await lab?.stop().catch(() => undefined)
        lab = undefined
      }
    }
    const row = rowOf(harm, options, done, failures)
    log(JSON.stringify(row))
    rows.push(row)
  }
  await lab?.stop()
  return rows
}

/** The harms that can be done on this machine. */
export const possible = (hasClock: boolean): readonly Harm[] =>
  harms.filter(({ needsClock }) => needsClock !== true || hasClock)

function rowOf(
  harm: Harm,
  { agents, processes, leaseMs }: LabOptions,
  trials: readonly Trial[],
  failures: string[],
): Row {
  const boundMs = harm.boundMs(leaseMs)
  const beyond = trials.map(({ revertedMs, brokenMs, lateMs }) => Math.max(revertedMs, brokenMs) - lateMs - boundMs)
  const wrong = trials.flatMap(({ whys }) => Object.keys(whys)).filter((why) => !harm.whys.test(why))
  return {
    name: harm.name,
    promises: harm.promises,
    agents,
    processes,
    leaseMs,
    trials: trials.length,
    appliedMs: trials.map(({ appliedMs }) => Math.round(appliedMs)),
    asked: spreadOf(trials.map(({ askedMs }) => askedMs)),
    reverted: spreadOf(trials.map(({ revertedMs }) => revertedMs)),
    boundMs,
    beyondMs: Math.max(0, Math.ceil(Math.max(...beyond) - ALLOWANCE_MS)),
    reapplied: trials.reduce((sum, { reapplied }) => sum + reapplied, 0),
    early: trials.filter(({ early }) => early > 0).length,
    failures: [...failures, ...new Set(wrong.map((why) => `An agent reverted for another reason: ${why}`))],
  }
}

function inTime<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`The trial hung for ${HUNG_MS} ms.`)), HUNG_MS)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
