import type { JsonSchema } from '@chaos/core'
import { toJsonSchema } from '@valibot/to-json-schema'
import { portableExperimentSchema } from './experiment.js'

/**
 * The JSON Schema (draft 2020-12) of experiment files, made from the one declaration that also checks them. The package carries it as
 * `@chaos/experiment/experiment.schema.json`.
 */
export function experimentJsonSchema(): JsonSchema {
  // That a number is finite goes without saying in JSON; whether an address or a pattern is one is more than a JSON Schema says.
  const schema = toJsonSchema(portableExperimentSchema, {
    target: 'draft-2020-12',
    typeMode: 'input',
    ignoreActions: ['finite', 'check'],
  }) as Record<string, unknown>
  return { ...schema, title: 'Chaos experiment', description: 'An experiment of @chaos/experiment.' }
}
