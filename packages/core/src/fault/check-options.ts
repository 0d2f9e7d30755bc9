import { ChaosError } from '../basics/errors.js'
import { unknownName } from '../basics/suggest.js'
import { printable } from '../basics/text.js'
import { frozen, isPlain, shown } from './data.js'
import { entriesOf, isRequired } from './options-schema.js'
import type { OutputOf, StandardSchemaV1 } from './standard-schema.js'

/**
 * Checks options where they are given, long before they are used.
 *
 * @param of What the options belong to, for the message: `eventbus/delay-events`.
 * @returns The options with defaults filled in, frozen.
 * @throws ChaosError `CHAOS_INVALID_OPTION`
 */
export function checkOptions<S extends StandardSchemaV1>(schema: S, given: unknown, of: string): OutputOf<S> {
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
  const entries = entriesOf(schema)
  if (entries !== undefined) {
    refuseUnknown(Object.keys(options), Object.keys(entries), of)
    // A strict object reports a missing option by its key alone; what it must be, its own schema says.
    for (const [name, entry] of Object.entries(entries))
      if (isRequired(entry) && !(name in options)) options[name] = undefined
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
      entries !== undefined && issue !== undefined && !issue.message.startsWith('Invalid')
        ? `Expected \`${name}\` of ${of} to be ${issue.message}, got \`${came}\`.`
        : `Option \`${name}\` of ${of}: ${printable(issue?.message ?? 'not valid')} (got \`${came}\`).`,
    )
  }
  return frozen(result.value)
}

function refuseUnknown(given: readonly string[], known: readonly string[], of: string): void {
  for (const name of given) {
    if (known.includes(name)) continue
    throw new ChaosError('CHAOS_INVALID_OPTION', unknownName(`option of ${of}`, name, known))
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
