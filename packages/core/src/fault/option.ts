import * as v from 'valibot'
import { MAX_TIMER_MS } from '../basics/clock.js'
import { listed, suggestion } from '../basics/suggest.js'
import { MAX_NAME_LENGTH, printable } from '../basics/text.js'
import type { InputOf, OutputOf, StandardSchemaV1 } from './standard-schema.js'

/** One option of a fault: the values it accepts and its description. Made by {@link option}. */
export type Option<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>

/** The options of a fault by name. */
export type OptionEntries = Readonly<Record<string, Option>>

/** A single JSON value: not a list, not an object. */
export type Scalar = string | number | boolean | null

/** The most names and globs in one option. */
const MAX_NAMES = 100
/** The most characters in all names and globs of one option. It bounds the cost of one match. */
const MAX_NAMES_TOTAL = 4_096
/** The most characters in a string, unless an option sets its own limit. */
const MAX_TEXT = 65_536
/** The most characters of an unknown field in a message. */
const MAX_SHOWN = 60
/** The most field paths in one option. */
const MAX_FIELDS = 100

const SCALAR = 'a string, a number, true, false or null'
const FIELDS = `an object of at most ${MAX_FIELDS} values by field path`
/** The values that {@link option.names} accepts, for messages. */
export const NAMES = `a name or glob, or a list of them (at most ${MAX_NAMES}, ${MAX_NAME_LENGTH} characters each, ${MAX_NAMES_TOTAL} together)`

/** A schema of the bundled library. No published type shows it. */
type Schema = v.GenericSchema

/** The portable part of each option that is not portable as a whole. `undefined`: the option has none. */
const portableParts = new WeakMap<object, Schema | undefined>()

/** The part of an option that JSON can carry; `undefined` if the option works in process only. */
export function portablePart(option: Option): Schema | undefined {
  return portableParts.has(option) ? portableParts.get(option) : schemaOf(option)
}

/** Says which part of an option JSON can carry, where that is not the whole. */
export function setPortablePart(option: Option, part: Schema | undefined): void {
  portableParts.set(option, part)
}

/** The schema of an option. */
export const schemaOf = (option: Option): Schema => option as unknown as Schema

const optionOf = <Input, Output = Input>(schema: Schema): Option<Input, Output> =>
  schema as unknown as Option<Input, Output>

const described = <Input, Output = Input>(schema: Schema, description: string): Option<Input, Output> =>
  optionOf(v.pipe(schema, v.description(description)))

/** Makes an option that is not portable, or portable only in part. */
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
  // The schema library calls a default that is a function.
  const fallback = typeof given === 'function' ? (): unknown => given : given
  const schema = v.optional(schemaOf(of), fallback)
  const part = portablePart(of)
  if (part !== schemaOf(of)) portableParts.set(schema, part === undefined ? undefined : v.optional(part, fallback))
  return optionOf(schema)
}

/**
 * Declares options. Types, hover text, checks, JSON Schema, HTTP validation, flags, help and docs come from one
 * declaration, and each shows its description.
 */
