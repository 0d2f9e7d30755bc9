import type { Experiment } from './experiment.js'

/** Whether nothing is broken: the run shows that nothing is seen where nothing is. */
export function isControlRun({ method }: Pick<Experiment, 'method'>): boolean {
  return !method.some((step) => 'inject' in step)
}
