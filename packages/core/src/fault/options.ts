import type { StandardSchemaV1 } from '@standard-schema/spec'
import * as v from 'valibot'
import { toJsonSchema } from '@valibot/to-json-schema'
import type { JsonSchema } from '../controller/chaos-controller.js'
import { MAX_TIMER_MS } from '../basics/clock.js'
import { ChaosError } from '../basics/errors.js'
import { listed, suggestion } from '../basics/suggest.js'
import { MAX_NAME_LENGTH, printable, readSafely } from '../basics/text.js'

/** The entries of an options object. */
export type OptionEntries = v.ObjectEntries

/** Names and globs that one option takes. */
const MAX_NAMES = 100
/** Characters of all names and globs of one option together: with the longest name, what a single match may cost. */
const MAX_NAMES_TOTAL = 4_096
/** Characters of a text, unless an option says otherwise. */
const MAX_TEXT = 65_536
/** Fields by path of one option. */
const MAX_FIELDS = 100

/**
 * The words options are made of. From one declaration come the types, the check, the JSON Schema, and with it HTTP validation,
 * flags, help and docs. Each description ends up in all of them.
 */
export const option = {
  /** A time span in ms that fits a timer. */
  durationMs: (description: string) =>
    v.pipe(
      v.number('a number of ms from 0 to 2147483647'),
      v.minValue(0, 'a number of ms from 0 to 2147483647'),
      v.maxValue(MAX_TIMER_MS, 'a number of ms from 0 to 2147483647'),
      v.description(description),
    ),
  /** A share from 0 to 1. */
  rate: (description: string) =>
    v.pipe(
      v.number('a number from 0 to 1'),
      v.minValue(0, 'a number from 0 to 1'),
      v.maxValue(1, 'a number from 0 to 1'),
      v.description(description),
    ),
  /** A whole number from `min` to `max`. Give a `max` where something is done so many times. */
  count: (description: string, min = 0, max = Number.MAX_SAFE_INTEGER) => {
    const expected =
      max === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`
    return v.pipe(
      v.number(expected),
      v.integer(expected),
      v.minValue(min, expected),
      v.maxValue(max, expected),
      v.description(description),
    )
  },
  /** A text that is not empty, of at most `max` characters. */
  text: (description: string, max = MAX_TEXT) =>
    v.pipe(
      v.string('a text'),
      v.minLength(1, 'a text that is not empty'),
      v.maxLength(max, `a text of at most ${max} characters`),
      v.description(description),
    ),
  /** One of a few words. */
  oneOf: <const T extends readonly [string, ...string[]]>(choices: T, description: string) =>
    v.pipe(v.picklist(choices, `one of ${listed(choices)}`), v.description(description)),
  /** A value that JSON can carry and that has no parts. */
  scalar: (description: string) => v.pipe(v.union(SCALARS, SCALAR), v.description(description)),
  /** Values by field path: `{ 'order.country': 'DE' }`. At most 100. */
  fields: (description: string) =>
    v.pipe(
      v.record(
        v.pipe(v.string(), v.minLength(1, FIELDS), v.maxLength(MAX_NAME_LENGTH, FIELDS)),
        v.union(SCALARS, SCALAR),
        FIELDS,
      ),
      v.maxEntries(MAX_FIELDS, FIELDS),
      v.description(description),
    ),
  /** Yes or no. */
  flag: (description: string) => v.pipe(v.boolean('true or false'), v.description(description)),
  /** A name or glob, or a list of at most 100 of them; of at most 1,024 characters each and 4,096 together. */
  names: (description: string) =>
    v.pipe(
      v.union([NAME, v.pipe(v.array(NAME), v.minLength(1, NAMES), v.maxLength(MAX_NAMES, NAMES))], NAMES),
      v.check(fitTogether, NAMES),
      v.description(description),
    ),
  /** Any value. The fault is portable as long as JSON can carry it. */
  value: (description: string) => v.pipe(v.unknown(), v.description(description)),
  /** A function: works in process only, and makes the fault not portable. */
  func: <F extends (...args: never[]) => unknown>(description: string) =>
    v.pipe(
      v.custom<F>((value) => typeof value === 'function', 'a function'),
      v.description(description),
    ),
  /** What either of two options would take; where one is a function, list the other under the portable options too. */
  either: <A extends v.GenericSchema, B extends v.GenericSchema>(a: A, b: B, expected: string) =>
    v.union([a, b], expected),
  /** Makes an option optional, with a default if one is given. */
  optional: v.optional,
} as const

const SCALAR = 'a text, a number, true, false or null'
const SCALARS = [v.pipe(v.string(), v.maxLength(MAX_TEXT, SCALAR)), v.number(), v.boolean(), v.null()]
const FIELDS = `an object of at most ${MAX_FIELDS} values by field path`
/** What {@link option.names} takes, in words. */
export const NAMES = `a name or glob, or a list of them (at most ${MAX_NAMES}, ${MAX_NAME_LENGTH} characters each, ${MAX_NAMES_TOTAL} together)`
const NAME = v.pipe(v.string(), v.minLength(1, NAMES), v.maxLength(MAX_NAME_LENGTH, NAMES))

function fitTogether(names: string | string[]): boolean {
  return typeof names === 'string' || names.reduce((sum, name) => sum + name.length, 0) <= MAX_NAMES_TOTAL
}

const PORTABLE = Symbol('portable part')

/** A schema of options that knows which of them JSON can carry. */
export type OptionsSchema<E extends OptionEntries = OptionEntries> = v.StrictObjectSchema<E, undefined> & {
  readonly [PORTABLE]: () => JsonSchema
}

/**
 * Declares the options of a fault.
 *
 * @param portable Options that JSON can carry; only these are in the catalog.
 * @param inProcess Options that hold functions or other live objects; one of a portable option's name takes its place in process.
 */
export function optionsSchema<P extends OptionEntries, I extends OptionEntries = Record<never, never>>(
  portable: P,
  inProcess?: I,
): OptionsSchema<Omit<P, keyof I> & I> {
  let json: JsonSchema | undefined
  const portablePart = (): JsonSchema => {
    if (json !== undefined) return json
    const { $schema: _dialect, ...made } = toJsonSchema(v.strictObject(portable), {
      typeMode: 'input',
      ignoreActions: ['check'],
    }) as Record<string, unknown>
    return (json = made)
  }
  return Object.assign(v.strictObject({ ...portable, ...inProcess } as unknown as Omit<P, keyof I> & I), {
    [PORTABLE]: portablePart,
  })
}

/** What a user may pass for options of this schema. */
export type OptionsInput<S extends StandardSchemaV1> = StandardSchemaV1.InferInput<S>
/** What a fault gets: defaults filled in. */
export type OptionsOutput<S extends StandardSchemaV1> = StandardSchemaV1.InferOutput<S>

/**
 * The JSON Schema of a schema's portable options.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for a schema of another library that does not know its own JSON Schema.
 */
export function jsonSchemaOf(schema: StandardSchemaV1): JsonSchema {
  return describedBy(schema)()
}

/** The same for later: most who load a fault never ask for it, and making it takes longer than all else of its declaration. */
export function describedBy(schema: StandardSchemaV1, declared?: JsonSchema): () => JsonSchema {
  if (declared !== undefined) return () => declared
  if (PORTABLE in schema) return schema[PORTABLE] as () => JsonSchema
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    'Expected `jsonSchema` beside a schema that was not made by `optionsSchema`, got none. Pass the JSON Schema of its portable options.',
  )
}

/**
 * Checks options where they are given, long before they are used.
 *
 * @param of What the options belong to, for the message: `eventbus/delay-events`.
 * @returns The options with defaults filled in, frozen.
 * @throws ChaosError `CHAOS_INVALID_OPTION`
 */
export function checkOptions<S extends StandardSchemaV1>(schema: S, given: unknown, of: string): OptionsOutput<S> {
  const input = given === undefined ? {} : given
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected the options of ${of} to be an object, got \`${shown(given)}\`.`,
    )
  }
  refuseOversized(input, of)
  // An option that is `undefined` was not given.
  const options: Record<string, unknown> = Object.fromEntries(
    Object.entries(input).filter(([, value]) => value !== undefined),
  )
  const ours = PORTABLE in schema
  if (ours) {
    const { entries } = schema as unknown as OptionsSchema
    refuseUnknown(Object.keys(options), Object.keys(entries), of)
    // A strict object reports a missing option by its key alone; what it must be, its own schema says.
    for (const [name, entry] of Object.entries(entries))
      if (entry.type !== 'optional' && !(name in options)) options[name] = undefined
  }

  const result = schema['~standard'].validate(options)
  if (result instanceof Promise)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected a schema of ${of} that checks synchronously, got one that returns a promise.`,
    )
  if (result.issues !== undefined) {
    const [issue] = result.issues
    const path = issue?.path?.map((part) => (typeof part === 'object' ? part.key : part)) ?? []
    const name = printable(path.map(String).join('.'))
    const came = shown(
      path.reduce<unknown>(
        (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
        options,
      ),
    )
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      ours && issue !== undefined && !issue.message.startsWith('Invalid')
        ? `Expected \`${name}\` of ${of} to be ${issue.message}, got \`${came}\`.`
        : `Option \`${name}\` of ${of}: ${printable(issue?.message ?? 'not valid')} (got \`${came}\`).`,
    )
  }
  return frozen(result.value)
}

