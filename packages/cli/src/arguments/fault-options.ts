import { InvalidArgumentError, Option, type Command } from 'commander'
import { type FaultInfo } from '@chaos/core'
import { listed, printable, suggestion } from '@chaos/core/authoring'
import { parseDuration } from './duration.js'
import { withUndeclared } from './undeclared-options.js'
import { namesOf, parseNumber } from './values.js'

/** The parts of an option's JSON Schema that the command line uses. */
interface OptionSchema {
  readonly type?: string
  readonly choices?: readonly string[]
  readonly isList: boolean
  readonly description: string
  readonly default?: unknown
}

/** A fault option as a command-line option. */
export interface FaultOption {
  /** The name of the fault option: `delayMs`. */
  readonly name: string
  /** The option that help shows: `--delay-ms <time>`. */
  readonly shown: Option
  readonly isRequired: boolean
  /** Other spellings: `--delayMs`, `--with-delay-ms`, `--no-` before a switch. */
  readonly aliases: readonly Option[]
}

/**
 * Limits for untrusted input from the process: the number of options and the length of a description, in characters.
 */
const MAX_OPTIONS = 200
const MAX_DESCRIPTION = 2_000
/** Limits for choices: the length of a placeholder in characters, and the number in a description and in an error. */
const MAX_PLACEHOLDER = 40
const MAX_CHOICES = 200
const MAX_CHOICES_OF_ERROR = 10

/**
 * Creates the command-line options of a fault from the JSON Schema that the process serves. Names that cannot be typed
 * are left out.
 *
 * @param taken Flags of the command itself. A fault option with such a name becomes `--with-<option>`.
 */
export function faultOptions({ options }: FaultInfo, taken: ReadonlySet<string>): readonly FaultOption[] {
  const { properties, required } = options
  const isNeeded = new Set<unknown>(Array.isArray(required) ? required : [])
  if (!isObject(properties)) return []
  return Object.entries(properties)
    .filter(([name]) => /^[A-Za-z]\w{0,60}$/.test(name))
    .slice(0, MAX_OPTIONS)
    .map(([name, served]) => {
      const schema = schemaOf(served)
      const flag = flagOf(name)
      const withFlag = flag.replace('--', '--with-')
      // `--no-<option>` is reserved for turning a switch off.
      const isTaken = taken.has(flag) || flag === '--help' || flag.startsWith('--no-')
      const [first = withFlag, ...others] = [...(isTaken ? [] : [flag]), withFlag, ...(isTaken ? [] : [`--${name}`])]
      const shown = optionOf(first, name, schema)
      const spelt = [...new Set(others)].filter((other) => other !== first)
      const negated =
        schema.type === 'boolean' ? [first, ...spelt].map((one) => new Option(one.replace('--', '--no-'))) : []
      const aliases = [...spelt.map((other) => optionOf(other, name, schema)), ...negated]
      return {
        name,
        shown,
        aliases: aliases.map((alias) => alias.hideHelp()),
        isRequired: isNeeded.has(name) && schema.default === undefined,
      }
    })
}

/**
 * Adds the options of a fault to a command. Help lists them before the command's own options.
 *
 * @param args The arguments that the command is going to parse.
 * @returns A function that returns the given fault options after the command has parsed its arguments.
 */
export function addFaultOptions(
  command: Command,
  info: FaultInfo,
  args: readonly string[],
): () => Readonly<Record<string, unknown>> {
  const own = [...command.options]
  const taken = new Set(own.map(({ long }) => long ?? ''))
  const options = faultOptions(withUndeclared(info, args, taken), taken)
  for (const { shown, aliases } of options) for (const option of [shown, ...aliases]) command.addOption(option)
  command.configureHelp({
    visibleArguments: () => [],
    visibleOptions: () => [...options.map(({ shown }) => shown), ...own],
  })
  return () => {
    const given: Readonly<Record<string, unknown>> = command.opts()
    return Object.fromEntries(
      options.flatMap(({ name, shown, aliases, isRequired }) => {
        const key = [shown, ...aliases].map((one) => one.attributeName()).find((one) => given[one] !== undefined)
        if (key !== undefined) return [[name, given[key]]]
        if (isRequired) command.error(`error: required option '${shown.flags}' not specified. ${shown.description}`)
        return []
      }),
    )
  }
}

