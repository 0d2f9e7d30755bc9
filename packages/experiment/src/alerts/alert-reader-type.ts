import { ChaosError, type JsonSchema } from '@chaos/core'
import { unknownName } from '@chaos/core/authoring'
import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { shown } from '../shared/answer.js'
import type { AlertReader } from './reader.js'

/** A kind of alert reader: its options and its constructor. */
export interface AlertReaderType<Options = object> {
  readonly type: string
  /** One sentence. */
  readonly summary: string
  /** JSON Schema of the options. Command-line flags and documentation can be generated from it. */
  readonly options: JsonSchema
  /** Creates a reader. @throws ChaosError `CHAOS_INVALID_OPTION` when an option is unknown or its value is invalid */
  read(options: Options): AlertReader
}

/** The options schema of a reader. Each message completes "Expected `option` to be …". */
type OptionsSchema = v.StrictObjectSchema<v.ObjectEntries, undefined>

/**
 * Checks the options of a reader and fills in their defaults.
 *
 * @param of Name of the function that takes the options, for messages.
 * @throws ChaosError `CHAOS_INVALID_OPTION`
 */
export function optionsOf<Schema extends OptionsSchema>(
  schema: Schema,
  options: v.InferInput<Schema>,
  of: string,
): v.InferOutput<Schema> {
  const known = Object.keys(schema.entries)
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new ChaosError('CHAOS_INVALID_OPTION', unknownName(`option of ${of}`, unknown, known))
  const result = v.safeParse(schema, options)
  if (result.success) return result.output
  const [{ path, message, input, type }] = result.issues
  const name = String(path?.[0].key)
  const isMissing = type === 'strict_object'
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    isMissing
      ? `${of} needs the option \`${name}\`.`
      : `Expected \`${name}\` of ${of} to be ${message}, got \`${shown(String(input))}\`.`,
  )
}

/** Declares a kind of alert reader. One schema validates, types and describes its options. */
export function alertReaderType<Schema extends OptionsSchema>({
  type,
  summary,
  schema,
  read,
}: {
  readonly type: string
  readonly summary: string
  readonly schema: Schema
  readonly read: (options: v.InferInput<Schema>) => AlertReader
}): AlertReaderType<v.InferInput<Schema>> {
  return {
    type,
    summary,
    get options() {
      return { ...toJsonSchema(schema, { target: 'draft-2020-12', typeMode: 'input', ignoreActions: ['check'] }) }
    },
    read,
  }
}
