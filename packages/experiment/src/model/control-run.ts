import type { Experiment } from './experiment.js'

/**
 * Whether an experiment is a control run, which injects no fault. A control run shows that probes and alerts stay quiet
 * in a healthy system.
 */
export function isControlRun({ method }: Pick<Experiment, 'method'>): boolean {
  return !method.some((step) => 'inject' in step)
}
