import { parse } from 'yaml'
import { durationMs } from './duration.js'
import { DEFAULT_TIMEOUT_MS, getJson } from './get-json.js'
import type { ActiveAlert, AlertReader } from './reader.js'

/** Options of {@link alertmanagerAlerts}. */
export interface AlertmanagerAlertsOptions {
  /** Address of the Alertmanager. */
  readonly url: string
  /** Longest wait for an answer, in ms. Default 5,000. */
  readonly timeoutMs?: number
}

interface ApiAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly startsAt: string
  readonly status: { readonly silencedBy: readonly string[]; readonly inhibitedBy: readonly string[]; readonly mutedBy?: readonly string[] }
}
interface Route {
  readonly group_wait?: unknown
  readonly routes?: readonly Route[]
}

/** What Alertmanager holds the first notification of a group back for when its configuration does not say, in ms. */
const DEFAULT_GROUP_WAIT_MS = 30_000

/** Reads the alerts of an Alertmanager (API v2): what reached it fires, and it knows what is silenced or inhibited. */
export function alertmanagerAlerts({ url, timeoutMs = DEFAULT_TIMEOUT_MS }: AlertmanagerAlertsOptions): AlertReader {
  return {
    source: url,
    async read(signal) {
      const alerts = (await getJson(url, '/api/v2/alerts', timeoutMs, signal)) as readonly ApiAlert[]
      return alerts.map(({ labels: { alertname = '', ...labels }, startsAt, status }): ActiveAlert => ({
        name: alertname,
        labels,
        state: 'firing',
        activeAt: Date.parse(startsAt),
        isSilenced: status.silencedBy.length + status.inhibitedBy.length + (status.mutedBy?.length ?? 0) > 0,
      }))
    },
    async timing(signal) {
      const { config } = (await getJson(url, '/api/v2/status', timeoutMs, signal)) as { readonly config?: { readonly original?: string } }
      const { route } = (parse(config?.original ?? '') ?? {}) as { readonly route?: Route }
      return { groupWaitMs: route === undefined ? DEFAULT_GROUP_WAIT_MS : longestWaitMs(route, DEFAULT_GROUP_WAIT_MS) }
    },
  }
}

/** The longest wait of a route and of those below it, which take over what they do not say. */
function longestWaitMs({ group_wait: own, routes = [] }: Route, inherited: number): number {
  const waitMs = (typeof own === 'string' ? durationMs(own) : undefined) ?? inherited
  return Math.max(waitMs, ...routes.map((route) => longestWaitMs(route, waitMs)))
}
