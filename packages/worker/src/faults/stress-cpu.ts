import os from 'node:os'
import { ChaosError } from '@chaos/core'
import { defineFault, option, repeat, type OptionsOf } from '@chaos/core/authoring'
import { PERIODS_AHEAD, startStressor, type StressorPlan } from './stressor.js'
import { lastFor } from './last-for.js'

const options = {
  cores: option.optional(option.count('How many cores are kept busy, at most those the machine has.', 1), 1),
  load: option.optional(option.rate('Share of the time in which each of them is kept busy, 0 to 1.'), 1),
  periodMs: option.optional(option.count('It is kept up for so long at a time, in ms.', 1), 250),
}

/** Options of {@link stressCpu}. */
export type StressCpuOptions = OptionsOf<typeof stressCpu>

/**
 * Keeps cores of the machine busy, from processes beside this one.
 *
 * Models a noisy neighbour: a batch job, a backup, another container on the host. No thread of this process is blocked; all of them get less
 * of the machine. The CPU time that was really taken is measured: `account.cpuMs`, and once per core as evidence. What keeps a core busy is told
 * to go on by every period: it lets go when this process stalls for four of them, and ends when this process dies, by SIGKILL too. An
 * operation is one period of one core, named `stress`: at `rate` 0.5 it comes and goes.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when the machine has fewer cores
 * @see stress-ng's `--cpu` and `--cpu-load`
 */
export const stressCpu = defineFault({
  name: 'worker/stress-cpu',
  kind: 'standing',
  summary: 'Keeps cores of the machine busy, from processes beside this one.',
  options,
  target: {
    expects: "this process (Node's own `process`), whose machine it is",
    accepts: (value) => value === process,
  },
  async inject(_process: NodeJS.Process, { cores, load, periodMs }, context) {
    const has = coresOfMachine()
    if (cores > has)
      throw new ChaosError(
        'CHAOS_TARGET_MISMATCH',
        `Expected a machine with at least ${cores} cores (\`cores\`), got one with ${has}. Ask for fewer.`,
      )
    const account = context.account('cpuMs')
    const taken = new Map<number, number>()
    const lost = new Set<number>()
    const plan: StressorPlan = {
      code: BURN,
      settings: { load },
      onReport({ cpuMs = 0, overMs }, pid) {
        if (!taken.has(pid)) context.landed({ pid, cpuMs, overMs })
        taken.set(pid, cpuMs)
        account.cpuMs = Math.round([...taken.values()].reduce((sum, ms) => sum + ms, 0))
      },
      onLost(how, pid) {
        lost.add(pid)
        context.landed({ pid, ...how })
      },
    }
    const stressors = await Promise.all(Array.from({ length: cores }, () => startStressor(plan, context)))
    const operation = context.operation('stress')
    repeat(context, periodMs, () => {
      for (const one of stressors) {
        if (lost.has(one.pid)) continue
        const isChosen = operation.shouldInject([one.pid])
        one.press(isChosen ? periodMs * PERIODS_AHEAD : 0)
        if (isChosen) lastFor(context, periodMs)
      }
    })
  },
})

/** Absent before Node.js 18.14. */
const coresOfMachine = (): number =>
  (os as { availableParallelism?: () => number }).availableParallelism?.() ?? os.cpus().length

/** Burns in windows of 50 ms, and hears what it is told between them. */
const BURN = `
let isBurning = false, start, before, toldAt
const taken = () => { const { user, system } = process.cpuUsage(before); return { cpuMs: (user + system) / 1000, overMs: performance.now() - start } }
function onTold(forMs) {
  if (isBurning || forMs === 0) return
  isBurning = true
  if (before === undefined) { before = process.cpuUsage(); start = toldAt = performance.now() }
  burn()
}
function burn() {
  const now = performance.now()
  if (now - toldAt >= 100 || now >= until) { report(taken()); toldAt = now }
  if (now >= until) { isBurning = false; return }
  while (performance.now() < now + 50 * settings.load);
  setTimeout(burn, now + 50 - performance.now())
}
`
