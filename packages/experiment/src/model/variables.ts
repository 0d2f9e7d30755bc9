import { ChaosError, listed, suggestion } from '@chaos/core'
import type { Experiment } from './experiment.js'

/** What `${NAME}` in the texts of an experiment stands for. */
export type Variables = Readonly<Record<string, string>>

/** Puts the values of variables into a text. @param onUnknown Told of each name that no variable has, in words. */
export function substituted(text: string, variables: Variables, onUnknown: (message: string) => void): string {
  return text.replace(/\$\{(\w+)\}/g, (whole, name: string) => {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined
    if (value !== undefined) return value
    const known = Object.keys(variables)
    onUnknown(`Expected a variable (${listed(known)}), got \`${name}\`.${suggestion(name, known)}`)
    return whole
  })
}

/**
 * Puts the values of variables into every text of an experiment.
 *
 * @throws ChaosError `CHAOS_INVALID_EXPERIMENT` for a variable that has no value
 */
export function withVariables(experiment: Experiment, variables: Variables): Experiment {
  const problems = new Set<string>()
  const resolved = mapTexts(experiment, (text) => substituted(text, variables, (message) => problems.add(message)))
  if (problems.size > 0) throw new ChaosError('CHAOS_INVALID_EXPERIMENT', [`The experiment "${experiment.title}" is not valid:`, ...[...problems].map((problem) => `  ${problem}`)].join('\n'))
  return resolved as Experiment
}

function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, map))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mapTexts(one, map)]))
}
