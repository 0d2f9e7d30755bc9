import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { AlertStates, type AlertState } from './alert-states.js'
import { parseExposition } from './exposition.js'
import { compile } from './promql.js'
import { loadRules } from './rules.js'
import { SeriesStore } from './series.js'

/** What the evaluator is started with. */
export interface EvaluatorSettings {
  readonly metricsUrl: string
  readonly ruleFiles: readonly string[]
  /** How often metrics are read and rules evaluated, in ms. */
  readonly intervalMs: number
  readonly webhookUrl: string | undefined
}

/** What the evaluator tells its parent. */
export type EvaluatorMessage = { readonly type: 'listening'; readonly port: number } | { readonly type: 'change'; readonly alert: AlertState }

/** How far back points are kept, in ms: the longest range of a rule, and a little. */
const KEEP_MS = 6 * 60_000

const { metricsUrl, ruleFiles, intervalMs, webhookUrl } = workerData as EvaluatorSettings
const rules = loadRules(ruleFiles, intervalMs)
const store = new SeriesStore(KEEP_MS)
const states = new AlertStates(rules)
const instance = new URL(metricsUrl).host
let lastEvaluation = Date.now()
let evaluationTimeMs = 0

/** Reads the metrics over HTTP, as Prometheus would; whether that works is `up`. */
async function scrape(): Promise<void> {
  const at = Date.now()
  const own = { job: 'flappyjournal', instance }
  try {
    const response = await fetch(metricsUrl, { signal: AbortSignal.timeout(Math.max(intervalMs, 1_000)) })
    if (!response.ok) throw new Error(`status ${response.status}`)
    const found = parseExposition(await response.text())
    store.add(at, [...found.map((sample) => ({ ...sample, labels: { ...sample.labels, ...own } })), { name: 'up', labels: own, value: 1 }])
  } catch {
    store.add(at, [{ name: 'up', labels: own, value: 0 }])
  }
}

function evaluate(): void {
  const startedAt = performance.now()
  lastEvaluation = Date.now()
  for (const alert of states.evaluate(store, lastEvaluation)) {
    parentPort?.postMessage({ type: 'change', alert } satisfies EvaluatorMessage)
    if (webhookUrl !== undefined) void notify(webhookUrl, alert)
  }
  evaluationTimeMs = performance.now() - startedAt
}

/** Sends a change in the shape of an Alertmanager webhook (version 4). */
async function notify(url: string, { labels, annotations, state, activeAt, resolvedAt }: AlertState): Promise<void> {
  const status = state === 'resolved' ? 'resolved' : 'firing'
  const alert = { status, labels, annotations, startsAt: new Date(activeAt).toISOString(), endsAt: resolvedAt === undefined ? '0001-01-01T00:00:00Z' : new Date(resolvedAt).toISOString(), generatorURL: metricsUrl, fingerprint: '' }
  const body = { version: '4', groupKey: labels['alertname'], truncatedAlerts: 0, status, receiver: 'webhook', groupLabels: {}, commonLabels: labels, commonAnnotations: annotations, externalURL: metricsUrl, alerts: [alert] }
  await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal: AbortSignal.timeout(5_000) }).catch(() => undefined)
}

const iso = (at: number): string => new Date(at).toISOString()
const apiAlert = ({ labels, annotations, state, activeAt, value }: AlertState): unknown => ({ labels, annotations, state, activeAt: iso(activeAt), value: value.toExponential() })

/** Answers as Prometheus does (`/api/v1/alerts`, `/api/v1/rules`, `/api/v1/query`), and with all there is to know (`/alerts`). */
function answer(url: URL): unknown {
  switch (url.pathname) {
    case '/api/v1/alerts':
      return { alerts: states.active.map(apiAlert) }
    case '/api/v1/rules':
      return { groups: [...new Set(rules.map(({ group }) => group))].map(ruleGroup) }
    case '/api/v1/query': {
      const at = Date.now()
      const value = compile(url.searchParams.get('query') ?? '')(store, at)
      if (typeof value === 'number') return { resultType: 'scalar', result: [at / 1_000, String(value)] }
      return { resultType: 'vector', result: value.map((element) => ({ metric: element.labels, value: [at / 1_000, String(element.value)] })) }
    }
    default:
      return undefined
  }
}

function ruleGroup(group: string): unknown {
  const own = rules.filter((rule) => rule.group === group)
  return {
    name: group,
    file: own[0]?.file,
    interval: (own[0]?.intervalMs ?? 0) / 1_000,
    limit: 0,
    evaluationTime: evaluationTimeMs / 1_000,
    lastEvaluation: iso(lastEvaluation),
    rules: own.map(({ name, query, forMs, labels, annotations }) => {
      const alerts = states.active.filter((alert) => alert.name === name)
      const state = alerts.some((alert) => alert.state === 'firing') ? 'firing' : alerts.length > 0 ? 'pending' : 'inactive'
      return { type: 'alerting', name, query, duration: forMs / 1_000, keepFiringFor: 0, labels, annotations, state, alerts: alerts.map(apiAlert), health: 'ok', evaluationTime: evaluationTimeMs / 1_000, lastEvaluation: iso(lastEvaluation) }
    }),
  }
}

function handle(request: IncomingMessage, response: ServerResponse): void {
  const send = (status: number, body: unknown): void => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
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
  parentPort?.postMessage({ type: 'listening', port: (server.address() as AddressInfo).port } satisfies EvaluatorMessage)
  void run()
})

async function run(): Promise<void> {
  let next = Date.now()
  while (!closing.signal.aborted) {
    await scrape()
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
