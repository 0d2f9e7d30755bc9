import * as v from 'valibot'
import { portablePart, schemaOf, type Option, type OptionEntries } from './option.js'

/** Describes one option as data, for docs and editors. */
export interface OptionInfo {
  readonly name: string
  readonly description: string
  readonly isRequired: boolean
  /** The default; `undefined` without one. */
  readonly default: unknown
  /** Whether JSON cannot carry the option, or one of its forms: a function, a signal. */
  readonly isInProcess: boolean
}

/** Describes every option of a declaration, including those that work in process only. */
export function describeOptions(entries: OptionEntries): readonly OptionInfo[] {
  return Object.entries(entries).map(([name, entry]) => {
    const schema = schemaOf(entry)
    return {
      name,
      description: descriptionOf(entry) ?? '',
      isRequired: schema.type !== 'optional',
      default: 'default' in schema ? valueOf(schema.default) : undefined,
      isInProcess: portablePart(entry) !== schema,
    }
  })
}

/** The description of an option, else of its first described part or form. */
function descriptionOf(entry: Option): string | undefined {
  const own = v.getDescription(schemaOf(entry))
  if (own !== undefined) return own
  const {
    wrapped,
    item,
    options = [],
  } = entry as Partial<Record<'wrapped' | 'item', Option>> & {
    readonly options?: readonly unknown[]
  }
  return [wrapped, item, ...options]
    .map((part) => (typeof part === 'object' && part !== null ? descriptionOf(part as Option) : undefined))
    .find((description) => description !== undefined)
}

/** The schema library wraps a default in a function if the default itself is a function. */
const valueOf = (value: unknown): unknown => (typeof value === 'function' ? (value as () => unknown)() : value)
