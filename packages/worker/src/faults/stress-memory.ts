import os from 'node:os'
import { ChaosError } from '@chaos/core'
import { defineFault, option, repeat, type OptionsOf } from '@chaos/core/authoring'
import { PERIODS_AHEAD, startStressor } from './stressor.js'
import { lastFor } from './last-for.js'

const options = {
  sizeMb: option.optional(option.count('How much memory is held, in MB.', 1), 256),
  maxMb: option.optional(option.count('The hard cap: the most that `sizeMb` may ask for, in MB.', 1), 1_024),
  keepFreeMb: option.optional(option.count('What must stay available to others, in MB.'), 256),
  periodMs: option.optional(option.count('It is held for so long at a time, in ms.', 1), 250),
}

/** Options of {@link stressMemory}. */
export type StressMemoryOptions = OptionsOf<typeof stressMemory>

/**
 * Holds memory of the machine, from a process beside this one.
 *
 * Models a neighbour that grows: caches are dropped, pages swapped out, allocations get slow. The memory is really written to; what the process
 * then holds is measured: `account.rssMb`, and as evidence. It stops growing where less than `keepFreeMb` would stay available, and the kernel is
 * told to end this process first if memory runs out all the same. It is told to go on by every period: it lets go when this process stalls
 * for four of them, and ends when this process dies, by SIGKILL too. An operation is one period, named `stress`: at `rate` 0.5 it comes and goes.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when `sizeMb` is above `maxMb`, `CHAOS_TARGET_MISMATCH` when the machine, or the container, has
 *   less than `sizeMb` and `keepFreeMb` available
 * @see stress-ng's `--vm` and `--vm-keep`
 */
export const stressMemory = defineFault({
  name: 'worker/stress-memory',
  kind: 'standing',
  summary: 'Holds memory of the machine, from a process beside this one.',
  options,
  target: {
    expects: "this process (Node's own `process`), whose machine it is",
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
        `Expected at least ${sizeMb + keepFreeMb} MB to be available (\`sizeMb\` and \`keepFreeMb\`), got ${available}. Ask for less.`,
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

/** What can be had without swapping, of the machine and of the container, in MB. */
function availableMb(): number {
  const ofContainer = (process as { availableMemory?: () => number }).availableMemory?.() ?? Number.POSITIVE_INFINITY
  return Math.floor(Math.min(os.freemem(), ofContainer) / 2 ** 20)
}

/**
 * Grows by 64 MB at a time, which the allocator gives back at once, written to in steps of 8 MB, between which it hears what it is told.
 * Random bytes: neither compressed nor shared by the kernel.
 */
const HOLD = `
const { freemem } = require('node:os')
const { randomFillSync } = require('node:crypto')
const MB = 2 ** 20
const held = []
let heldMb = 0, isGrowing = false, timer
const say = () => report({ heldMb, rssMb: Math.round(process.memoryUsage().rss / MB) })
function onTold(forMs) {
  clearTimeout(timer)
  if (forMs === 0) return letGo()
  const told = until
  // What was told meanwhile is heard first: one that comes late to its own timer has no holder that stalls.
  timer = setTimeout(setImmediate, forMs, () => { if (until === told) letGo() })
  if (!isGrowing && heldMb < settings.sizeMb) { isGrowing = true; grow() }
}
function grow() {
  isGrowing = performance.now() < until
  if (!isGrowing) return
  const stepMb = Math.min(64, settings.sizeMb - heldMb)
  if (stepMb === 0 || freemem() / MB < settings.keepFreeMb + stepMb) { isGrowing = false; return say() }
  const step = Buffer.allocUnsafeSlow(stepMb * MB)
  held.push(step)
  heldMb += stepMb
  fill(step, 0)
}
function fill(step, from) {
  randomFillSync(step, from, Math.min(8 * MB, step.length - from))
  setImmediate(from + 8 * MB < step.length ? fill : grow, step, from + 8 * MB)
}
function letGo() {
  if (heldMb === 0) return
  held.length = heldMb = 0
  gc()
  // A second one frees the memory of what the first one found. Whoever was told to go on by then says it when it has grown.
  setImmediate(() => { gc(); if (heldMb === 0) say() })
}
`
