import { checkOptions, messageOf, option, optionsSchema, printable } from '@chaos/core/authoring'
import { poll, waitOptions, type WaitOptions } from './poll.js'
import { result, type MatcherResult } from './result.js'

/** An alert that is active, as an alert reader of `@chaos/experiment` tells it. */
interface Alert {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly state: string
}

/** An alert reader of `@chaos/experiment`, or any object that reads alerts. */
interface AlertSource {
  readonly source?: string
  readonly read: (signal?: AbortSignal) => Promise<readonly Alert[]>
}

/** How an alert is awaited. */
export interface ExpectedAlert extends WaitOptions {
  /** Labels that it must have, among others. */
  readonly labels?: Readonly<Record<string, string>>
  /** The time in which it must fire, in ms. Default 0: it fires now. */
  readonly withinMs?: number
}

const schema = optionsSchema({
  ...waitOptions,
  name: option.text('Name of the alert.', 1_024),
  labels: option.optional(option.fields('Labels that it must have.'), {}),
  withinMs: option.optional(option.durationMs('Time in which it must fire, in ms.'), 0),
})
const LISTED = 10

/**
 * Whether an alert fires.
 *
 * @param received Reads the alerts: any alert reader of `@chaos/experiment`.
 * @param name The name of the alert.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid name or option; an error if the alerts cannot be read. Then it is not known
 *   whether the alert fires, so `not` is not met either.
 */
export async function toHaveFiredAlert(
  received: unknown,
  name: string,
  expected: ExpectedAlert = {},
): Promise<MatcherResult> {
  assertSource(received)
  const { labels: given, withinMs, ...wait } = checkOptions(schema, { ...expected, name }, 'toHaveFiredAlert')
  const labels = Object.fromEntries(Object.entries(given).map(([label, value]) => [label, String(value)]))
  const isMeant = (alert: Alert): boolean =>
    alert.name === name && Object.entries(labels).every(([label, value]) => alert.labels[label] === value)
  /** What the last look that ended has read, or why it has read nothing. */
  const last: { seen: string; unread: string | undefined } = { seen: '', unread: 'no answer' }
  const look = async (signal?: AbortSignal): Promise<boolean> => {
    try {
      const alerts = await received.read(signal)
      last.seen = listed(alerts)
      const isFiring = alerts.some((alert) => isMeant(alert) && alert.state === 'firing')
      last.unread = undefined
      return isFiring
    } catch (error) {
      if (signal?.aborted !== true) last.unread = messageOf(error, { max: 500 })
      return false
    }
  }
  const fires = withinMs === 0 ? await look() : (await poll(look, withinMs, wait)).isMet
  const wanted = `the alert ${shown({ name, labels })}`
  const time = withinMs === 0 ? '' : ` within ${withinMs} ms`
  const from = received.source === undefined ? '' : ` (${printable(received.source, { max: 200 })})`
  if (last.unread !== undefined)
    throw new Error(`Whether ${wanted} fires${time} is not known. The alerts${from} could not be read: ${last.unread}.`)
  return result(
    fires,
    () => `Expected ${wanted} to fire${time}. Active at the last look${from}: ${last.seen}.`,
    () => `Expected ${wanted} not to fire${time}. Active at the last look${from}: ${last.seen}.`,
  )
}

function listed(alerts: readonly Alert[]): string {
  if (alerts.length === 0) return 'no alert'
  const texts = alerts.slice(0, LISTED).map((alert) => `${shown(alert)} ${printable(alert.state, { max: 20 })}`)
  return [...texts, ...(alerts.length > LISTED ? [`and ${alerts.length - LISTED} more`] : [])].join(', ')
}

function shown({ name, labels }: Pick<Alert, 'name' | 'labels'>): string {
  const pairs = Object.entries(labels).slice(0, LISTED)
  const text = pairs.map(([label, value]) => `${label}="${value}"`).join(', ')
  return printable(pairs.length === 0 ? name : `${name}{${text}}`, { max: 400 })
}

function assertSource(value: unknown): asserts value is AlertSource {
  if (typeof value !== 'object' || value === null || !('read' in value) || typeof value.read !== 'function')
    throw new TypeError(
      'toHaveFiredAlert expects an alert reader, such as `prometheusAlerts` of @chaos/experiment makes.',
    )
}
