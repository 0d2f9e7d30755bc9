import type { FaultInfo, JsonSchema } from '@chaos/core'

/** What help says of a fault whose options are declared elsewhere. */
export const ANY_OPTION =
  'Its options are not listed here. Pass them by name, such as --delay-ms 500; they are checked where the fault is injected.'

/** Whether the schema of a fault leaves its options open: they are declared where it is injected, such as in each process of many. */
export const takesAnyOption = ({ options }: FaultInfo): boolean =>
  options['properties'] === undefined && options['additionalProperties'] !== false

/**
 * Completes a fault whose schema leaves its options open with those that the arguments name, so that they are parsed as declared
 * options are. A value is JSON, else a time if the name of the option ends with `Ms`, else text. An option without a value is a
 * switch, a repeated one a list of names.
 *
 * @param taken Flags of the command itself.
 */
export function withUndeclared(info: FaultInfo, args: readonly string[], taken: ReadonlySet<string>): FaultInfo {
  if (!takesAnyOption(info)) return info
  const properties = new Map<string, JsonSchema>()
  for (const [index, arg] of args.entries()) {
    const [, flag = '', negation, kebab = '', value] = /^(--(no-)?(?:with-)?([a-z][\w-]*))(=.*)?$/s.exec(arg) ?? []
    if (kebab === '' || taken.has(flag) || flag === '--help') continue
    const name = kebab.replace(/-([a-z])/g, (_dash, letter: string) => letter.toUpperCase())
    const isSwitch = negation !== undefined || (value === undefined && (args[index + 1] ?? '--').startsWith('--'))
    properties.set(name, isSwitch ? { type: 'boolean' } : properties.has(name) ? { type: 'array' } : {})
  }
  return { ...info, options: { ...info.options, properties: Object.fromEntries(properties) } }
}
