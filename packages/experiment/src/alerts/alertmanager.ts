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
  timeoutMs: v.optional(spanMs('Longest wait for an answer.'), DEFAULT_TIMEOUT_MS),
  watchdog: v.optional(
    named(
      'Name of an alert that always fires (often `Watchdog`). An Alertmanager does not know whether rules are evaluated; Prometheus sends this alert again once a minute, which shows that they are. It is not reported as an alert. Default: none, and the run is inconclusive unless another source shows it.',
    ),
  ),
})

/** Options of {@link alertmanagerAlerts}. */
export type AlertmanagerAlertsOptions = Readonly<v.InferInput<typeof schema>>

/** What Alertmanager holds the first notification of a group back for when its configuration does not say, in ms. */
const DEFAULT_GROUP_WAIT_MS = 30_000
/** Prometheus sends an alert that goes on firing again once a minute (`--rules.alert.resend-delay`). */
const RESEND_MS = 60_000
/** Longest configuration that is read, in characters, and deepest route in it. */
const MAX_CONFIG = 500_000
const MAX_DEPTH = 50
/** The `Date` header is in whole seconds, and some servers write it once a second. */
const DATE_ERROR_MS = 1_000

/**
 * Reads the alerts of an Alertmanager (API v2): every alert that it has is firing, and it knows which are silenced or inhibited.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION`
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
        throw new Error(`Expected a configuration of at most ${MAX_CONFIG} characters, got ${original.length}.`)
      if (isTooDeep(original))
        throw new Error(`Expected a configuration of at most ${MAX_NESTING} levels, got one that is nested deeper.`)
      // Keys are not compared with one another, which would take long for very many.
      const route = own(parse(original, { uniqueKeys: false }), 'route')
      return {
        ...(watchdog === undefined ? {} : { evaluationIntervalMs: RESEND_MS }),
        groupWaitMs: route === undefined ? DEFAULT_GROUP_WAIT_MS : longestWaitMs(route, DEFAULT_GROUP_WAIT_MS),
      }
    },
    async health(signal) {
      const { json, date, askedAt, answeredAt } = await getJson(url, '/api/v2/alerts', timeoutMs, signal)
      const dogs =
        watchdog === undefined
          ? []
          : listOf(json, 'alerts').filter((alert) => alertOf(own(alert, 'labels')).name === watchdog)
      return {
        now: date === undefined ? undefined : date + DATE_ERROR_MS / 2 + performance.now() - (askedAt + answeredAt) / 2,
        nowErrorMs: date === undefined ? 0 : DATE_ERROR_MS + (answeredAt - askedAt) / 2,
        evaluatedAt: oldest(dogs.map((alert) => timeAt(alert, 'updatedAt'))),
        scrapedAt: undefined,
        problems:
          watchdog !== undefined && dogs.length === 0 ? [`The alert ${watchdog}, which always fires, does not`] : [],
      }
    },
  }
}

/** The reader, for the list of all. */
export const alertmanagerReader = alertReaderType({
  type: 'alertmanager',
  summary: 'Reads the alerts of an Alertmanager.',
  schema,
  read: alertmanagerAlerts,
})

/** The longest wait of a route and of those below it, which take over what they do not say. */
function longestWaitMs(route: unknown, inherited: number, depth = 0): number {
  if (depth > MAX_DEPTH) throw new Error(`Expected routes that are nested at most ${MAX_DEPTH} deep.`)
  const waitMs = durationMs(textAt(route, 'group_wait') ?? '') ?? inherited
  const routes = own(route, 'routes')
  return (Array.isArray(routes) ? (routes as readonly unknown[]) : []).reduce<number>(
    (longest, below) => Math.max(longest, longestWaitMs(below, waitMs, depth + 1)),
    waitMs,
  )
}
