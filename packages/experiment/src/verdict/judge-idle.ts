import type { Experiment } from '../model/experiment.js'
import { probeTypeOf, type Probe } from '../probes/probe-types.js'
import type { Evidence, Marks } from '../evidence/evidence.js'

/**
 * Why a probe that needs events shows nothing: after the method had begun, or after recovery, every reading was idle
 * and took its value from `emptyIs`. `undefined`: every such probe measured something.
 */
export function idleProblem(
  { steadyState, guardrails }: Experiment,
  { curves, guards, methodAt = 0 }: Evidence,
  { t5 }: Marks,
): string | undefined {
  for (const [probes, logs] of [
    [steadyState.probes, curves],
    [guardrails, guards],
  ] as const) {
    for (const { name } of probes.filter(needsEvents)) {
      const told = logs.find(({ probe }) => probe === name)?.samples.filter(({ quality }) => quality !== 'none') ?? []
      for (const [since, words] of [
        [methodAt, 'the method had begun'],
        [t5?.at, 'the system had recovered'],
      ] as const) {
        const later = since === undefined ? [] : told.filter(({ at }) => at >= since)
        if (later.length > 0 && later.every(({ quality }) => quality === 'idle'))
          return `${name} measured nothing: every reading after ${words} was empty, and \`emptyIs\` stood for all of them.`
      }
    }
  }
  return undefined
}

const needsEvents = (probe: Probe): boolean => probeTypeOf(probe).needsEvents?.(probe) === true
