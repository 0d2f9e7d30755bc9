import { statSync } from 'node:fs'
import fc from 'fast-check'
import { vi } from 'vitest'
import { failOnResidue } from './vitest.residue.js'

/**
 * Properties draw the same cases in every run, so that a suite is green or red by the code alone; `FC_SEED=<number>` draws others,
 * `FC_SEED=random` new ones each time, and `FC_RUNS=<number>` more of them.
 */
const { FC_SEED: seed = '20251124', FC_RUNS: runs } = process.env
fc.configureGlobal({
  ...(seed === 'random' ? {} : { seed: Number(seed) }),
  ...(runs === undefined ? {} : { numRuns: Number(runs) }),
})

// The runner asks for colours where its own output has them (in CI, or on a terminal): programs that a test starts print plain text everywhere.
delete process.env['FORCE_COLOR']
process.env['NO_COLOR'] = '1'

// Its own default, a second, is a bar on the machine's speed: what waits for an event waits until the test itself is given up.
const { waitFor } = vi
vi.waitFor = (callback, options) =>
  waitFor(callback, { timeout: 45_000, ...(typeof options === 'number' ? { timeout: options } : options) })

// A file before may have removed a folder with sockets. The module loader of Node.js 18 to 22 would take what `fs` saw last for its
// own path, follow no links, and give this file other copies of libraries than the libraries have (nodejs/node#51142).
statSync('.')

failOnResidue()

// A timer that is made in fake time and outlives it never fires. A library that keeps one for the whole process, as undici does, would stand still for all later files.
const { useRealTimers } = vi
vi.useRealTimers = () => {
  const left = vi.isFakeTimers() ? vi.getTimerCount() : 0
  useRealTimers()
  if (left > 0)
    throw new Error(`Expected no timer to outlive fake time, got ${left}. End what waits, or let its time pass.`)
  return vi
}
