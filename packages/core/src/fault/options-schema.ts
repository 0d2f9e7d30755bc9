import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { ChaosError } from '../basics/errors.js'
import type { JsonSchema } from './catalog.js'
import { portablePart, schemaOf, type OptionEntries } from './option.js'
import type { InputOf, OutputOf, StandardSchemaV1 } from './standard-schema.js'

const ENTRIES = Symbol('options by name')

/** The options that may be left out on one side of the check. */
type Optional<E extends OptionEntries, Side extends 'input' | 'output'> = {
  [K in keyof E]: undefined extends SideOf<E[K], Side> ? K : never
}[keyof E]
type SideOf<S extends StandardSchemaV1, Side extends 'input' | 'output'> = Side extends 'input'
  ? InputOf<S>
  : OutputOf<S>
type ObjectOf<E extends OptionEntries, Side extends 'input' | 'output'> = Flat<
  { readonly [K in Exclude<keyof E, Optional<E, Side>>]: SideOf<E[K], Side> } & {
    readonly [K in Optional<E, Side>]?: SideOf<E[K], Side>
  }
>
type Flat<T> = { [K in keyof T]: T[K] } & {}

/** A schema of options, made by {@link optionsSchema}. */
export interface OptionsSchema<E extends OptionEntries = OptionEntries> extends StandardSchemaV1<
  ObjectOf<E, 'input'>,
  ObjectOf<E, 'output'>
> {
  readonly [ENTRIES]: E
}

/** How options are declared: by name, or by a schema of any library that implements Standard Schema. */
export type OptionsDeclaration = OptionEntries | StandardSchemaV1

/** What a user may pass for options that were declared so. */
export type OptionsInput<D> = D extends StandardSchemaV1
  ? InputOf<D>
  : D extends OptionEntries
    ? ObjectOf<D, 'input'>
    : never
/** What a fault gets: defaults filled in. */
export type OptionsOutput<D> = D extends StandardSchemaV1
  ? OutputOf<D>
  : D extends OptionEntries
    ? ObjectOf<D, 'output'>
    : never

/** Declares the options of something other than a fault; a fault takes the entries themselves. */
export function optionsSchema<const E extends OptionEntries>(entries: E): OptionsSchema<E> {
  for (const [name, one] of Object.entries(entries)) assertOurs(name, one)
  const schema = v.strictObject(Object.fromEntries(Object.entries(entries).map(([name, one]) => [name, schemaOf(one)])))
  return Object.assign(schema, { [ENTRIES]: entries }) as unknown as OptionsSchema<E>
}

/** An option of another library has no JSON Schema, and a message of its own language. */
function assertOurs(name: string, one: StandardSchemaV1): void {
  if (one['~standard'].vendor === 'valibot') return
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `Declare the option \`${name}\` with \`option\` of @chaos/core/authoring. A schema of another library can stand for all options of a fault together, with \`jsonSchema\` beside it.`,
  )
}

/** The entries of a schema that {@link optionsSchema} made; `undefined` for one of another library. */
export function entriesOf(schema: StandardSchemaV1): OptionEntries | undefined {
  return ENTRIES in schema ? (schema[ENTRIES] as OptionEntries) : undefined
}

const isSchema = (declaration: OptionsDeclaration): declaration is StandardSchemaV1 => '~standard' in declaration

/** The schema of a declaration. */
export function schemaOfDeclaration(declaration: OptionsDeclaration): StandardSchemaV1 {
  return isSchema(declaration) ? declaration : optionsSchema(declaration)
}

/** Whether a call must give the option. */
export const isRequired = (entry: StandardSchemaV1): boolean => schemaOf(entry).type !== 'optional'

/**
 * The JSON Schema of a schema's portable options: those that JSON can carry.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for a schema of another library that does not know its own JSON Schema.
 */
export function jsonSchemaOf(schema: StandardSchemaV1): JsonSchema {
  return describedBy(schema)()
}

/** The same for later: most programs that load a fault never ask for it, and making it takes longer than the rest of the declaration. */
export function describedBy(schema: StandardSchemaV1, declared?: JsonSchema): () => JsonSchema {
  if (declared !== undefined) return () => declared
  const entries = entriesOf(schema)
  if (entries === undefined)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      'The options are declared with the schema of another library, which has no JSON Schema. Pass the JSON Schema of the portable options as `jsonSchema`.',
    )
  let made: JsonSchema | undefined
  return () => (made ??= portableJsonSchema(entries))
}

function portableJsonSchema(entries: OptionEntries): JsonSchema {
  const portable = Object.entries(entries).flatMap(([name, one]) => {
    const part = portablePart(one)
    return part === undefined ? [] : [[name, part] as const]
  })
  const { $schema: _dialect, ...made } = toJsonSchema(v.strictObject(Object.fromEntries(portable)), {
    typeMode: 'input',
    ignoreActions: ['check'],
  }) as Record<string, unknown>
  return made
}
