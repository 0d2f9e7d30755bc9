import { own } from '../shared/answer.js'

/** The most entries in a list from a monitoring system: alerts, rules, targets. */
const MAX_ENTRIES = 10_000
/** The most labels of one alert, and the longest label name or value, in characters. */
const MAX_LABELS = 64
const MAX_LABEL = 1_024

/** Reads a list at a key. @throws Error when the value is not a list or has more than 10,000 entries */
export function listAt(value: unknown, key: string): readonly unknown[] {
  return listOf(own(value, key), key)
}

/** Checks that an answer is a list. @throws Error when it is not, or has more than 10,000 entries */
export function listOf(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value))
    throw new Error(
      `The monitoring system sent no list of ${name}, but ${value === null ? 'null' : `a value of type ${typeof value}`}.`,
    )
  if (value.length > MAX_ENTRIES)
    throw new Error(`The monitoring system sent ${value.length} ${name}, more than ${MAX_ENTRIES}.`)
  return value as readonly unknown[]
}

/** Reads a string at a key; `undefined` for any other value. */
export function textAt(value: unknown, key: string): string | undefined {
  const text = own(value, key)
  return typeof text === 'string' ? text : undefined
}

/** Checks that a value is a set of labels. @throws Error when it is not, or has too many or too long labels */
export function labelsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('The monitoring system sent labels that are not strings.')
  const entries = Object.entries(value)
  if (entries.length > MAX_LABELS)
    throw new Error(`The monitoring system sent an alert with ${entries.length} labels, more than ${MAX_LABELS}.`)
  for (const [name, text] of entries) {
    if (typeof text !== 'string') throw new Error('The monitoring system sent labels that are not strings.')
    if (name.length > MAX_LABEL || text.length > MAX_LABEL)
      throw new Error(`The monitoring system sent a label of more than ${MAX_LABEL} characters.`)
  }
  return Object.fromEntries(entries)
}

/** Splits the labels of an alert into its name and its other labels. */
export function alertOf(value: unknown): { readonly name: string; readonly labels: Readonly<Record<string, string>> } {
  const { alertname = '', ...labels } = labelsOf(value)
  return { name: alertname, labels }
}

/** Reads an RFC 3339 time at a key, in ms since the epoch. 0: never. `undefined`: not a time. */
export function timeAt(value: unknown, key: string): number | undefined {
  const time = Date.parse(textAt(value, key) ?? '')
  return Number.isNaN(time) ? undefined : Math.max(0, time)
}

/** The oldest of several times; `undefined` if there are none or one is unknown. */
export function oldest(times: readonly (number | undefined)[]): number | undefined {
  return times.reduce<number | undefined>(
    (least, time) => (least === undefined || time === undefined ? undefined : Math.min(least, time)),
    times.length === 0 ? undefined : Number.POSITIVE_INFINITY,
  )
}
