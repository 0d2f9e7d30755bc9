import { parse } from 'yaml'
import { MAX_NESTING, isTooDeep } from '../shared/yaml-nesting.js'
import { own } from '../shared/answer.js'
import { durationMs } from '../shared/duration.js'
import { DEFAULT_TIMEOUT_MS, getJson } from './get-json.js'
import type { ActiveAlert, AlertReader } from './reader.js'
import { alertOf, listOf, oldest, textAt, timeAt } from './untrusted.js'

/** Options of {@link alertmanagerAlerts}. */
export interface AlertmanagerAlertsOptions {
  /** Address of the Alertmanager. */
  readonly url: string
  /** Longest wait for an answer, in ms. Default 5,000. */
  readonly timeoutMs?: number
  /**
   * Name of an alert that always fires (often `Watchdog`): an Alertmanager cannot tell by itself whether rules are evaluated, but whoever evaluates
   * them sends this one again and again (Prometheus once a minute). It is not reported as an alert. Default: none, and nobody knows.
   */
  readonly watchdog?: string
}

/** What Alertmanager holds the first notification of a group back for when its configuration does not say, in ms. */
const DEFAULT_GROUP_WAIT_MS = 30_000
/** Prometheus sends an alert that goes on firing again once a minute (`--rules.alert.resend-delay`). */
const RESEND_MS = 60_000
/** Longest configuration that is read, in characters, and deepest route in it. */
const MAX_CONFIG = 500_000
const MAX_DEPTH = 50
/** The `Date` header is in whole seconds, and some servers write it once a second. */
const DATE_ERROR_MS = 1_000

/** Reads the alerts of an Alertmanager (API v2): what reached it fires, and it knows what is silenced or inhibited. */
export function alertmanagerAlerts({
  url,
  timeoutMs = DEFAULT_TIMEOUT_MS,
  watchdog,
}: AlertmanagerAlertsOptions): AlertReader {
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
