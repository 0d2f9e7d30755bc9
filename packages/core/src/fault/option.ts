import * as v from 'valibot'
import { MAX_TIMER_MS } from '../basics/clock.js'
import { listed } from '../basics/suggest.js'
import { MAX_NAME_LENGTH } from '../basics/text.js'
import type { InputOf, OutputOf, StandardSchemaV1 } from './standard-schema.js'

/** One option of a fault: what it takes, and what it means. Made by {@link option}. */
export type Option<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>

/** The options of a fault by name. */
export type OptionEntries = Readonly<Record<string, Option>>

/** A value that JSON can carry and that has no parts. */
export type Scalar = string | number | boolean | null

/** Names and globs that one option takes. */
const MAX_NAMES = 100
/** Characters of all names and globs of one option together: with the longest name, what a single match may cost. */
const MAX_NAMES_TOTAL = 4_096
/** Characters of a text, unless an option says otherwise. */
const MAX_TEXT = 65_536
/** Fields by path of one option. */
const MAX_FIELDS = 100

const SCALAR = 'a text, a number, true, false or null'
const FIELDS = `an object of at most ${MAX_FIELDS} values by field path`
/** What {@link option.names} takes, in words. */
export const NAMES = `a name or glob, or a list of them (at most ${MAX_NAMES}, ${MAX_NAME_LENGTH} characters each, ${MAX_NAMES_TOTAL} together)`

/** The schema library behind an option. It shows in no published type. */
type Schema = v.GenericSchema

/** The part of an option that JSON can carry, where that is not the whole option. `undefined`: no part. */
const portableParts = new WeakMap<object, Schema | undefined>()

/** The portable part of an option, or `undefined` for one that works in process only. */
export function portablePart(option: Option): Schema | undefined {
  return portableParts.has(option) ? portableParts.get(option) : schemaOf(option)
}

/** An option as the schema library knows it. */
export const schemaOf = (option: Option): Schema => option as unknown as Schema

const optionOf = <Input, Output = Input>(schema: Schema): Option<Input, Output> =>
  schema as unknown as Option<Input, Output>

const described = <Input, Output = Input>(schema: Schema, description: string): Option<Input, Output> =>
  optionOf(v.pipe(schema, v.description(description)))

/** An option that JSON cannot carry, or only a part of it. */
function inProcess<Input>(schema: Schema, portable?: Schema): Option<Input> {
  portableParts.set(schema, portable)
  return optionOf(schema)
}

const scalar = v.union([v.pipe(v.string(), v.maxLength(MAX_TEXT, SCALAR)), v.number(), v.boolean(), v.null()], SCALAR)
const name = v.pipe(v.string(), v.minLength(1, NAMES), v.maxLength(MAX_NAME_LENGTH, NAMES))

function fitTogether(names: string | string[]): boolean {
  return typeof names === 'string' || names.reduce((sum, one) => sum + one.length, 0) <= MAX_NAMES_TOTAL
}

function optional<Input, Output>(of: Option<Input, Output>): Option<Input | undefined, Output | undefined>
function optional<Input, Output>(of: Option<Input, Output>, fallback: Output & Input): Option<Input | undefined, Output>
function optional(of: Option, given?: unknown): Option {
  // The schema library would call a function to get the default.
  const fallback = typeof given === 'function' ? (): unknown => given : given
  const schema = v.optional(schemaOf(of), fallback)
  const part = portablePart(of)
  if (part !== schemaOf(of)) portableParts.set(schema, part === undefined ? undefined : v.optional(part, fallback))
  return optionOf(schema)
}

/**
 * The kinds of options. From one declaration come the types with their hover text, the check, the JSON Schema, and with that HTTP
 * validation, flags, help and docs. Each description ends up in all of them.
 */
