import type { JsonSchema } from '@chaos/core'
import { toJsonSchema } from '@valibot/to-json-schema'
import { publishedBy } from './core-options.js'
import { portableExperimentSchema } from './experiment.js'

/**
 * The JSON Schema (draft 2020-12) of experiment files, generated from the declaration that also validates them. The
 * package publishes it as `@chaos/experiment/experiment.schema.json`.
 */
export function experimentJsonSchema(): JsonSchema {
  // JSON numbers are always finite, and JSON Schema cannot check addresses and patterns. These checks are left out.
  const schema = toJsonSchema(portableExperimentSchema, {
    target: 'draft-2020-12',
    typeMode: 'input',
    ignoreActions: ['finite', 'check'],
    overrideSchema: ({ valibotSchema, jsonSchema }) => publishedBy(valibotSchema) ?? jsonSchema,
  }) as Record<string, unknown>
  return { ...schema, title: 'Chaos experiment', description: 'A chaos experiment for @chaos/experiment.' }
}
