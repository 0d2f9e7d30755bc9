import { ChaosError } from '@chaos/core'
import { unknownName } from '@chaos/core/authoring'
import { shown } from '../shared/answer.js'
import { defineExperiment } from './define.js'
import type { Experiment, ExperimentInput } from './experiment.js'

/** Values of `${NAME}` in the texts of an experiment, by name. */
export type Variables = Readonly<Record<string, string>>

/** The longest text in which variables are substituted, and the longest value of a variable, in characters. */
const MAX_TEXT = 10_000

/**
 * Substitutes variables in a text. A text that is too long for an experiment stays as it is.
 *
 * @param onUnknown Receives a message for each unknown variable.
 */
export function substituted(text: string, variables: Variables, onUnknown: (message: string) => void): string {
  if (text.length > MAX_TEXT) return text
  return text.replace(/\$\{(\w+)\}/g, (whole, name: string) => {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined
    if (value !== undefined && value.length <= MAX_TEXT) return value
    const known = Object.keys(variables)
    onUnknown(
      value === undefined
        ? unknownName('variable', shown(name), known)
        : `The value of variable "${name}" has ${value.length} characters, more than ${MAX_TEXT}.`,
    )
    return whole
  })
}

/**
 * Substitutes variables in every text of an experiment and validates the result, since a substituted address or pattern
 * may be invalid.
 *
 * @throws ChaosError `CHAOS_INVALID_EXPERIMENT` when a variable has no value or the result is invalid
 */
export function withVariables(experiment: Experiment, variables: Variables): Experiment {
  const problems = new Set<string>()
  const resolved = mapTexts(experiment, (text) => substituted(text, variables, (message) => problems.add(message)))
  if (problems.size > 0)
    throw new ChaosError(
      'CHAOS_INVALID_EXPERIMENT',
      [`The experiment "${experiment.title}" is not valid:`, ...[...problems].map((problem) => `  ${problem}`)].join(
        '\n',
      ),
    )
  return defineExperiment(resolved as ExperimentInput)
}

function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, map))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mapTexts(one, map)]))
}
