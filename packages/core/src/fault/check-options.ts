import { ChaosError } from '../basics/errors.js'
import { listed, unknownName } from '../basics/suggest.js'
import { printable } from '../basics/text.js'
import { frozen, isPlain, shown } from './data.js'
import { redacted } from '../basics/redact.js'
import { entriesOf, isRequired } from './options-schema.js'
import type { OutputOf, StandardSchemaV1 } from './standard-schema.js'

/**
 * Checks options where they are given, before they are used.
 *
 * @param of The owner of the options, for messages: `eventbus/delay-events`.
 * @returns The options with defaults filled in, frozen.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an unknown option, a missing or invalid value, or more than 100,000 values, 64 levels or
 *   4,194,304 characters of text.
 */
export function checkOptions<S extends StandardSchemaV1>(schema: S, given: unknown, of: string): OutputOf<S> {
  const input = given === undefined ? {} : given
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected the options of ${of} to be an object, got \`${shown(given)}\`.`,
      { details: { of, field: '', expected: 'an object' } },
    )
  }
  refuseOversized(input, of)
  // An `undefined` option counts as not given.
  const options: Record<string, unknown> = Object.fromEntries(
    Object.entries(input).filter(([, value]) => value !== undefined),
  )
  const entries = entriesOf(schema)
  if (entries !== undefined) {
    refuseUnknown(Object.keys(options), Object.keys(entries), of)
    // The object schema reports a missing option by key alone. With `undefined` in its place, the option's own schema says what it expects.
    for (const [name, entry] of Object.entries(entries))
      if (isRequired(entry) && !(name in options)) options[name] = undefined
  }

  const result = schema['~standard'].validate(options)
  if (result instanceof Promise)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `The options schema of ${of} checks asynchronously. Use a schema that checks synchronously.`,
    )
  if (result.issues !== undefined) {
    const [issue] = result.issues
    const path = issue?.path?.map((part) => (typeof part === 'object' ? part.key : part)) ?? []
    const name = printable(path.map(String).join('.'))
    const value = path.reduce<unknown>(
      (owner, key) => (typeof owner === 'object' && owner !== null ? Reflect.get(owner, key) : undefined),
      options,
    )
    const received = shown(redacted(value, String(path.at(-1) ?? '')))
    const expected =
      entries !== undefined && issue !== undefined && !issue.message.startsWith('Invalid') ? issue.message : undefined
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      expected !== undefined
        ? `Expected \`${name}\` of ${of} to be ${expected}, got \`${received}\`.`
        : `Option \`${name}\` of ${of}: ${printable(issue?.message ?? 'not valid')} (got \`${received}\`).`,
      { details: { of, field: pointerTo(path), expected } },
    )
  }
  return frozen(result.value)
}

function refuseUnknown(given: readonly string[], known: readonly string[], of: string): void {
  for (const name of given) {
    if (known.includes(name)) continue
    throw new ChaosError('CHAOS_INVALID_OPTION', unknownName(`option of ${of}`, name, known), {
      details: { of, field: pointerTo([name]), expected: known.length === 0 ? 'no option' : `one of ${listed(known)}` },
    })
  }
}

/** A JSON pointer (RFC 6901). */
const pointerTo = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** The most values in the options of one fault, nested values included. */
const MAX_VALUES = 100_000
/** The deepest nesting of lists and objects. */
const MAX_DEPTH = 64
/** The most characters in all strings together. */
const MAX_CHARACTERS = 4_194_304

/** Refuses options that would take long to check, freeze, copy or print. Does not look into live objects. */
function refuseOversized(input: object, of: string): void {
  let values = 0
  let characters = 0
  const refuse = (limit: string): never => {
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `The options of ${of} are too large: they have more than ${limit}. Pass fewer or shorter values.`,
    )
  }
  const measure = (value: unknown, depth: number): void => {
    values += 1
    if (values > MAX_VALUES) refuse(`${MAX_VALUES} values`)
    if (typeof value === 'string' && (characters += value.length) > MAX_CHARACTERS)
      refuse(`${MAX_CHARACTERS} characters of text`)
    if (typeof value !== 'object' || value === null || !(Array.isArray(value) || isPlain(value) || depth === 0)) return
    if (depth > MAX_DEPTH) refuse(`${MAX_DEPTH} levels`)
    if (Array.isArray(value)) {
      for (const part of value) measure(part, depth + 1)
      return
    }
    for (const [key, part] of Object.entries(value)) {
      characters += key.length
      measure(part, depth + 1)
    }
  }
  measure(input, 0)
}
