import fc from 'fast-check'

/** The part of JSON Schema that the OpenAPI document uses. */
export interface Schema {
  readonly type?: 'object' | 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'null'
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly maxItems?: number
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly anyOf?: readonly Schema[]
}

const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom<unknown>('__proto__', '\u001b[2J', '', 0, -1, 1e308, 2 ** 53, null, true, [], {}, ['a'], { a: 1 }),
  fc.double({ noNaN: true }),
)

/** Values that a schema accepts. */
export function fitting(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(fitting))
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if ('const' in schema) return fc.constant(schema.const)
  const { minimum: min = -1e6, maximum: max = 1e6 } = schema
  switch (schema.type) {
    case 'string':
      return schema.pattern === undefined
        ? fc.string({ minLength: schema.minLength ?? 0, maxLength: Math.min(schema.maxLength ?? 20, 20) })
        : fc.stringMatching(new RegExp(schema.pattern))
    case 'number':
      return fc.oneof(fc.double({ min, max, noNaN: true }), fc.constantFrom(min, max))
    case 'integer':
      return fc.oneof(fc.integer({ min: Math.max(min, -1e6), max: Math.min(max, 1e6) }), fc.constantFrom(min, max))
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return fc.array(fitting(schema.items ?? {}), { maxLength: Math.min(schema.maxItems ?? 3, 3) })
    case 'object':
      return schema.properties === undefined
        ? fc.dictionary(fc.string({ maxLength: 8 }), anything, { maxKeys: 2 })
        : fc.record(
            Object.fromEntries(Object.entries(schema.properties).map(([name, part]) => [name, fitting(part)])),
            { requiredKeys: [...(schema.required ?? [])] },
          )
    case undefined:
    default:
      return anything
  }
}

/** Values that are broken in one place: something else, a field that is missing, or one that nobody knows. */
export function broken(schema: Schema): fc.Arbitrary<unknown> {
  const { properties, required = [] } = schema
  if (properties === undefined) return anything
  const names = Object.keys(properties)
  const whole = fitting(schema) as fc.Arbitrary<Readonly<Record<string, unknown>>>
  return fc.oneof(
    anything,
    fc.tuple(whole, fc.constantFrom(...names), anything).map(([value, name, part]) => ({ ...value, [name]: part })),
    fc
      .tuple(whole, fc.string({ minLength: 1, maxLength: 8 }), anything)
      .map(([value, name, part]) => ({ ...value, [name]: part })),
    ...(required.length === 0
      ? []
      : [
          fc
            .tuple(whole, fc.constantFrom(...required))
            .map(([value, without]) => Object.fromEntries(Object.entries(value).filter(([name]) => name !== without))),
        ]),
  )
}
