import type { Evidence } from '../evidence/evidence.js'
import type { Experiment } from '../model/experiment.js'
import type { Verdict } from './judge.js'

/** The result of a run: its title, evidence and verdict. */
export interface ExperimentResult {
  readonly title: string
  readonly description: string | undefined
  readonly experiment: Experiment
  readonly evidence: Evidence
  readonly verdict: Verdict
}
