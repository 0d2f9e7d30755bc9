import { parseArgs } from 'node:util'
import { ChaosError } from '@chaos/core'
import { messageOf, printable, unknownName } from '@chaos/core/authoring'
import { parseDuration } from './duration.js'

/** An option of a verb. */
interface OptionSpec {
  /** What help shows for its value, such as `<time>`. Absent: a switch. */
  readonly value?: string
  /** Whether it may be given several times. */
  readonly isMany?: true
  readonly help: string
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>

/** What was typed after a verb. */
export interface Arguments {
  readonly positionals: readonly string[]
  text(name: string): string | undefined
  texts(name: string): readonly string[]
  isOn(name: string): boolean
  /** A time in ms. @throws ChaosError `CHAOS_INVALID_OPTION` */
  time(name: string): number | undefined
  /** @throws ChaosError `CHAOS_INVALID_OPTION` */
  number(name: string): number | undefined
}

/** The longest argument, in characters. */
const MAX_ARGUMENT = 65_536

/**
 * Reads the arguments of a verb.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an unknown option, one without its value, or one that was given twice.
 */
export function readArguments(given: readonly string[], specs: OptionSpecs): Arguments {
  if (given.some(({ length }) => length > MAX_ARGUMENT))
    throw usage(`An argument is longer than ${MAX_ARGUMENT} characters.`)
  const { values, positionals } = parsed(given, specs)
  const texts = (name: string): readonly string[] => {
    const found = values[name]
    return Array.isArray(found) ? found.filter((one) => typeof one === 'string') : []
  }
  const text = (name: string): string | undefined => {
    const [first, ...more] = texts(name)
    if (more.length > 0) throw usage(`\`--${name}\` was given ${1 + more.length} times. Give it once.`)
    return first
  }
  return {
    positionals,
    text,
    texts,
    isOn: (name) => values[name] === true,
    time(name) {
      const found = text(name)
      return found === undefined ? undefined : parseDuration(found, `--${name}`)
    },
    number(name) {
      const found = text(name)
      if (found === undefined) return undefined
      const value = found.trim() === '' ? Number.NaN : Number(found)
      if (Number.isFinite(value)) return value
      throw usage(`Expected \`--${name}\` to be a number, got \`${printable(found)}\`.`)
    },
  }
}

function parsed(given: readonly string[], specs: OptionSpecs): ReturnType<typeof parseArgs> {
  try {
    return parseArgs({
      args: [...given],
      allowPositionals: true,
      // Every text may be repeated as far as the parser is concerned, so that a repetition is no silent change of mind.
      options: Object.fromEntries(
        Object.entries(specs).map(([name, { value }]) => [
          name,
          value === undefined ? { type: 'boolean' as const } : { type: 'string' as const, multiple: true },
        ]),
      ),
    })
  } catch (error) {
    const said = messageOf(error, { max: 500, lines: true }).replace(/\s*\n/g, ' ')
    const unknown = /Unknown option '(--?[^']*)'/.exec(said)?.[1]
    throw usage(
      unknown === undefined
        ? said
        : unknownName(
            'option',
            unknown,
            Object.keys(specs).map((name) => `--${name}`),
          ),
    )
  }
}

export const usage = (message: string): ChaosError => new ChaosError('CHAOS_INVALID_OPTION', message)
