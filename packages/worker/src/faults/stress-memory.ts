import os from 'node:os'
import { ChaosError } from '@chaos/core'
import { defineFault, option, repeat, type OptionsOf } from '@chaos/core/authoring'
import { PERIODS_AHEAD, startStressor } from './stressor.js'
import { lastFor } from './last-for.js'

const options = {
  sizeMb: option.optional(option.count('Memory to hold, in MB.', 1), 256),
  maxMb: option.optional(option.count('Upper bound of `sizeMb`, in MB.', 1), 1_024),
  keepFreeMb: option.optional(option.count('Memory that must stay available to other processes, in MB.'), 256),
  periodMs: option.optional(option.count('Length of one period, in ms.', 1), 250),
}

/** Options of {@link stressMemory}. */
export type StressMemoryOptions = OptionsOf<typeof stressMemory>

/**
 * Holds memory of the machine in a separate process.
 *
 * Models a neighbour that grows: the kernel drops caches and swaps out pages, and allocations get slow. The stressor process
 * writes to the memory that it holds. The memory actually held is measured: in `account.rssMb`, and as evidence.
 *
 * The stressor stops growing before less than `keepFreeMb` would stay available. If memory runs out anyway, the kernel kills
 * the stressor first. Every period renews it: it frees its memory if this process stalls for four periods, and exits if this
 * process ends, even by SIGKILL. An operation is one period, named `stress`: at `rate` 0.5 the memory comes and goes.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `sizeMb` is above `maxMb`, `CHAOS_TARGET_MISMATCH` if the machine or the container has less
 *   than `sizeMb` + `keepFreeMb` available.
 * @see stress-ng's `--vm` and `--vm-keep`
 */
export const stressMemory = defineFault({
  name: 'worker/stress-memory',
  kind: 'standing',
  summary: 'Holds memory of the machine in a separate process.',
  options,
  target: {
    expects: "this process (Node's own `process`)",
    accepts: (value) => value === process,
  },
  check({ sizeMb, maxMb }) {
    if (sizeMb > maxMb)
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `Expected \`sizeMb\` of worker/stress-memory to be at most ${maxMb} (\`maxMb\`), got \`${sizeMb}\`. Raise \`maxMb\` if the machine can spare it.`,
      )
  },
  async inject(_process: NodeJS.Process, { sizeMb, keepFreeMb, periodMs }, context) {
    const available = availableMb()
    if (available < sizeMb + keepFreeMb) {
      throw new ChaosError(
        'CHAOS_TARGET_MISMATCH',
        `Expected at least ${sizeMb + keepFreeMb} MB of available memory (\`sizeMb\` + \`keepFreeMb\`), got ${available} MB. Lower \`sizeMb\` or \`keepFreeMb\`.`,
      )
    }
    const account = context.account('heldMb', 'rssMb')
    let isLost = false
    let hasLanded = false
    const stressor = await startStressor(
      {
        code: HOLD,
        settings: { sizeMb, keepFreeMb },
        onReport({ heldMb = 0, rssMb = 0 }, pid) {
          Object.assign(account, { heldMb, rssMb })
          if (hasLanded || heldMb === 0) return
          hasLanded = true
          context.landed({ pid, heldMb, rssMb })
        },
        onLost(how, pid) {
          isLost = true
          context.landed({ pid, ...how })
        },
      },
      context,
    )
    const operation = context.operation('stress')
    repeat(context, periodMs, () => {
      if (isLost) return
      const isChosen = operation.shouldInject([stressor.pid])
      stressor.press(isChosen ? periodMs * PERIODS_AHEAD : 0)
      if (isChosen) lastFor(context, periodMs)
    })
  },
})

/** The memory available without swapping, in MB: the lesser of machine and container. */
function availableMb(): number {
  const ofContainer = (process as { availableMemory?: () => number }).availableMemory?.() ?? Number.POSITIVE_INFINITY
  return Math.floor(Math.min(os.freemem(), ofContainer) / 2 ** 20)
}

/**
 * Allocates 64 MB at a time, a size that the allocator returns to the kernel as soon as it is freed. Fills it in steps of
 * 8 MB and reads renewals between the steps. Random bytes: the kernel can neither compress nor share them.
 */
const HOLD = `
const { freemem } = require('node:os')
const { randomFillSync } = require('node:crypto')
const MB = 2 ** 20
const held = []
let heldMb = 0, isGrowing = false, timer
const reportHeld = () => report({ heldMb, rssMb: Math.round(process.memoryUsage().rss / MB) })
function onRenewal(forMs) {
  clearTimeout(timer)
  if (forMs === 0) return free()
  const renewedUntil = until
  // Read pending renewals first: if this timer is late, the parent process need not have stalled.
  timer = setTimeout(setImmediate, forMs, () => { if (until === renewedUntil) free() })
  if (!isGrowing && heldMb < settings.sizeMb) { isGrowing = true; grow() }
}
function grow() {
  isGrowing = performance.now() < until
  if (!isGrowing) return
  const stepMb = Math.min(64, settings.sizeMb - heldMb)
  if (stepMb === 0 || freemem() / MB < settings.keepFreeMb + stepMb) { isGrowing = false; return reportHeld() }
  const step = Buffer.allocUnsafeSlow(stepMb * MB)
  held.push(step)
  heldMb += stepMb
  fill(step, 0)
}
function fill(step, from) {
  randomFillSync(step, from, Math.min(8 * MB, step.length - from))
  setImmediate(from + 8 * MB < step.length ? fill : grow, step, from + 8 * MB)
}
function free() {
  if (heldMb === 0) return
  held.length = heldMb = 0
  gc()
  // The second collection frees the memory of the buffers that the first one found. If a renewal came meanwhile, grow() reports.
  setImmediate(() => { gc(); if (heldMb === 0) reportHeld() })
}
`
