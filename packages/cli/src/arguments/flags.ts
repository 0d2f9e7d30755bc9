import { ChaosError, listed, suggestion, type FaultInfo } from '@chaos/core'
import { parseDuration } from './duration.js'

/** A JSON Schema of one option, as far as flags are made from it. */
interface OptionSchema {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly OptionSchema[]
  readonly description?: string
  readonly default?: unknown
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A schema that a process serves, as far as it is one: anything else says nothing of its option. */
function schemaOf(served: unknown): OptionSchema {
  if (!isObject(served)) return {}
  const { type, enum: choices, anyOf, description, default: fallback } = served
  return {
    ...(typeof type === 'string' ? { type } : {}),
    ...(Array.isArray(choices) ? { enum: choices } : {}),
    ...(Array.isArray(anyOf)
      ? { anyOf: anyOf.filter(isObject).map(({ type: one }) => (typeof one === 'string' ? { type: one } : {})) }
      : {}),
    ...(typeof description === 'string' ? { description } : {}),
    ...(fallback === undefined ? {} : { default: fallback }),
  }
}

/** A flag that stands for one option of a fault. */
export interface Flag {
  /** `--delay-ms` */
  readonly flag: string
  /** `delayMs` */
  readonly option: string
  /** What to write behind it: `<number>`; empty for a switch. */
  readonly value: string
  readonly description: string
  readonly isRequired: boolean
  readonly schema: OptionSchema
}

/**
 * The flags of a fault, made from the schema that the process serves.
 *
 * @param taken Flags of the command itself: an option of that name is given as `--with-<option>`.
 */
export function flagsOf({ options }: FaultInfo, taken: ReadonlySet<string>): readonly Flag[] {
  const { properties, required } = options
  const isNeeded = new Set<unknown>(Array.isArray(required) ? required : [])
  return (isObject(properties) ? Object.entries(properties) : [])
    .map(([option, served]) => [option, schemaOf(served)] as const)
    .map(([option, schema]) => ({
      flag: taken.has(flagName(option)) ? withFlag(option) : flagName(option),
      option,
      value: valueWord(schema, option),
      description: [
        schema.description ?? '',
        schema.default === undefined
          ? ''
          : `Default ${typeof schema.default === 'string' ? schema.default : JSON.stringify(schema.default)}.`,
      ]
        .filter(Boolean)
        .join(' '),
      isRequired: isNeeded.has(option) && schema.default === undefined,
      schema,
    }))
}

/** `delayMs` as it is written on the command line: `--delay-ms`. */
export function flagName(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** The form that no flag of the command takes away: `--with-delay-ms`. */
const withFlag = (option: string): string => flagName(option).replace('--', '--with-')

function valueWord(schema: OptionSchema, option: string): string {
  if (schema.enum !== undefined)
    return `<${schema.enum.map((choice) => (typeof choice === 'string' ? choice : JSON.stringify(choice))).join('|')}>`
  if (schema.type === 'boolean') return ''
  if (isList(schema)) return '<name...>'
  if (option.endsWith('Ms')) return '<time>'
  return `<${schema.type ?? 'json'}>`
}

const isList = ({ type, anyOf }: OptionSchema): boolean =>
  type === 'array' || anyOf?.some((choice) => choice.type === 'array') === true

/**
 * Turns flags into options. Numbers are numbers, times may have units (`10s`), a list may be given by repeating its flag or with commas.
 *
 * @param given Arguments as they came: `--delay-ms`, `1000`, `--order=keep`.
 * @throws ChaosError `CHAOS_INVALID_OPTION`
 */
export function readFlags(
  fault: FaultInfo,
  given: readonly string[],
  taken: ReadonlySet<string>,
): Record<string, unknown> {
  const flags = flagsOf(fault, taken)
  const known = flags.map(({ flag }) => flag)
  const options: Record<string, unknown> = {}
  for (let index = 0; index < given.length; index += 1) {
    const argument = given[index] ?? ''
    const [name, inline] = splitOnce(argument)
    const negated = name.startsWith('--no-')
    const wanted = negated ? `--${name.slice(5)}` : name
    const found =
      flags.find(({ flag }) => flag === wanted) ??
      flags.find(({ option }) => `--${option}` === wanted || withFlag(option) === wanted)
    if (!argument.startsWith('--') || found === undefined || (negated && found.schema.type !== 'boolean')) {
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `Expected an option of ${fault.name} (${listed(known)}), got \`${argument}\`.${suggestion(wanted, known)}`,
      )
    }
    if (found.schema.type === 'boolean') {
      options[found.option] = inline === undefined ? !negated : booleanOf(inline, found.flag)
      continue
    }
    const text = inline ?? given[(index += 1)]
    if (text === undefined || (inline === undefined && text.startsWith('--')))
      throw new ChaosError('CHAOS_INVALID_OPTION', `Expected a value behind ${found.flag}, got none.`)
    options[found.option] = isList(found.schema)
      ? [...((options[found.option] as unknown[] | undefined) ?? []), ...text.split(',')]
      : valueOf(text, found)
  }
  const missing = flags.find(({ isRequired, option }) => isRequired && options[option] === undefined)
  if (missing !== undefined)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected ${missing.flag} ${missing.value} of ${fault.name}, got none. ${missing.description}`,
    )
  return options
}

function valueOf(text: string, { schema, option, flag }: Flag): unknown {
  const { type } = schema
  if (type === 'number' || type === 'integer') {
    if (option.endsWith('Ms')) return parseDuration(text)
    const value = Number(text)
    if (text.trim() === '' || Number.isNaN(value))
      throw new ChaosError('CHAOS_INVALID_OPTION', `Expected a number behind ${flag}, got \`${text}\`.`)
    return value
  }
  if (type === 'string' || schema.enum !== undefined) return text
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

function booleanOf(text: string, flag: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  throw new ChaosError('CHAOS_INVALID_OPTION', `Expected true or false behind ${flag}, got \`${text}\`.`)
}

function splitOnce(argument: string): readonly [string, string | undefined] {
  const at = argument.indexOf('=')
  return at === -1 ? [argument, undefined] : [argument.slice(0, at), argument.slice(at + 1)]
}