export const option = {
  /** A time span in ms that fits a timer: 0 to 2,147,483,647. */
  durationMs: (description: string) => option.number(description, 0, MAX_TIMER_MS, 'a number of ms'),
  /** A number from `min` to `max`, of what `unit` says: `a number of ms`. */
  number: (description: string, min: number, max: number, unit = 'a number') => {
    const expected = `${unit} from ${min} to ${max}`
    return described<number>(
      v.pipe(v.number(expected), v.minValue(min, expected), v.maxValue(max, expected)),
      description,
    )
  },
  /** A share from 0 to 1. */
  rate: (description: string) => option.number(description, 0, 1),
  /** A whole number from `min` to `max`. Give a `max` where something is done so many times. */
  count: (description: string, min = 0, max = Number.MAX_SAFE_INTEGER) => {
    const expected =
      max === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`
    return described<number>(
      v.pipe(v.number(expected), v.integer(expected), v.minValue(min, expected), v.maxValue(max, expected)),
      description,
    )
  },
  /** Any whole number that JavaScript represents exactly. */
  integer: (description: string) =>
    described<number>(v.pipe(v.number('a whole number'), v.safeInteger('a whole number')), description),
  /** A text that is not empty, of at most `max` characters. */
  text: (description: string, max = MAX_TEXT) =>
    described<string>(
      v.pipe(
        v.string('a text'),
        v.minLength(1, 'a text that is not empty'),
        v.maxLength(max, `a text of at most ${max} characters`),
      ),
      description,
    ),
  /** A text that fits a pattern, which a message describes as `expected`. */
  matching: (pattern: RegExp, expected: string, description: string) =>
    described<string>(v.pipe(v.string(expected), v.regex(pattern, expected)), description),
  /** One of a few words. */
  oneOf: <const T extends readonly [string, ...string[]]>(choices: T, description: string) =>
    described<T[number]>(v.picklist(choices, `one of ${listed(choices)}`), description),
  /** A value that JSON can carry and that has no parts. */
  scalar: (description: string) => described<Scalar>(scalar, description),
  /** Values by field path: `{ 'order.country': 'DE' }`. At most 100. */
  fields: (description: string) =>
    described<Readonly<Record<string, Scalar>>>(
      v.pipe(
        v.record(v.pipe(v.string(), v.minLength(1, FIELDS), v.maxLength(MAX_NAME_LENGTH, FIELDS)), scalar, FIELDS),
        v.maxEntries(MAX_FIELDS, FIELDS),
      ),
      description,
    ),
  /** Yes or no. */
  flag: (description: string) => described<boolean>(v.boolean('true or false'), description),
  /** A name or glob, or a list of at most 100 of them; of at most 1,024 characters each and 4,096 together. */
  names: (description: string) =>
    described<string | readonly string[]>(
      v.pipe(
        v.union([name, v.pipe(v.array(name), v.minLength(1, NAMES), v.maxLength(MAX_NAMES, NAMES))], NAMES),
        v.check(fitTogether, NAMES),
      ),
      description,
    ),
  /** A list of at most `max` values, which a message describes as `expected`: `environments`. */
  list: <Input, Output>(of: Option<Input, Output>, max: number, expected: string) =>
    optionOf<readonly Input[], readonly Output[]>(
      v.pipe(v.array(schemaOf(of), `a list of ${expected}`), v.maxLength(max, `a list of at most ${max} ${expected}`)),
    ),
  /** An object with any fields. */
  object: (description: string) =>
    described<Readonly<Record<string, unknown>>>(v.record(v.string(), v.unknown(), 'an object'), description),
  /** Any value. The fault is portable as long as JSON can carry it. */
  value: (description: string) => described<unknown>(v.unknown(), description),
  /** A function: works in process only, and makes the fault not portable. */
  func: <F extends (...args: never[]) => unknown>(description: string) =>
    inProcess<F>(
      v.pipe(
        v.custom((value) => typeof value === 'function', 'a function'),
        v.description(description),
      ),
    ),
  /** A live object, such as a signal: works in process only, is not looked into, and makes the fault not portable. */
  live: <T extends object>(accepts: (value: object) => boolean, expected: string, description: string) =>
    inProcess<T>(
      v.pipe(
        v.custom((value) => typeof value === 'object' && value !== null && accepts(value), expected),
        v.description(description),
      ),
    ),
  /** What either of two options takes. The portable part is that of whichever has one. */
  either: <A extends Option, B extends Option>(a: A, b: B, expected: string) => {
    const parts = [portablePart(a), portablePart(b)].filter((part) => part !== undefined)
    const schema = v.union([schemaOf(a), schemaOf(b)], expected)
    return parts.length === 2
      ? optionOf<InputOf<A> | InputOf<B>, OutputOf<A> | OutputOf<B>>(schema)
      : (inProcess(schema, parts[0]) as Option<InputOf<A> | InputOf<B>, OutputOf<A> | OutputOf<B>>)
  },
  /** Makes an option optional, with a default if one is given. */
  optional,
} as const
