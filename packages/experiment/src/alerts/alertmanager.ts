import * as v from 'valibot'
import { parse } from 'yaml'
import { MAX_NESTING, isTooDeep } from '../shared/yaml-nesting.js'
import { own } from '../shared/answer.js'
import { address, named, spanMs } from '../shared/schemas.js'
import { durationMs } from '../shared/duration.js'
import { alertReaderType, optionsOf } from './alert-reader-type.js'
import { DEFAULT_TIMEOUT_MS, getJson } from './get-json.js'
import type { ActiveAlert, AlertReader } from './reader.js'
import { alertOf, listOf, oldest, textAt, timeAt } from './untrusted.js'

const schema = v.strictObject({
  url: address('Address of the Alertmanager.'),
  timeoutMs: v.optional(spanMs('Longest wait for an answer, in ms. Default 5000.'), DEFAULT_TIMEOUT_MS),
  watchdog: v.optional(
    named(
      'Name of an alert that always fires (often `Watchdog`). Prometheus resends it once a minute, which proves that rules are evaluated; an Alertmanager alone cannot prove that. The watchdog is not reported as an alert. Default: none; the run is then inconclusive unless another source proves it.',
    ),
  ),
})

/** Options of {@link alertmanagerAlerts}. */
export type AlertmanagerAlertsOptions = Readonly<v.InferInput<typeof schema>>

/** Alertmanager's default `group_wait`: how long it holds back the first notification of a group, in ms. */
const DEFAULT_GROUP_WAIT_MS = 30_000
/** How often Prometheus resends a firing alert, in ms (default of its `--rules.alert.resend-delay`). */
const RESEND_MS = 60_000
/** Limits of an Alertmanager configuration: its length in characters and the depth of its route tree. */
const MAX_CONFIG = 500_000
const MAX_DEPTH = 50
/** Error of the `Date` header, in ms. The header has whole seconds, and some servers update it once a second. */
const DATE_ERROR_MS = 1_000

/**
 * Reads alerts from an Alertmanager (API v2). Every alert that it lists is firing. Silenced and inhibited alerts are
 * marked with `isSilenced`.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when an option is unknown or its value is invalid
 */
export function alertmanagerAlerts(options: AlertmanagerAlertsOptions): AlertReader {
  const { url, timeoutMs, watchdog } = optionsOf(schema, options, 'alertmanagerAlerts')
  return {
    source: url,
    isReceiver: true,
    async read(signal) {
      const { json } = await getJson(url, '/api/v2/alerts', timeoutMs, signal)
      return listOf(json, 'alerts').flatMap((alert): ActiveAlert[] => {
        const [named, activeAt, status] = [
          alertOf(own(alert, 'labels')),
          timeAt(alert, 'startsAt'),
          own(alert, 'status'),
        ]
        if (named.name === watchdog) return []
        const isSilenced = ['silencedBy', 'inhibitedBy', 'mutedBy'].some((key) => {
          const by = own(status, key)
          return Array.isArray(by) && by.length > 0
        })
        return [{ ...named, state: 'firing', ...(activeAt === undefined ? {} : { activeAt }), isSilenced }]
      })
    },
    async timing(signal) {
      const { json } = await getJson(url, '/api/v2/status', timeoutMs, signal)
      const original = textAt(own(json, 'config'), 'original') ?? ''
      if (original.length > MAX_CONFIG)
        throw new Error(`The configuration has ${original.length} characters, more than ${MAX_CONFIG}.`)
      if (isTooDeep(original)) throw new Error(`The configuration is nested deeper than ${MAX_NESTING} levels.`)
      // `uniqueKeys: false` skips a comparison of all key pairs, whose time grows with the square of their number.
      const route = own(parse(original, { uniqueKeys: false }), 'route')
      return {
        ...(watchdog === undefined ? {} : { evaluationIntervalMs: RESEND_MS }),
        groupWaitMs: route === undefined ? DEFAULT_GROUP_WAIT_MS : longestWaitMs(route, DEFAULT_GROUP_WAIT_MS),
      }
    },
    async health(signal) {
      const { json, date, askedAt, answeredAt } = await getJson(url, '/api/v2/alerts', timeoutMs, signal)
      const watchdogAlerts =
        watchdog === undefined
          ? []
          : listOf(json, 'alerts').filter((alert) => alertOf(own(alert, 'labels')).name === watchdog)
      return {
        now: date === undefined ? undefined : date + DATE_ERROR_MS / 2 + performance.now() - (askedAt + answeredAt) / 2,
        nowErrorMs: date === undefined ? 0 : DATE_ERROR_MS + (answeredAt - askedAt) / 2,
        evaluatedAt: oldest(watchdogAlerts.map((alert) => timeAt(alert, 'updatedAt'))),
        scrapedAt: undefined,
        problems:
          watchdog !== undefined && watchdogAlerts.length === 0
            ? [`The alert ${watchdog}, which always fires, does not`]
            : [],
      }
    },
  }
}

/** The entry of this reader in `ALERT_READERS`. */
export const alertmanagerReader = alertReaderType({
  type: 'alertmanager',
  summary: 'Reads the alerts of an Alertmanager.',
  schema,
  read: alertmanagerAlerts,
})

/** The longest `group_wait` of a route and its child routes. A child inherits the value that it does not set. */
function longestWaitMs(route: unknown, inherited: number, depth = 0): number {
  if (depth > MAX_DEPTH) throw new Error(`The routes are nested deeper than ${MAX_DEPTH} levels.`)
  const waitMs = durationMs(textAt(route, 'group_wait') ?? '') ?? inherited
  const routes = own(route, 'routes')
  return (Array.isArray(routes) ? (routes as readonly unknown[]) : []).reduce<number>(
    (longest, below) => Math.max(longest, longestWaitMs(below, waitMs, depth + 1)),
    waitMs,
  )
}
