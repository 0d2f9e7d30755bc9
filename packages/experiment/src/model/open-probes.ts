import type { Clock } from '@chaos/core'
import { systemClock } from '@chaos/core/authoring'
import { probeReader, toleranceOf, type ProbeReader } from '../probes/read.js'
import { boundsInWords } from '../probes/tolerance.js'
import { defineExperiment } from './define.js'
import type { ExperimentInput } from './experiment.js'

/** A probe that is read outside an experiment. */
export interface OpenProbe {
  readonly name: string
  /** Its bounds as text: `≤ 5 orders`. */
  readonly bounds: string
  /** Reads it once. Never rejects: no data is a reading that is not good. */
  readonly read: ProbeReader
}

/**
 * Checks probes as an experiment's are checked, to read them outside an experiment.
 *
 * @throws ChaosError `CHAOS_INVALID_EXPERIMENT` when a probe is invalid. The message lists up to 50 problems.
 */
export function openProbes(
  probes: ExperimentInput['steadyState']['probes'],
  clock: Clock = systemClock,
): readonly OpenProbe[] {
  const { steadyState } = defineExperiment({ title: 'probes', steadyState: { probes }, method: [{ waitMs: 1 }] })
  return steadyState.probes.map((probe) => ({
    name: probe.name,
    bounds: boundsInWords(toleranceOf(probe), probe.unit),
    read: probeReader(probe, clock),
  }))
}
