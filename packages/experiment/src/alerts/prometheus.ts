import { durationMs, longestRangeMs } from './duration.js'
import { DEFAULT_TIMEOUT_MS, getJson } from './get-json.js'
import type { ActiveAlert, AlertReader, AlertRule } from './reader.js'

/** Options of {@link prometheusAlerts}. */
export interface PrometheusAlertsOptions {
  /** Address of the Prometheus HTTP API. */
  readonly url: string
  /** Longest wait for an answer, in ms. Default 5,000. */
  readonly timeoutMs?: number
  /** How often it scrapes, in ms. Default: what its targets say, or 0 where it has no list of them. */
  readonly scrapeIntervalMs?: number
}

interface ApiAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly state: string
  readonly activeAt?: string
}
interface ApiRule {
  readonly type: string
  readonly name: string
  readonly query: string
  readonly duration: number
  readonly health?: string
  readonly lastError?: string
}
interface ApiGroup {
  readonly interval: number
  readonly rules: readonly ApiRule[]
}

/**
 * Reads the alerts of a Prometheus, or of anything that answers `/api/v1/alerts` and `/api/v1/rules` as it does.
 *
 * An alert that is gone from the list has resolved. Each alert's condition began at its `activeAt`.
 */
export function prometheusAlerts({ url, timeoutMs = DEFAULT_TIMEOUT_MS, scrapeIntervalMs }: PrometheusAlertsOptions): AlertReader {
  const get = async <Data>(path: string, signal: AbortSignal | undefined): Promise<Data> => {
    const { status, data, error } = (await getJson(url, path, timeoutMs, signal)) as { readonly status?: string; readonly data?: Data; readonly error?: string }
    if (status === 'error' || data === undefined) throw new Error(`Expected data of the monitoring at ${url}${path}, got: ${error ?? 'none'}`)
    return data
  }
  return {
    source: url,
    async read(signal) {
      const { alerts } = await get<{ readonly alerts: readonly ApiAlert[] }>('/api/v1/alerts', signal)
      return alerts.flatMap(({ labels, state, activeAt }): ActiveAlert[] => {
        if (state !== 'pending' && state !== 'firing') return []
        const { alertname = '', ...rest } = labels
        return [{ name: alertname, labels: rest, state, ...(activeAt === undefined ? {} : { activeAt: Date.parse(activeAt) }) }]
      })
    },
    async rules(signal) {
      const { groups } = await get<{ readonly groups: readonly ApiGroup[] }>('/api/v1/rules?type=alert', signal)
      return groups.flatMap(({ interval, rules }) =>
        rules
          .filter(({ type }) => type === 'alerting')
          .map(({ name, query, duration, health = 'ok', lastError }): AlertRule => ({
            name,
            forMs: duration * 1_000,
            intervalMs: interval * 1_000,
            rangeMs: longestRangeMs(query),
            isHealthy: health !== 'err',
            ...(lastError === undefined || lastError === '' ? {} : { problem: lastError }),
          })),
      )
    },
    async timing(signal) {
      if (scrapeIntervalMs !== undefined) return { scrapeIntervalMs }
      const { activeTargets } = await get<{ readonly activeTargets: readonly { readonly scrapeInterval?: string }[] }>('/api/v1/targets?state=active', signal)
      return { scrapeIntervalMs: Math.max(0, ...activeTargets.map((target) => durationMs(target.scrapeInterval ?? '') ?? 0)) }
    },
  }
}
