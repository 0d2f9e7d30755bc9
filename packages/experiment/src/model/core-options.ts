import { jsonSchemaOf, optionsSchema, type OptionEntries, type OptionsOutput } from '@chaos/core/authoring'
import * as v from 'valibot'

/** The JSON Schemas of options that core has declared, by the schema that stands for them here. */
const published = new WeakMap<object, object>()

type Adopted<Entries extends OptionEntries> = {
  readonly [Name in keyof Entries]: v.OptionalSchema<
    v.GenericSchema<NonNullable<OptionsOutput<Entries>[Name & keyof OptionsOutput<Entries>]>>,
    undefined
  >
}

/**
 * Adopts optional options of core, which declares them once: core checks their values (Standard Schema) and describes
 * them (JSON Schema).
 */
export function adopted<Entries extends OptionEntries>(entries: Entries): Adopted<Entries> {
  const { properties = {} } = jsonSchemaOf(optionsSchema(entries)) as {
    readonly properties?: Readonly<Record<string, object>>
  }
  const schemas = Object.entries(entries).map(([name, option]) => {
    const problemOf = (value: unknown): string | undefined => {
      const result = option['~standard'].validate(value)
      return result instanceof Promise ? undefined : result.issues?.[0]?.message
    }
    const schema = v.custom(
      (value) => problemOf(value) === undefined,
      ({ input }) => problemOf(input) ?? 'a valid value',
    )
    published.set(schema, properties[name] ?? {})
    return [name, v.optional(schema)]
  })
  return Object.fromEntries(schemas) as Adopted<Entries>
}

/** The JSON Schema of an adopted option; `undefined` for any other schema. */
export const publishedBy = (schema: object): object | undefined => published.get(schema)
