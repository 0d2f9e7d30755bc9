import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { AlertStates, type AlertState } from './alert-states.js'
import { compile, durationText } from './promql.js'
import { loadRules } from './rules.js'
import { scrape } from './scrape.js'
import { SeriesStore } from './series.js'

/** What the evaluator is started with. */
export interface EvaluatorSettings {
  readonly metricsUrl: string
  readonly ruleFiles: readonly string[]
  /** How often metrics are read and rules evaluated, in ms. */
  readonly intervalMs: number
  readonly webhookUrl: string | undefined
}

/** What the evaluator tells its parent. `evaluated`: its heartbeat, once a turn. */
export type EvaluatorMessage =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'evaluated' }
  | { readonly type: 'change'; readonly alert: AlertState }

/** How far back points are kept, in ms: the longest range of a rule, and a little. */
const KEEP_MS = 6 * 60_000
/** How Prometheus writes a time that there is none of. */
const NEVER = '0001-01-01T00:00:00Z'

const { metricsUrl, ruleFiles, intervalMs, webhookUrl } = workerData as EvaluatorSettings
const scrapeTimeoutMs = Math.max(intervalMs, 1_000)
const rules = loadRules(ruleFiles, intervalMs)
const store = new SeriesStore(KEEP_MS)
const states = new AlertStates(rules)
const target: { lastScrape: number | undefined; tookMs: number; error: string | undefined } = {
  lastScrape: undefined,
  tookMs: 0,
  error: undefined,
}

/** Reads the metrics; whether that works is `up`. */
async function scrapeTarget(): Promise<void> {
  const [at, startedAt] = [Date.now(), performance.now()]
  const { samples, error } = await scrape(metricsUrl, scrapeTimeoutMs)
  store.add(at, samples)
  Object.assign(target, { lastScrape: at, tookMs: performance.now() - startedAt, error })
}

function evaluate(): void {
  for (const alert of states.evaluate(store, Date.now())) {
    parentPort?.postMessage({ type: 'change', alert } satisfies EvaluatorMessage)
    if (webhookUrl !== undefined) void notify(webhookUrl, alert)
  }
  parentPort?.postMessage({ type: 'evaluated' } satisfies EvaluatorMessage)
}

/** Sends a change in the shape of an Alertmanager webhook (version 4). */
async function notify(url: string, { labels, annotations, state, activeAt, resolvedAt }: AlertState): Promise<void> {
  const status = state === 'resolved' ? 'resolved' : 'firing'
  const alert = {
    status,
    labels,
    annotations,
    startsAt: new Date(activeAt).toISOString(),
    endsAt: resolvedAt === undefined ? '0001-01-01T00:00:00Z' : new Date(resolvedAt).toISOString(),
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
    signal: AbortSignal.timeout(5_000),
  }).catch(() => undefined)
}

const iso = (at: number | undefined): string => (at === undefined ? NEVER : new Date(at).toISOString())
const apiAlert = ({ labels, annotations, state, activeAt, value }: AlertState): unknown => ({
  labels,
  annotations,
  state,
  activeAt: iso(activeAt),
  value: value.toExponential(),
})

/** Answers as Prometheus does (`/api/v1/alerts`, `/api/v1/rules`, `/api/v1/targets`, `/api/v1/query`), and with all there is to know (`/alerts`). */
function answer(url: URL): unknown {
  switch (url.pathname) {
    case '/api/v1/alerts':
      return { alerts: states.active.map(apiAlert) }
    case '/api/v1/rules':
      return { groups: [...new Set(rules.map(({ group }) => group))].map(ruleGroup) }
    case '/api/v1/targets':
      return {
        activeTargets: url.searchParams.get('state') === 'dropped' ? [] : [activeTarget()],
        droppedTargets: [],
        droppedTargetCounts: {},
      }
    case '/api/v1/query': {
      const at = Date.now()
      const value = compile(url.searchParams.get('query') ?? '')(store, at)
      if (typeof value === 'number') return { resultType: 'scalar', result: [at / 1_000, String(value)] }
      return {
        resultType: 'vector',
        result: value.map((element) => ({ metric: element.labels, value: [at / 1_000, String(element.value)] })),
      }
    }
    default:
      return undefined
  }
}

