import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ruleFile } from '../../../src/config.js'
import type { Passing } from '../proxies.js'
import type { Sabotage } from '../sabotage.js'
import type { Stage } from '../stage.js'

const blind = ['inconclusive'] as const

/** Lets the app read its rules with their text changed. */
const rules =
  (change: (text: string) => string) =>
  async ({ appEnv, folder }: Stage): Promise<void> => {
    const all = await readFile(ruleFile('alerts', 'demo'), 'utf8')
    const changed = change(all)
    if (changed === all) throw new Error('Expected the rules to change.')
    const file = join(folder, 'rules.yml')
    await writeFile(file, changed)
    appEnv['FLAPPY_RULES'] = file
  }

const added =
  (name: string, expression: string) =>
  (text: string): string =>
    `${text.trimEnd()}\n      - alert: ${name}\n        expr: >-\n          ${expression}\n        labels:\n          severity: warning\n        annotations:\n          summary: ${name}.\n`

/** What the monitoring answers once the fault has landed. */
const alertsOnce =
  (otherwise: (path: string, ask: () => Promise<Passing>) => Passing | Promise<Passing>) =>
  ({ between, moments }: Stage): Promise<void> =>
    between('ALERTS_URL', async (path, ask) => (moments.has('landed') ? otherwise(path, ask) : ask()))

