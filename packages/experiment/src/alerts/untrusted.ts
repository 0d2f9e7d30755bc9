import { own } from '../shared/answer.js'

/** Most entries of a list of the monitoring: alerts, rules, targets. */
const MAX_ENTRIES = 10_000
/** Most labels of one alert, and the longest name or value of one, in characters. */
const MAX_LABELS = 64
const MAX_LABEL = 1_024

/** Reads a list at a key. @throws An error in words when the value is not a list, or has more than 10,000 entries */
export function listAt(value: unknown, key: string): readonly unknown[] {
  return listOf(own(value, key), key)
}

/** Checks that an answer is a list. @throws An error in words when it is not, or has more than 10,000 entries */
export function listOf(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value))
    throw new Error(`Expected a list of ${name} of the monitoring, got ${value === null ? 'null' : typeof value}.`)
  if (value.length > MAX_ENTRIES)
    throw new Error(`Expected at most ${MAX_ENTRIES} ${name} of the monitoring, got ${value.length}.`)
  return value as readonly unknown[]
}

/** Reads a text at a key; `undefined` if the value there is not a text. */
export function textAt(value: unknown, key: string): string | undefined {
  const text = own(value, key)
  return typeof text === 'string' ? text : undefined
}

/** Checks labels: names and texts. @throws An error in words when they are something else, too many or too long */
export function labelsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('Expected labels of the monitoring to be names and texts.')
  const entries = Object.entries(value)
  if (entries.length > MAX_LABELS)
    throw new Error(`Expected at most ${MAX_LABELS} labels of the monitoring, got ${entries.length}.`)
  for (const [name, text] of entries) {
    if (typeof text !== 'string') throw new Error('Expected labels of the monitoring to be names and texts.')
    if (name.length > MAX_LABEL || text.length > MAX_LABEL)
      throw new Error(`Expected labels of the monitoring of at most ${MAX_LABEL} characters, got a longer one.`)
  }
  return Object.fromEntries(entries)
}

/** The name of an alert, and its other labels. */
export function alertOf(value: unknown): { readonly name: string; readonly labels: Readonly<Record<string, string>> } {
  const { alertname = '', ...labels } = labelsOf(value)
  return { name: alertname, labels }
}

/** Reads a time as the monitoring writes it, in ms since the epoch; 0 stands for "never", `undefined` for what is not a time. */
export function timeAt(value: unknown, key: string): number | undefined {
  const time = Date.parse(textAt(value, key) ?? '')
  return Number.isNaN(time) ? undefined : Math.max(0, time)
}

/** The oldest of some times; `undefined` if there are none, or if one is unknown. */
export function oldest(times: readonly (number | undefined)[]): number | undefined {
  return times.reduce<number | undefined>(
    (least, time) => (least === undefined || time === undefined ? undefined : Math.min(least, time)),
    times.length === 0 ? undefined : Number.POSITIVE_INFINITY,
  )
}
