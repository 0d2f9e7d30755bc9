import { join } from 'node:path'
import { ownAlertmanager, ownPrometheus } from '@chaos/test-servers'
import { appFolder } from '../../../src/config.js'
import type { ExperimentName, Healthy, Sabotage } from '../sabotage.js'
import type { Stage } from '../stage.js'

/** How a real Prometheus and a real Alertmanager are set up. */
interface Monitoring {
  /** Alertmanager's `inhibit_rules`. */
  readonly inhibit?: readonly object[]
  /** The alert that is silenced before the run. */
  readonly silence?: string
  /** Whether the receiver answers 503. */
  readonly isReceiverDead?: boolean
}

/** Puts a Prometheus that scrapes the app, and an Alertmanager that notifies the command, in the place of the app's own evaluator. */
const real =
  ({ inhibit = [], silence, isReceiverDead = false }: Monitoring = {}) =>
  async (stage: Stage): Promise<void> => {
    const hook = await stage.webhook()
    hook.isDead = isReceiverDead
    const alertmanager = await ownAlertmanager({
      route: {
        receiver: 'chaos',
        group_by: ['alertname'],
        group_wait: '100ms',
        group_interval: '1s',
        repeat_interval: '1h',
      },
      receivers: [{ name: 'chaos', webhook_configs: [{ url: hook.url, send_resolved: true }] }],
      inhibit_rules: inhibit,
    })
    stage.defer(alertmanager.stop)
    const prometheus = await ownPrometheus({
      global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' },
      rule_files: ['alerts', 'chaos'].map((name) => join(appFolder, `rules/${name}.demo.yml`)),
      alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanager.port}`] }] }] },
      scrape_configs: [
        { job_name: 'flappyjournal', static_configs: [{ targets: [new URL(stage.app.address.url).host] }] },
      ],
    })
    stage.defer(prometheus.stop)
    stage.variables['ALERTS_URL'] = `http://127.0.0.1:${prometheus.port}`
    const alertmanagerUrl = `http://127.0.0.1:${alertmanager.port}`
    stage.cliArgs.push('--alertmanager-url', alertmanagerUrl)
    if (silence !== undefined) await silenced(alertmanagerUrl, silence)
  }

async function silenced(alertmanagerUrl: string, alertname: string): Promise<void> {
  const now = Date.now()
  const silence = {
    matchers: [{ name: 'alertname', value: alertname, isRegex: false, isEqual: true }],
    startsAt: new Date(now).toISOString(),
    endsAt: new Date(now + 600_000).toISOString(),
    createdBy: 'sabotage',
    comment: 'Maintenance.',
  }
  const { status } = await fetch(`${alertmanagerUrl}/api/v2/silences`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(silence),
  })
  if (status !== 200) throw new Error(`Expected Alertmanager to take a silence, got ${status}.`)
}

/** What a real Alertmanager keeps from people. */
export const realMonitoring: readonly Sabotage[] = [
  {
    name: 'real-silence',
    title: 'Prometheus and Alertmanager: the alert is silenced',
    experiment: 'worker',
    expected: ['alert-failed'],
    cause: /WorkerRestarted/,
    act: real({ silence: 'WorkerRestarted' }),
  },
  {
    name: 'real-inhibition',
    title: 'Prometheus and Alertmanager: the open breaker inhibits the alert on storage errors',
    experiment: 'adapter',
    expected: ['alert-failed'],
    cause: /StorageErrorsHigh/,
    act: real({
      inhibit: [
        { source_matchers: ['alertname="CircuitBreakerOpen"'], target_matchers: ['alertname="StorageErrorsHigh"'] },
      ],
    }),
  },
  {
    name: 'real-dead-receiver',
    title: 'Prometheus and Alertmanager: the receiver answers 503',
    experiment: 'worker',
    expected: ['alert-failed'],
    cause: /WorkerRestarted/,
    act: real({ isReceiverDead: true }),
  },
]

/** The experiments against the real programs. */
export const REAL_RUNS = (experiments: readonly ExperimentName[]): readonly Healthy[] =>
  experiments.map((experiment) => ({
    name: `real-${experiment}`,
    title: `Prometheus and Alertmanager: the experiment ${experiment}`,
    experiment,
    expected: ['pass'],
    isAlone: true,
    act: real(),
  }))
