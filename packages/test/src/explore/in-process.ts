import { needScopes } from '@chaos/core/authoring'
import { takeProcessErrors } from '../oracles/process-errors.js'
import { kindsOf } from './kinds.js'
import type { Checked, ExploredTest, TargetMap } from './options.js'
import type { Surroundings } from './run-once.js'
import { assertFit } from './watch.js'

/** Prepares the process for runs of a test, and puts it back. */
export async function inProcess<Result>(
  options: Checked,
  test: ExploredTest<TargetMap>,
  work: (around: Surroundings) => Promise<Result>,
): Promise<Result> {
  const leaveScopes = needScopes()
  const errors = takeProcessErrors()
  try {
    await options.reset?.()
    const targets = typeof options.targets === 'function' ? await options.targets() : options.targets
    const kinds = kindsOf(options, Object.keys(targets))
    await assertFit(kinds, { targets, clock: options.clock, keyOf: options.keyOf })
    return await work({ options, kinds, test, errors })
  } finally {
    errors.stop()
    leaveScopes()
  }
}
