import { badBody } from './api-error.js'

/** Types of fields, by the names that Toxiproxy's messages have for them. */
interface FieldTypes {
  string: string
  bool: boolean
  /** A whole number. JavaScript has no larger ones that are exact than 2^53 - 1. */
  int64: number
  float32: number
}

const CHECKS: Readonly<Record<keyof FieldTypes, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  bool: (value) => typeof value === 'boolean',
  int64: (value) => Number.isSafeInteger(value),
  float32: (value) => typeof value === 'number' && Number.isFinite(value),
}

/** The fields of a JSON object. Case does not matter in names, and `null` counts as absent, as with Toxiproxy. */
export class Fields {
  readonly #values = new Map<string, unknown>()
  readonly #of: string

  /**
   * @param value What the body has.
   * @param of What the object is, for messages: `Proxy`.
   * @throws ApiError 400 if it is no object. `null` is an object without fields.
   */
  constructor(value: unknown, of: string) {
    this.#of = of
    if (value === null || value === undefined) return
    if (typeof value !== 'object' || Array.isArray(value))
      throw badBody(`json: cannot unmarshal ${kindOf(value)} into Go value of type ${of}`)
    for (const [name, field] of Object.entries(value)) if (field !== null) this.#values.set(name.toLowerCase(), field)
  }

  /** A field that may be anything. `undefined`: absent. */
  any(name: string): unknown {
    return this.#values.get(name.toLowerCase())
  }

  /**
   * A field of a type. `undefined`: absent.
   *
   * @throws ApiError 400 for a value of another type.
   */
  get<Type extends keyof FieldTypes>(name: string, type: Type): FieldTypes[Type] | undefined {
    const value = this.any(name)
    if (value === undefined || CHECKS[type](value)) return value as FieldTypes[Type] | undefined
    throw badBody(`json: cannot unmarshal ${kindOf(value)} into Go struct field ${this.#of}.${name} of type ${type}`)
  }
}

/** What a JSON value is, in the words of Toxiproxy's decoder. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'number' : `number ${value}`
  return typeof value === 'boolean' ? 'bool' : typeof value
}