export const option = {
  /** A duration in ms that fits a Node.js timer: 0 to 2,147,483,647. */
  durationMs: (description: string) => option.number(description, 0, MAX_TIMER_MS, 'a number of ms'),
  /** A number from `min` to `max`. Messages name it as `unit`: `a number of ms`. */
  number: (description: string, min: number, max: number, unit = 'a number') => {
    const expected = `${unit} from ${min} to ${max}`
    return described<number>(
      v.pipe(v.number(expected), v.minValue(min, expected), v.maxValue(max, expected)),
      description,
    )
  },
  /** A share from 0 to 1. */
  rate: (description: string) => option.number(description, 0, 1),
  /** A whole number from `min` to `max`. Pass `max` if the fault repeats work that many times. */
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
  /** A non-empty string of at most `max` characters. Default `max`: 65,536. */
  text: (description: string, max = MAX_TEXT) =>
    described<string>(
      v.pipe(
        v.string('a string'),
        v.minLength(1, 'a non-empty string'),
        v.maxLength(max, `a string of at most ${max} characters`),
      ),
      description,
    ),
  /** A string that matches a pattern. Messages describe it as `expected`. */
  matching: (pattern: RegExp, expected: string, description: string) =>
    described<string>(v.pipe(v.string(expected), v.regex(pattern, expected)), description),
  /** One of a list of strings. */
  oneOf: <const T extends readonly [string, ...string[]]>(choices: T, description: string) =>
    described<T[number]>(v.picklist(choices, `one of ${listed(choices)}`), description),
  /** A string, a number, a boolean or `null`. */
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
  /** `true` or `false`. */
  flag: (description: string) => described<boolean>(v.boolean('true or false'), description),
  /** A name or glob, or a list of at most 100 of them: at most 1,024 characters each, 4,096 together. */
  names: (description: string) =>
    described<string | readonly string[]>(
      v.pipe(
        v.union([name, v.pipe(v.array(name), v.minLength(1, NAMES), v.maxLength(MAX_NAMES, NAMES))], NAMES),
        v.check(fitTogether, NAMES),
      ),
      description,
    ),
  /** A list of at most `max` values. Messages name them as `expected`: `environments`. */
  list: <Input, Output>(of: Option<Input, Output>, max: number, expected: string) => {
    const listOf = (part: Schema): Schema =>
      v.pipe(v.array(part, `a list of ${expected}`), v.maxLength(max, `a list of at most ${max} ${expected}`))
    const schema = listOf(schemaOf(of))
    const part = portablePart(of)
    if (part !== schemaOf(of)) portableParts.set(schema, part && listOf(part))
    return optionOf<readonly Input[], readonly Output[]>(schema)
  },
  /** An object with any fields. */
  object: (description: string) =>
    described<Readonly<Record<string, unknown>>>(v.record(v.string(), v.unknown(), 'an object'), description),
  /**
   * An object with declared fields. A message names an unknown field, and suggests one.
   *
   * @param problemOf Returns what is expected instead of fields that do not go together.
   */
  settings: <T extends object>(
    fields: { readonly [Name in keyof T]-?: Option<T[Name], T[Name]> },
    description: string,
    problemOf: (given: T) => string | undefined = () => undefined,
  ): Option<T> => {
    const known = Object.keys(fields)
    const entries = Object.entries<Option>(fields).map(([field, of]) => [field, schemaOf(of)] as const)
    const strict = v.strictObject(Object.fromEntries(entries))
    const expected = `an object of ${listed(known)}`
    const schema = v.pipe(
      v.custom<T>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), expected),
      v.rawCheck(({ dataset: { typed, value }, addIssue }) => {
        if (!typed) return
        const unknown = Object.keys(value).find((field) => !known.includes(field))
        if (unknown !== undefined) {
          const near = suggestion(unknown, known)
          const without = `${expected}, without "${printable(unknown, { max: MAX_SHOWN })}"`
          addIssue({ message: near === '' ? without : `${without}.${near}` })
          return
        }
        const { issues } = v.safeParse(strict, value)
        const [issue] = issues ?? []
        const message = issue?.message ?? problemOf(value)
        if (message !== undefined) addIssue(issue?.path === undefined ? { message } : { message, path: issue.path })
      }),
      v.description(description),
    )
    portableParts.set(schema, v.pipe(strict, v.description(description)))
    return optionOf(schema)
  },
  /** Any value. The fault is portable if JSON can carry the value. */
  value: (description: string) => described<unknown>(v.unknown(), description),
  /** A function. Works in process only and makes the fault not portable. */
  func: <F extends (...args: never[]) => unknown>(description: string) =>
    inProcess<F>(
      v.pipe(
        v.custom((value) => typeof value === 'function', 'a function'),
        v.description(description),
      ),
    ),
  /** A live object, such as a signal. Works in process only and makes the fault not portable. Its fields are not checked or copied. */
  live: <T extends object>(accepts: (value: object) => boolean, expected: string, description: string) =>
    inProcess<T>(
      v.pipe(
        v.custom((value) => typeof value === 'object' && value !== null && accepts(value), expected),
        v.description(description),
      ),
    ),
  /** A value that either of two options accepts. Only the portable forms of the two are portable. */
  either: <A extends Option, B extends Option>(a: A, b: B, expected: string) => {
    const whole = [schemaOf(a), schemaOf(b)] as const
    const parts = [portablePart(a), portablePart(b)].filter((part) => part !== undefined)
    const schema = v.union(whole, expected)
    if (parts.length < 2) portableParts.set(schema, parts[0])
    else if (parts.some((part, at) => part !== whole[at])) portableParts.set(schema, v.union(parts, expected))
    return optionOf<InputOf<A> | InputOf<B>, OutputOf<A> | OutputOf<B>>(schema)
  },
  /** Makes an option optional, with an optional default. */
  optional,
} as const
