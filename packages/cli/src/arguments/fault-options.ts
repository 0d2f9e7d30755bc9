import { InvalidArgumentError, Option, type Command } from 'commander'
import { type FaultInfo } from '@chaos/core'
import { listed, printable, suggestion } from '@chaos/core/authoring'
import { parseDuration } from './duration.js'
import { namesOf, parseNumber } from './values.js'

/** The JSON Schema of one option, as far as an option of the command line is made from it. */
interface OptionSchema {
  readonly type?: string
  readonly choices?: readonly string[]
  readonly isList: boolean
  readonly description: string
  readonly default?: unknown
}

/** An option of a fault on the command line. */
export interface FaultOption {
  /** `delayMs` */
  readonly name: string
  /** `--delay-ms <time>`, as help shows it. */
  readonly shown: Option
  readonly isRequired: boolean
  /** Other spellings: `--delayMs`, `--with-delay-ms`, `--no-` before a switch. */
  readonly aliases: readonly Option[]
}

/** A process is a stranger: more options than any fault has, and longer texts than any option has, are not shown. */
const MAX_OPTIONS = 200
const MAX_DESCRIPTION = 2_000
/** The choices in a placeholder, in characters; in a description and in an error message, by number. */
const MAX_PLACEHOLDER = 40
const MAX_CHOICES = 200
const MAX_CHOICES_OF_ERROR = 10

/**
 * The options of a fault, made from the JSON Schema that the process serves. Names that cannot be typed are left out.
 *
 * @param taken Flags of the command itself: an option of that name is `--with-<option>`.
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
      // `--no-<option>` is how a switch is turned off.
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
 * Adds the options of a fault to a command, in front of its own in help.
 *
 * @returns Reads what was given for them, once the command has parsed its arguments.
 */
export function addFaultOptions(command: Command, info: FaultInfo): () => Readonly<Record<string, unknown>> {
  const own = [...command.options]
  const options = faultOptions(info, new Set(own.map(({ long }) => long ?? '')))
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

/** `delayMs` as it is written on the command line: `--delay-ms`. */
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
    // A description may say it in words, where the number alone means little.
    fallback === undefined || /\bdefault\b/i.test(description) ? '' : `(default: ${shownValue(fallback)})`,
  ]
    .filter(Boolean)
    .join(' ')
}

const more = ({ length }: readonly unknown[]): string =>
  length > MAX_CHOICES ? ` and ${length - MAX_CHOICES} more` : ''
const shownValue = (value: unknown): string => printable(JSON.stringify(value), { max: MAX_DESCRIPTION })
const isTime = (name: string, type: string | undefined): boolean => type === 'number' && name.endsWith('Ms')

/** Turns the text behind an option into its value. @throws InvalidArgumentError */
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
      return text
    }
  }
}

/** @throws InvalidArgumentError with the nearest choice, or all of them where there are few */
function chosen(text: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text
  const near = suggestion(text, choices)
  if (near !== '') throw new InvalidArgumentError(near.trimStart())
  throw new InvalidArgumentError(
    choices.length > MAX_CHOICES_OF_ERROR ? '`--help` lists the choices.' : `Expected one of ${listed(choices)}.`,
  )
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A schema that a process serves, as far as it is valid: anything else says nothing about its option. */
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
