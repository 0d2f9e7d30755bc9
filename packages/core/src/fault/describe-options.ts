import * as v from 'valibot'
import { portablePart, schemaOf, type Option, type OptionEntries } from './option.js'

/** One option as data: what docs and editors show of it. */
export interface OptionInfo {
  readonly name: string
  readonly description: string
  readonly isRequired: boolean
  /** What it is when it is left out; `undefined` when there is no default. */
  readonly default: unknown
  /** Whether JSON cannot carry it, or a form of it: a function, a signal. */
  readonly isInProcess: boolean
}

/** Every option of a declaration, those that work in process only included. */
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

/** The description of an option, or of the first of its parts or forms that has one. */
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

/** A default that is a function stands in a function: the schema library calls it. */
const valueOf = (value: unknown): unknown => (typeof value === 'function' ? (value as () => unknown)() : value)
