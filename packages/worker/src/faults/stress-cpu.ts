import os from 'node:os'
import { ChaosError } from '@chaos/core'
import { defineFault, option, repeat, type OptionsOf } from '@chaos/core/authoring'
import { PERIODS_AHEAD, startStressor, type StressorPlan } from './stressor.js'
import { lastFor } from './last-for.js'

const options = {
  cores: option.optional(option.count('Number of cores to keep busy, at most those of the machine.', 1), 1),
  load: option.optional(option.rate('Share of the time in which each core is busy, 0 to 1.'), 1),
  periodMs: option.optional(option.count('Length of one period, in ms.', 1), 250),
}

/** Options of {@link stressCpu}. */
export type StressCpuOptions = OptionsOf<typeof stressCpu>

/**
 * Keeps cores of the machine busy with separate processes.
 *
 * Models a noisy neighbour: a batch job, a backup, another container on the host. No thread of this process is blocked, but
 * all of them get less CPU time. The CPU time actually used is measured: in `account.cpuMs`, and once per core as evidence.
 *
 * Each core has one stressor process, which every period renews. A stressor pauses if this process stalls for four periods,
 * and exits if this process ends, even by SIGKILL. An operation is one period of one core, named `stress`: at `rate` 0.5
 * the load comes and goes.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if the machine has fewer cores.
 * @see stress-ng's `--cpu` and `--cpu-load`
 */
export const stressCpu = defineFault({
  name: 'worker/stress-cpu',
  kind: 'standing',
  summary: 'Keeps cores of the machine busy with separate processes.',
  options,
  target: {
    expects: "this process (Node's own `process`)",
    accepts: (value) => value === process,
  },
  async inject(_process: NodeJS.Process, { cores, load, periodMs }, context) {
    const available = coresOfMachine()
    if (cores > available)
      throw new ChaosError(
        'CHAOS_TARGET_MISMATCH',
        `Expected \`cores\` of worker/stress-cpu to be at most ${available}, the number of cores of this machine, got \`${cores}\`.`,
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

/** `availableParallelism` is missing before Node.js 18.14. */
const coresOfMachine = (): number =>
  (os as { availableParallelism?: () => number }).availableParallelism?.() ?? os.cpus().length

/** Spins in windows of 50 ms, and reads renewals between them. */
const BURN = `
let isBurning = false, start, before, reportedAt
const taken = () => { const { user, system } = process.cpuUsage(before); return { cpuMs: (user + system) / 1000, overMs: performance.now() - start } }
function onRenewal(forMs) {
  if (isBurning || forMs === 0) return
  isBurning = true
  if (before === undefined) { before = process.cpuUsage(); start = reportedAt = performance.now() }
  burn()
}
function burn() {
  const now = performance.now()
  if (now - reportedAt >= 100 || now >= until) { report(taken()); reportedAt = now }
  if (now >= until) { isBurning = false; return }
  while (performance.now() < now + 50 * settings.load);
  setTimeout(burn, now + 50 - performance.now())
}
`