/** Converts a fault option name to a flag: `delayMs` to `--delay-ms`. */
function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

function optionOf(flag: string, name: string, schema: OptionSchema): Option {
  const option = new Option(`${flag} ${placeholderOf(name, schema)}`, descriptionOf(name, schema))
  if (schema.isList) return option.argParser(namesOf)
  return option.argParser(parserOf(name, schema))
}

function placeholderOf(name: string, { type, choices, isList }: OptionSchema): string {
  if (choices !== undefined) {
    const all = choices.join('|')
    return all.length > MAX_PLACEHOLDER || /[^\w./:|-]/.test(all) ? '<choice>' : `<${all}>`
  }
  if (type === 'boolean') return '[true|false]'
  if (isList) return '<name...>'
  return isTime(name, type) ? '<time>' : `<${type ?? 'json'}>`
}

function descriptionOf(name: string, schema: OptionSchema): string {
  const { description, choices, default: fallback } = schema
  const isListed = choices !== undefined && placeholderOf(name, schema) === '<choice>'
  return [
    description,
    isListed ? `One of ${choices.slice(0, MAX_CHOICES).join(', ')}${more(choices)}.` : '',
    // The default is omitted if the description already explains it.
    fallback === undefined || /\bdefault\b/i.test(description) ? '' : `(default: ${shownValue(fallback)})`,
  ]
    .filter(Boolean)
    .join(' ')
}

const more = ({ length }: readonly unknown[]): string =>
  length > MAX_CHOICES ? ` and ${length - MAX_CHOICES} more` : ''
const shownValue = (value: unknown): string => printable(JSON.stringify(value), { max: MAX_DESCRIPTION })
const isTime = (name: string, type: string | undefined): boolean => type === 'number' && name.endsWith('Ms')

/** Returns the parser of an option's value. The parser throws InvalidArgumentError for an invalid text. */
function parserOf(name: string, { type, choices }: OptionSchema): (text: string) => unknown {
  if (choices !== undefined) return (text) => chosen(text, choices)
  if (type === 'boolean') return (text) => chosen(text, ['true', 'false']) === 'true'
  if (isTime(name, type)) return (text) => parseDuration(text)
  if (type === 'number' || type === 'integer') return parseNumber
  if (type === 'string') return (text) => text
  return (text) => {
    try {
      return JSON.parse(text) as unknown
    } catch {
      return name.endsWith('Ms') ? parseDuration(text) : text
    }
  }
}

/** Checks a choice. @throws InvalidArgumentError with the nearest choice, or with all choices if there are few */
function chosen(text: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text
  const near = suggestion(text, choices)
  if (near !== '') throw new InvalidArgumentError(near.trimStart())
  throw new InvalidArgumentError(
    choices.length > MAX_CHOICES_OF_ERROR
      ? 'Run the command with `--help` to list the choices.'
      : `Expected one of ${listed(choices)}.`,
  )
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Reads an untrusted schema. Invalid parts are ignored. */
function schemaOf(served: unknown): OptionSchema {
  const { type, enum: choices, anyOf, description, default: fallback } = isObject(served) ? served : {}
  const texts = Array.isArray(choices) ? choices.filter((choice) => typeof choice === 'string') : []
  return {
    ...(typeof type === 'string' ? { type: /^\w{1,20}$/.test(type) ? type : 'json' } : {}),
    ...(texts.length > 0 && texts.every((text) => /^[!-~ ]{1,200}$/.test(text)) ? { choices: texts } : {}),
    isList: type === 'array' || (Array.isArray(anyOf) && anyOf.some((one) => isObject(one) && one['type'] === 'array')),
    description: typeof description === 'string' ? printable(description, { max: MAX_DESCRIPTION }) : '',
    ...(fallback === undefined ? {} : { default: fallback }),
  }
}
