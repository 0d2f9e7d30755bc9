import { parseArgs } from 'node:util'
import { ChaosError } from '@chaos/core'
import { messageOf, unknownName } from '@chaos/core/authoring'

/** The options of a verb: those with a value, and switches. */
export interface OptionSpecs {
  readonly values?: readonly string[]
  readonly switches?: readonly string[]
}

/** What was typed after a verb. */
export interface Arguments {
  texts(name: string): readonly string[]
  /** @throws ChaosError `CHAOS_INVALID_OPTION` when it was given more than once */
  text(name: string): string | undefined
  isOn(name: string): boolean
}

/**
 * Reads the options of a verb.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an unknown option, one without its value, or any other argument
 */
export function readArguments(given: readonly string[], { values = [], switches = [] }: OptionSpecs): Arguments {
  const found = parsed(given, values, switches)
  const texts = (name: string): readonly string[] => {
    const value = found[name]
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
  }
  return {
    texts,
    text(name) {
      const [first, ...more] = texts(name)
      if (more.length === 0) return first
      throw usage(`\`--${name}\` was given ${1 + more.length} times. Give it once.`)
    },
    isOn: (name) => found[name] === true,
  }
}

function parsed(
  given: readonly string[],
  values: readonly string[],
  switches: readonly string[],
): Readonly<Record<string, unknown>> {
  try {
    return parseArgs({
      args: [...given],
      options: {
        ...Object.fromEntries(values.map((name) => [name, { type: 'string', multiple: true }] as const)),
        ...Object.fromEntries(switches.map((name) => [name, { type: 'boolean' }] as const)),
      },
    }).values
  } catch (error) {
    const said = messageOf(error, { max: 500, lines: true }).replace(/\s*\n/g, ' ')
    const unknown = /Unknown option '(--?[^']*)'/.exec(said)?.[1]
    const known = [...values, ...switches].map((name) => `--${name}`)
    throw usage(unknown === undefined ? said : unknownName('option', unknown, known))
  }
}

/** An error of whoever typed the command. */
export const usage = (message: string): ChaosError => new ChaosError('CHAOS_INVALID_OPTION', message)
