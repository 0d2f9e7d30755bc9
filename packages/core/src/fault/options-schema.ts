import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { ChaosError } from '../basics/errors.js'
import type { JsonSchema } from './catalog.js'
import { portablePart, schemaOf, setPortablePart, type OptionEntries } from './option.js'
import type { InputOf, OutputOf, StandardSchemaV1 } from './standard-schema.js'

const ENTRIES = Symbol('options by name')

/** The options that may be left out, before or after the check. */
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

/** A declaration of options: entries by name, or a schema of any library that implements Standard Schema. */
export type OptionsDeclaration = OptionEntries | StandardSchemaV1

/** The options that a user may pass for a declaration. */
export type OptionsInput<D> = D extends StandardSchemaV1
  ? InputOf<D>
  : D extends OptionEntries
    ? ObjectOf<D, 'input'>
    : never
/** The options that a fault receives: defaults are filled in. */
export type OptionsOutput<D> = D extends StandardSchemaV1
  ? OutputOf<D>
  : D extends OptionEntries
    ? ObjectOf<D, 'output'>
    : never

/**
 * Declares the options of something other than a fault. {@link defineFault} takes the entries themselves.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if an entry is not made with {@link option}.
 */
export function optionsSchema<const E extends OptionEntries>(entries: E): OptionsSchema<E> {
  for (const [name, one] of Object.entries(entries)) assertMadeWithOption(name, one)
  const schema = v.strictObject(Object.fromEntries(Object.entries(entries).map(([name, one]) => [name, schemaOf(one)])))
  const made = Object.assign(schema, { [ENTRIES]: entries }) as unknown as OptionsSchema<E>
  // Options may be an option of others, such as the entries of a list.
  if (Object.values(entries).some((one) => portablePart(one) !== schemaOf(one)))
    setPortablePart(made, v.strictObject(portableEntries(entries)))
  return made
}

/** Another library's schema has no JSON Schema, and its messages do not fit ours. */
function assertMadeWithOption(name: string, one: StandardSchemaV1): void {
  if (one['~standard'].vendor === 'valibot') return
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `Declare the option "${name}" with \`option\` of @chaos/core/authoring. A schema of another library can only declare all options of a fault together, and needs \`jsonSchema\` beside it.`,
  )
}

/** The entries of a schema made by {@link optionsSchema}; `undefined` for a schema of another library. */
export function entriesOf(schema: StandardSchemaV1): OptionEntries | undefined {
  return ENTRIES in schema ? (schema[ENTRIES] as OptionEntries) : undefined
}

const isSchema = (declaration: OptionsDeclaration): declaration is StandardSchemaV1 => '~standard' in declaration

export function schemaOfDeclaration(declaration: OptionsDeclaration): StandardSchemaV1 {
  return isSchema(declaration) ? declaration : optionsSchema(declaration)
}

/** Whether callers must pass the option. */
export const isRequired = (entry: StandardSchemaV1): boolean => schemaOf(entry).type !== 'optional'

/**
 * Returns the JSON Schema of the portable options, those that JSON can carry.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for a schema of another library.
 */
export function jsonSchemaOf(schema: StandardSchemaV1): JsonSchema {
  return describedBy(schema)()
}

/** Makes the JSON Schema on demand: most programs never ask for it, and it costs more than the rest of the declaration. */
export function describedBy(schema: StandardSchemaV1, declared?: JsonSchema): () => JsonSchema {
  if (declared !== undefined) return () => declared
  const entries = entriesOf(schema)
  if (entries === undefined)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      'The options are declared with a schema of another library. Pass the JSON Schema of the portable options as `jsonSchema`.',
    )
  let made: JsonSchema | undefined
  return () => (made ??= portableJsonSchema(entries))
}

/** The schemas of what JSON can carry of options, by name. */
function portableEntries(entries: OptionEntries): Record<string, ReturnType<typeof schemaOf>> {
  const portable = Object.entries(entries).flatMap(([name, one]) => {
    const part = portablePart(one)
    return part === undefined ? [] : [[name, part] as const]
  })
  return Object.fromEntries(portable)
}

function portableJsonSchema(entries: OptionEntries): JsonSchema {
  const { $schema: _dialect, ...made } = toJsonSchema(v.strictObject(portableEntries(entries)), {
    typeMode: 'input',
    ignoreActions: ['check'],
  }) as Record<string, unknown>
  return made
}
