import { ChaosError } from '@chaos/core'
import type { KnownPlan } from '../known-plan.js'
import { isRunView } from '../records.js'
import type { Snapshot } from '../transport.js'

/**
 * Reads the answer of the script of agents. A run that makes no sense counts as none.
 *
 * @param plan The plan that Redis left out if it belongs to the run.
 * @throws ChaosError `CHAOS_FLEET_UNREACHABLE` if the answer makes no sense as a whole.
 */
export function snapshotOf(answer: unknown, plan: KnownPlan | undefined): Snapshot {
  if (!Array.isArray(answer) || !Number.isSafeInteger(Number(answer[1])))
    throw new ChaosError('CHAOS_FLEET_UNREACHABLE', 'What answered in the place of Redis gave an answer that is none.')
  const [permitted, epoch, id, phase, runEpoch, beat, remainingMs, text, keyId, signature] =
    answer as readonly unknown[]
  const run = {
    id,
    phase,
    epoch: Number(runEpoch),
    beat: Number(beat),
    remainingMs: Number(remainingMs),
    signed: id === plan?.runId && text === undefined ? plan?.signed : { text, keyId, signature },
  }
  return { isPermitted: Number(permitted) === 1, epoch: Number(epoch), run: isRunView(run) ? run : undefined }
}
