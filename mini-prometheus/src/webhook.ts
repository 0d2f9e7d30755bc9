import type { AlertState } from './alert-states.js'
import { isoTime } from './iso-time.js'

/** The longest wait for the receiver's answer, in ms. */
const TIMEOUT_MS = 5_000

/** Posts a change of an alert in the format of an Alertmanager webhook (version 4). A failed delivery is ignored. */
export async function notifyWebhook(
  url: string,
  { labels, annotations, state, activeAt, resolvedAt }: AlertState,
  metricsUrl: string,
): Promise<void> {
  const status = state === 'resolved' ? 'resolved' : 'firing'
  const alert = {
    status,
    labels,
    annotations,
    startsAt: isoTime(activeAt),
    endsAt: isoTime(resolvedAt),
    generatorURL: metricsUrl,
    fingerprint: '',
  }
  const body = {
    version: '4',
    groupKey: labels['alertname'],
    truncatedAlerts: 0,
    status,
    receiver: 'webhook',
    groupLabels: {},
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: metricsUrl,
    alerts: [alert],
  }
  await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(() => undefined)
}