/** The monitoring is blind, or says what is not so. */
export const evaluatorAndMonitoring: readonly Sabotage[] = [
  {
    name: 'evaluator-frozen-no-fault',
    title: 'The evaluator answers and never evaluates, no fault',
    experiment: 'no-fault',
    expected: blind,
    cause: /evaluat|monitoring|recovered|no data/i,
    inApp: 'evaluator-frozen',
  },
  {
    name: 'evaluator-frozen',
    title: 'The evaluator answers and never evaluates, the worker is killed',
    experiment: 'worker',
    expected: blind,
    cause: /evaluat|monitoring|recovered|no data/i,
    inApp: 'evaluator-frozen',
  },
  {
    name: 'evaluator-stale',
    title: 'The evaluator goes on with what it scraped before the kill',
    experiment: 'worker',
    expected: ['inconclusive', 'alert-failed'],
    inApp: 'evaluator-stale-store',
  },
  {
    name: 'evaluator-blocked',
    title: 'The thread of the evaluator is blocked for six seconds',
    experiment: 'worker',
    expected: ['inconclusive', 'alert-failed'],
    inApp: 'evaluator-blocked-for-6-s',
  },
  {
    name: 'evaluator-restarted',
    title: 'The evaluator dies in mid-run and comes back elsewhere, its state lost',
    experiment: 'worker',
    expected: ['inconclusive', 'alert-failed'],
    inApp: 'evaluator-restarted',
  },
  {
    name: 'alert-never-resolves',
    title: 'An alert that has fired fires for ever',
    experiment: 'worker',
    expected: ['alert-failed'],
    cause: /WorkerRestarted/,
    inApp: 'evaluator-never-resolves',
  },

  {
    name: 'rule-deleted',
    title: 'The rule of the alert is deleted',
    experiment: 'worker',
    expected: ['alert-failed', 'refused'],
    cause: /WorkerRestarted/,
    prepare: rules((text) => text.replace(/ {6}- alert: WorkerRestarted\n(?: {8}.*\n)+/, '')),
  },
  {
    name: 'rule-with-other-labels',
    title: 'The alert has another severity',
    experiment: 'worker',
    expected: ['alert-failed', 'refused'],
    cause: /WorkerRestarted/,
    prepare: rules((text) =>
      text.replace(/(- alert: WorkerRestarted\n(?: {8}.*\n)*? {10}severity: )warning/, '$1info'),
    ),
  },
  {
    name: 'rules-swapped',
    title: 'Two alerts have the names of each other',
    experiment: 'worker',
    expected: ['alert-failed', 'refused'],
    cause: /WorkerRestarted/,
    prepare: rules((text) =>
      text
        .replace('alert: WorkerRestarted', 'alert: X')
        .replace('alert: HighErrorRate', 'alert: WorkerRestarted')
        .replace('alert: X', 'alert: HighErrorRate'),
    ),
  },
  {
    name: 'rule-never-true',
    title: 'The rule of the alert looks at a series that nobody exports',
    experiment: 'worker',
    expected: ['alert-failed'],
    cause: /WorkerRestarted/,
    prepare: rules((text) =>
      text.replace('increase(consciousness_worker_restarts_total[10s])', 'increase(consciousness_restarts_total[10s])'),
    ),
  },
  {
    name: 'rule-unexpected',
    title: 'An alert that nobody expects fires with the fault',
    experiment: 'worker',
    expected: ['alert-failed'],
    cause: /Surprise/,
    prepare: rules(added('Surprise', 'increase(consciousness_worker_restarts_total[10s]) > 0')),
  },
  {
    name: 'rule-always-fires',
    title: 'An alert fires already before the fault',
    experiment: 'worker',
    expected: ['gate-unmet', 'inconclusive'],
    cause: /Surprise/,
    prepare: rules(added('Surprise', 'up == 1')),
  },

  {
    name: 'alerts-cached',
    title: 'The monitoring is read through a cache that is never refreshed',
    experiment: 'worker',
    expected: ['inconclusive', 'alert-failed'],
    async act({ between, moments }) {
      const cache = new Map<string, Passing>()
      await between('ALERTS_URL', async (path, ask) => {
        const known = moments.has('landed') && path.startsWith('/api/v1/') ? cache.get(path) : undefined
        const answer = known ?? (await ask())
        cache.set(path, answer)
        return answer
      })
    },
  },
  {
    name: 'alerts-cached-no-fault',
    title: 'The alerts and rules are read through a cache that is never refreshed, no fault',
    experiment: 'no-fault',
    expected: blind,
    async act({ between }) {
      const cache = new Map<string, Passing>()
      await between('ALERTS_URL', async (path, ask) => {
        const answer = (path.startsWith('/api/v1/query') ? undefined : cache.get(path)) ?? (await ask())
        cache.set(path, answer)
        return answer
      })
    },
  },
  {
    name: 'alerts-500',
    title: 'The monitoring answers 500 once the fault has landed',
    experiment: 'worker',
    expected: ['inconclusive', 'alert-failed'],
    act: alertsOnce(() => ({ status: 500, text: '{"status":"error","error":"out of memory"}' })),
  },
  {
    name: 'alerts-html',
    title: 'The monitoring answers a login page with status 200 once the fault has landed',
    experiment: 'worker',
    expected: ['inconclusive', 'alert-failed'],
    act: alertsOnce(() => ({ status: 200, text: '<html>Please sign in.</html>' })),
  },
  {
    name: 'alerts-hidden',
    title: 'The monitoring lists no alerts once the fault has landed',
    experiment: 'worker',
    expected: ['alert-failed', 'inconclusive'],
    act: alertsOnce((path, ask) =>
      path.startsWith('/api/v1/alerts') ? { status: 200, text: '{"status":"success","data":{"alerts":[]}}' } : ask(),
    ),
  },
  {
    name: 'rules-gone',
    title: 'The monitoring loses its rules in mid-run, no fault',
    experiment: 'no-fault',
    expected: ['inconclusive', 'alert-failed'],
    act: ({ between, moments }) =>
      between('ALERTS_URL', async (path, ask) =>
        moments.has('method') && path.startsWith('/api/v1/rules')
          ? { status: 200, text: '{"status":"success","data":{"groups":[]}}' }
          : ask(),
      ),
  },
  {
    name: 'scrapes-fail',
    title: 'The monitoring says that its scrapes fail, no fault',
    experiment: 'no-fault',
    expected: ['inconclusive', 'gate-unmet', 'weakness-found', 'alert-failed'],
    act: ({ between, moments }) =>
      between('ALERTS_URL', async (path, ask) => {
        const { status, text } = await ask()
        return {
          status,
          text:
            moments.has('method') && path.startsWith('/api/v1/targets')
              ? text.replaceAll('"health":"up"', '"health":"down"')
              : text,
        }
      }),
  },
  {
    name: 'queries-empty',
    title: 'Every query has an empty result once the fault has landed',
    experiment: 'worker',
    expected: ['inconclusive', 'weakness-found'],
    act: alertsOnce((path, ask) =>
      path.startsWith('/api/v1/query') && !path.includes('query=time')
        ? { status: 200, text: '{"status":"success","data":{"resultType":"vector","result":[]}}' }
        : ask(),
    ),
  },

  {
    name: 'notification-dead',
    title: 'The receiver of notifications is dead',
    experiment: 'worker',
    expected: ['alert-failed'],
    cause: /WorkerRestarted|notification/,
    async prepare(stage) {
      const hook = await stage.webhook()
      stage.appEnv['ALERT_WEBHOOK_URL'] = hook.url
      hook.isDead = true
    },
  },

  {
    name: 'page-frozen-no-fault',
    title: 'The metrics page is served from a cache for good, no fault',
    experiment: 'no-fault',
    expected: [...blind, 'weakness-found'],
    inApp: 'page-frozen-at-method',
  },
  {
    name: 'page-frozen',
    title: 'The metrics page reads as at the kill for good',
    experiment: 'worker',
    expected: ['inconclusive', 'alert-failed', 'weakness-found'],
    inApp: 'page-frozen-at-landing',
  },
  {
    name: 'page-cached',
    title: 'The supervisor is off, and the metrics page is refreshed every 30 s',
    experiment: 'worker',
    expected: ['inconclusive', 'alert-failed', 'weakness-found', 'gate-unmet'],
    inApp: 'page-refreshed-every-30-s+health-says-yes',
    prepare: ({ appEnv }) => void (appEnv['SUPERVISOR_RESTART'] = 'off'),
  },
  {
    name: 'restarts-frozen',
    title: 'The counter of restarts stands still',
    experiment: 'worker',
    expected: ['alert-failed'],
    cause: /WorkerRestarted/,
    inApp: 'restarts-frozen',
  },
  {
    name: 'lag-not-a-number',
    title: 'The lag of the bus reads NaN once the fault has landed',
    experiment: 'eventbus',
    expected: ['alert-failed', 'inconclusive', 'weakness-found'],
    inApp: 'lag-not-a-number',
  },
  {
    name: 'probe-slow',
    title: 'The supervisor is off, and the page that is probed comes just before its timeout',
    experiment: 'worker',
    expected: ['inconclusive', 'weakness-found', 'gate-unmet'],
    prepare: ({ appEnv }) => void (appEnv['SUPERVISOR_RESTART'] = 'off'),
    act: ({ between }) =>
      between('APP_URL', async (_path, ask) => {
        const answer = await ask()
        await new Promise((resolve) => setTimeout(resolve, 1_800))
        return answer
      }),
  },
  {
    name: 'probe-cached',
    title: 'The supervisor is off, and probes read a cache that is never refreshed',
    experiment: 'worker',
    expected: ['inconclusive', 'weakness-found', 'alert-failed'],
    prepare: ({ appEnv }) => void (appEnv['SUPERVISOR_RESTART'] = 'off'),
    act: ({ between }) => {
      const cache = new Map<string, Passing>()
      return between('APP_URL', async (path, ask) => {
        const answer = cache.get(path) ?? (await ask())
        cache.set(path, answer)
        return answer
      })
    },
  },
]
