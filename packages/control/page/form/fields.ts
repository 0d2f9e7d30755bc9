/** A kind of JSON value that is not a list and not an object. */
export type ScalarKind = 'text' | 'number' | 'true or false' | 'null'

/** How one option is entered. */
export type FieldKind =
  | { readonly type: 'number'; readonly isWhole: boolean; readonly min?: number; readonly max?: number }
  | { readonly type: 'text'; readonly minLength?: number; readonly maxLength?: number; readonly pattern?: string }
  | { readonly type: 'choice'; readonly choices: readonly string[] }
  | { readonly type: 'flag' }
  /** One per line. `isList`: a single one is a list too. */
  | { readonly type: 'names'; readonly isList: boolean }
  | { readonly type: 'scalar'; readonly kinds: readonly ScalarKind[] }
  /** Values by field path. */
  | { readonly type: 'fields'; readonly maxFields: number }
  /** Anything else, as JSON. */
  | { readonly type: 'json' }

/** An option as the form shows it. */
export interface Field {
  readonly name: string
  readonly description: string
  readonly isRequired: boolean
  readonly default: unknown
  readonly kind: FieldKind
}

/** The most fields of a form, and characters of a description. */
const MAX_FIELDS = 200
const MAX_DESCRIPTION = 2_000
const MAX_CHOICES = 1_000

type Schema = Readonly<Record<string, unknown>>

/** The fields of a JSON Schema of options: required ones first, then those with presets, then the others. */
export function fieldsOf(schema: Schema): readonly Field[] {
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  const required = new Set<unknown>(Array.isArray(schema['required']) ? schema['required'] : [])
  const fields = Object.entries(properties)
    .slice(0, MAX_FIELDS)
    .map(([name, served]) => fieldOf(name, isObject(served) ? served : {}, required.has(name)))
  const rank = (field: Field): number => (field.isRequired ? 0 : hasPresets(field) ? 1 : 2)
  return fields.sort((one, other) => rank(one) - rank(other))
}

/** Whether the choices of a field are presets of errors or answers, such as `redis/readonly`. */
const hasPresets = ({ kind }: Field): boolean =>
  kind.type === 'choice' && kind.choices.some((choice) => choice.includes('/'))

function fieldOf(name: string, schema: Schema, isRequired: boolean): Field {
  const described = [schema, ...alternativesOf(schema)]
    .map((one) => one['description'])
    .find((text) => typeof text === 'string')
  return {
    name,
    description: typeof described === 'string' ? described.slice(0, MAX_DESCRIPTION) : '',
    isRequired: isRequired && schema['default'] === undefined,
    default: schema['default'],
    kind: kindOf(schema),
  }
}

function kindOf(schema: Schema): FieldKind {
  const choices = schema['enum']
  if (Array.isArray(choices) && choices.length > 0 && choices.every((choice) => typeof choice === 'string'))
    return { type: 'choice', choices: choices.slice(0, MAX_CHOICES) }
  switch (schema['type']) {
    case 'boolean':
      return { type: 'flag' }
    case 'number':
    case 'integer':
      return {
        type: 'number',
        isWhole: schema['type'] === 'integer',
        ...numbersOf({ min: schema['minimum'], max: schema['maximum'] }),
      }
    case 'string':
      return {
        type: 'text',
        ...numbersOf({ minLength: schema['minLength'], maxLength: schema['maxLength'] }),
        ...(typeof schema['pattern'] === 'string' ? { pattern: schema['pattern'] } : {}),
      }
    case 'array':
      return isText(schema['items']) ? { type: 'names', isList: true } : { type: 'json' }
    case 'object':
      return fieldsKindOf(schema)
    default:
      return kindOfAlternatives(alternativesOf(schema))
  }
}

/** An object of scalars by name. Others are entered as JSON. */
function fieldsKindOf(schema: Schema): FieldKind {
  const values = schema['additionalProperties']
  const isFields = isObject(values) && scalarKindsOf(alternativesOf(values)) !== undefined
  if (!isFields) return { type: 'json' }
  return { type: 'fields', maxFields: typeof schema['maxProperties'] === 'number' ? schema['maxProperties'] : 100 }
}

function kindOfAlternatives(alternatives: readonly Schema[]): FieldKind {
  const kinds = scalarKindsOf(alternatives)
  if (kinds !== undefined) return { type: 'scalar', kinds }
  const isNames =
    alternatives.length === 2 &&
    alternatives.some(isText) &&
    alternatives.some((one) => one['type'] === 'array' && isText(one['items']))
  return isNames ? { type: 'names', isList: false } : { type: 'json' }
}

const SCALARS: Readonly<Record<string, ScalarKind>> = {
  string: 'text',
  number: 'number',
  integer: 'number',
  boolean: 'true or false',
  null: 'null',
}

function scalarKindsOf(alternatives: readonly Schema[]): readonly ScalarKind[] | undefined {
  const kinds = alternatives.map((one) => SCALARS[String(one['type'])])
  return kinds.length > 0 && kinds.every((kind) => kind !== undefined) ? [...new Set(kinds)] : undefined
}

function alternativesOf(schema: Schema): readonly Schema[] {
  const alternatives = schema['anyOf'] ?? schema['oneOf']
  return Array.isArray(alternatives) ? alternatives.filter(isObject) : []
}

const isText = (schema: unknown): boolean => isObject(schema) && schema['type'] === 'string'

const numbersOf = <Key extends string>(given: Readonly<Record<Key, unknown>>): Readonly<Partial<Record<Key, number>>> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => typeof value === 'number')) as Partial<
    Record<Key, number>
  >

const isObject = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
