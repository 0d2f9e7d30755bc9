import { ChaosError } from '@chaos/core'
import { unknownName } from '@chaos/core/authoring'
import { shown } from '../shared/answer.js'
import { defineExperiment } from './define.js'
import type { Experiment, ExperimentInput } from './experiment.js'

/** What `${NAME}` in the texts of an experiment stands for. */
export type Variables = Readonly<Record<string, string>>

/** Longest text that is filled in, and longest value of a variable, in characters. */
const MAX_TEXT = 10_000

/** Puts the values of variables into a text; one that is too long for an experiment stays as it is. @param onUnknown Told of each name that no variable has, in words. */
export function substituted(text: string, variables: Variables, onUnknown: (message: string) => void): string {
  if (text.length > MAX_TEXT) return text
  return text.replace(/\$\{(\w+)\}/g, (whole, name: string) => {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined
    if (value !== undefined && value.length <= MAX_TEXT) return value
    const known = Object.keys(variables)
    onUnknown(
      value === undefined
        ? unknownName('variable', shown(name), known)
        : `Expected variables of at most ${MAX_TEXT} characters, got \`${name}\` with ${value.length}.`,
    )
    return whole
  })
}

/**
 * Puts the values of variables into every text of an experiment, and checks the result again: an address or a pattern may be none with its values.
 *
 * @throws ChaosError `CHAOS_INVALID_EXPERIMENT` for a variable that has no value, and for what is not valid with the values
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