function ruleGroup(group: string): unknown {
  const own = rules.filter((rule) => rule.group === group)
  const healths = own.map((rule) => states.healthOf(rule))
  const evaluations = healths.flatMap(({ lastEvaluation }) => lastEvaluation ?? [])
  return {
    name: group,
    file: own[0]?.file,
    interval: (own[0]?.intervalMs ?? 0) / 1_000,
    limit: 0,
    evaluationTime: healths.reduce((total, { tookMs }) => total + tookMs, 0) / 1_000,
    // Of a group of which one rule was not evaluated, nothing later can be said.
    lastEvaluation: iso(evaluations.length < own.length ? undefined : Math.min(...evaluations)),
    rules: own.map((rule) => {
      const { name, query, forMs, labels, annotations } = rule
      const { health, lastError, lastEvaluation, tookMs } = states.healthOf(rule)
      const alerts = states.activeOf(rule)
      const state = alerts.some((alert) => alert.state === 'firing')
        ? 'firing'
        : alerts.length > 0
          ? 'pending'
          : 'inactive'
      return {
        type: 'alerting',
        name,
        query,
        duration: forMs / 1_000,
        keepFiringFor: 0,
        labels,
        annotations,
        state,
        alerts: alerts.map(apiAlert),
        health,
        ...(lastError === undefined ? {} : { lastError }),
        evaluationTime: tookMs / 1_000,
        lastEvaluation: iso(lastEvaluation),
      }
    }),
  }
}

function activeTarget(): unknown {
  const { host, pathname, protocol } = new URL(metricsUrl)
  const { lastScrape, tookMs, error } = target
  return {
    discoveredLabels: {
      __address__: host,
      __metrics_path__: pathname,
      __scheme__: protocol.slice(0, -1),
      job: 'flappyjournal',
    },
    labels: { instance: host, job: 'flappyjournal' },
    scrapePool: 'flappyjournal',
    scrapeUrl: metricsUrl,
    globalUrl: metricsUrl,
    lastError: error ?? '',
    lastScrape: iso(lastScrape),
    lastScrapeDuration: tookMs / 1_000,
    health: lastScrape === undefined ? 'unknown' : error === undefined ? 'up' : 'down',
    scrapeInterval: durationText(intervalMs),
    scrapeTimeout: durationText(scrapeTimeoutMs),
  }
}

function handle(request: IncomingMessage, response: ServerResponse): void {
  const send = (status: number, body: unknown): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  try {
    const url = new URL(request.url ?? '/', 'http://alerts')
    if (url.pathname === '/alerts') {
      send(200, { alerts: states.active, resolved: states.resolved })
      return
    }
    const data = answer(url)
    if (data === undefined) send(404, { status: 'error', errorType: 'not_found', error: 'Not found.' })
    else send(200, { status: 'success', data })
  } catch (error) {
    send(400, { status: 'error', errorType: 'bad_data', error: error instanceof Error ? error.message : String(error) })
  }
}

const closing = new AbortController()
const server = createServer(handle)
server.listen(0, '127.0.0.1', () => {
  parentPort?.postMessage({
    type: 'listening',
    port: (server.address() as AddressInfo).port,
  } satisfies EvaluatorMessage)
  void run()
})

async function run(): Promise<void> {
  let next = Date.now()
  while (!closing.signal.aborted) {
    await scrapeTarget()
    evaluate()
    // A fixed rhythm: what one turn takes is taken off the pause.
    next = Math.max(next + intervalMs, Date.now())
    await wait(next - Date.now(), undefined, { signal: closing.signal }).catch(() => undefined)
  }
}

parentPort?.once('message', () => {
  closing.abort()
  server.close()
  server.closeAllConnections()
  parentPort?.close()
})