function refuseUnknown(given: readonly string[], known: readonly string[], of: string): void {
  for (const name of given) {
    if (known.includes(name)) continue
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected an option of ${of} (${listed(known)}), got \`${printable(name)}\`.${suggestion(name, known)}`,
    )
  }
}

/** Parts (values, and what lists and objects hold) of the options of one fault. */
const MAX_PARTS = 100_000
/** How deep lists and objects lie in one another. */
const MAX_DEPTH = 64
/** Characters of all texts together. */
const MAX_TEXTS = 4_194_304

/** Refuses what would take long to check, freeze, copy or print, before any of it is done. Live objects are not looked into. */
function refuseOversized(input: object, of: string): void {
  let parts = 0
  let characters = 0
  const refuse = (limit: string): never => {
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `The options of ${of} are too large: they have more than ${limit}. Pass less.`,
    )
  }
  const weigh = (value: unknown, depth: number): void => {
    parts += 1
    if (parts > MAX_PARTS) refuse(`${MAX_PARTS} values`)
    if (typeof value === 'string' && (characters += value.length) > MAX_TEXTS) refuse(`${MAX_TEXTS} characters of text`)
    if (typeof value !== 'object' || value === null || !(Array.isArray(value) || isPlain(value) || depth === 0)) return
    if (depth > MAX_DEPTH) refuse(`${MAX_DEPTH} levels`)
    if (Array.isArray(value)) {
      for (const part of value) weigh(part, depth + 1)
      return
    }
    for (const [key, part] of Object.entries(value)) {
      characters += key.length
      weigh(part, depth + 1)
    }
  }
  weigh(input, 0)
}

/** Whether JSON carries a value without loss. */
export function isPortable(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (Array.isArray(value)) return value.every(isPortable)
  return isPlain(value) && Object.values(value).every((part) => part === undefined || isPortable(part))
}

/** A value as a message can show it: short, and with nothing in it that a terminal obeys. */
export function shown(value: unknown): string {
  return readSafely(() => shownUnchecked(value))
}

function shownUnchecked(value: unknown): string {
  if (typeof value === 'string')
    return printable(JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value), { max: 600 })
  if (typeof value === 'function') return `[Function ${printable(value.name)}]`
  if (value instanceof Error) return `[${printable(value.name)}: ${printable(value.message)}]`
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? `an array of ${value.length}` : 'an object'
  return printable(value)
}

/** Options as data that JSON can carry: functions and errors by name. */
export function asData(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asData)
  if (isPlain(value)) return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, asData(part)]))
  return isPortable(value) ? value : shown(value)
}

function frozen(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(frozen))
  if (isPlain(value))
    return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, part]) => [key, frozen(part)])))
  return value
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
