import type { AlertState, AlertStates } from './alert-states.js'
import type { EvaluatorSettings } from './evaluator.js'
import { isoTime } from './iso-time.js'
import { compile, durationText } from './promql.js'
import type { Rule } from './rules.js'
import type { SeriesStore } from './series.js'

/** The result of the last scrape of the target. */
export interface TargetState {
  /** When the target was last scraped, in ms since the epoch; `undefined`: never. */
  readonly lastScrape: number | undefined
  readonly tookMs: number
  readonly error: string | undefined
}

/** The data sources of the API. */
export interface ApiSources {
  readonly settings: EvaluatorSettings
  readonly scrapeTimeoutMs: number
  readonly rules: readonly Rule[]
  readonly store: SeriesStore
  readonly states: AlertStates
  readonly target: () => TargetState
  readonly now: () => number
}

/**
 * Returns the `data` of Prometheus' answer to `/api/v1/alerts`, `/api/v1/rules`, `/api/v1/targets` or `/api/v1/query`;
 * `undefined` for any other path.
 *
 * @throws SyntaxError when {@link compile} does not support the query
 */
export function prometheusApi(sources: ApiSources, { pathname, searchParams }: URL): unknown {
  switch (pathname) {
    case '/api/v1/alerts':
      return { alerts: sources.states.active.map(apiAlert) }
    case '/api/v1/rules':
      return { groups: [...new Set(sources.rules.map(({ group }) => group))].map((group) => ruleGroup(sources, group)) }
    case '/api/v1/targets':
      return {
        activeTargets: searchParams.get('state') === 'dropped' ? [] : [activeTarget(sources)],
        droppedTargets: [],
        droppedTargetCounts: {},
      }
    case '/api/v1/query':
      return query(sources, searchParams.get('query') ?? '')
    default:
      return undefined
  }
}

function query({ store, now }: ApiSources, text: string): unknown {
  const at = now()
  const value = compile(text)(store, at)
  if (typeof value === 'number') return { resultType: 'scalar', result: [at / 1_000, String(value)] }
  return {
    resultType: 'vector',
    result: value.map((element) => ({ metric: element.labels, value: [at / 1_000, String(element.value)] })),
  }
}

function ruleGroup({ rules, states }: ApiSources, group: string): unknown {
  const own = rules.filter((rule) => rule.group === group)
  const healths = own.map((rule) => states.healthOf(rule))
  const evaluations = healths.flatMap(({ lastEvaluation }) => lastEvaluation ?? [])
  return {
    name: group,
    file: own[0]?.file,
    interval: (own[0]?.intervalMs ?? 0) / 1_000,
    limit: 0,
    evaluationTime: healths.reduce((total, { tookMs }) => total + tookMs, 0) / 1_000,
    // A group's time is the oldest evaluation of its rules, or "never" if a rule was never evaluated.
    lastEvaluation: isoTime(evaluations.length < own.length ? undefined : Math.min(...evaluations)),
    rules: own.map((rule) => apiRule(rule, states)),
  }
}

function apiRule(rule: Rule, states: AlertStates): unknown {
  const { name, query: text, forMs, labels, annotations } = rule
  const { health, lastError, lastEvaluation, tookMs } = states.healthOf(rule)
  const alerts = states.activeOf(rule)
  const isFiring = alerts.some((alert) => alert.state === 'firing')
  return {
    type: 'alerting',
    name,
    query: text,
    duration: forMs / 1_000,
    keepFiringFor: 0,
    labels,
    annotations,
    state: isFiring ? 'firing' : alerts.length > 0 ? 'pending' : 'inactive',
    alerts: alerts.map(apiAlert),
    health,
    ...(lastError === undefined ? {} : { lastError }),
    evaluationTime: tookMs / 1_000,
    lastEvaluation: isoTime(lastEvaluation),
  }
}

function apiAlert({ labels, annotations, state, activeAt, value }: AlertState): unknown {
  return { labels, annotations, state, activeAt: isoTime(activeAt), value: value.toExponential() }
}

function activeTarget({ settings: { job, metricsUrl, intervalMs }, scrapeTimeoutMs, target }: ApiSources): unknown {
  const { host, pathname, protocol } = new URL(metricsUrl)
  const { lastScrape, tookMs, error } = target()
  return {
    discoveredLabels: {
      __address__: host,
      __metrics_path__: pathname,
      __scheme__: protocol.slice(0, -1),
      job,
    },
    labels: { instance: host, job },
    scrapePool: job,
    scrapeUrl: metricsUrl,
    globalUrl: metricsUrl,
    lastError: error ?? '',
    lastScrape: isoTime(lastScrape),
    lastScrapeDuration: tookMs / 1_000,
    health: lastScrape === undefined ? 'unknown' : error === undefined ? 'up' : 'down',
    scrapeInterval: durationText(intervalMs),
    scrapeTimeout: durationText(scrapeTimeoutMs),
  }
}
