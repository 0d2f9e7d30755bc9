import fc from 'fast-check'
import { vi } from 'vitest'

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
