import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { parentPort } from 'node:worker_threads'
import { AlertStates, type AlertState } from './alert-states.js'
import { prometheusApi, type TargetState } from './prometheus-api.js'
import { loadRules, type Rule } from './rules.js'
import { scrape } from './scrape.js'
import { SeriesStore } from './series.js'
import { notifyWebhook } from './webhook.js'

/** The configuration of an evaluator. */
export interface EvaluatorSettings {
  /** The `job` label of every series. */
  readonly job: string
  readonly metricsUrl: string
  readonly ruleFiles: readonly string[]
  /** How often metrics are scraped and rules evaluated, in ms. */
  readonly intervalMs: number
  /** The URL that receives changes of alerts; `undefined`: none. */
  readonly webhookUrl: string | undefined
}

/** The replaceable parts of an evaluator. Tests replace some to break the evaluator. */
export interface EvaluatorParts {
  readonly newStore: (keepMs: number) => SeriesStore
  readonly newStates: (rules: readonly Rule[]) => AlertStates
  /** The clock of scrapes and evaluations, in ms since the epoch. */
  readonly now: () => number
  /** Runs between an evaluation and the pause after it. */
  readonly betweenTurns: () => Promise<void> | void
}

/** A message of the evaluator to its parent thread. `evaluated` is its heartbeat, once per interval. */
export type EvaluatorMessage =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'evaluated' }
  | { readonly type: 'change'; readonly alert: AlertState }

/** How long samples are kept, in ms: a little longer than the longest range of a rule. */
const KEEP_MS = 6 * 60_000
const MIN_SCRAPE_TIMEOUT_MS = 1_000

/**
 * Runs an evaluator in the current worker thread. It scrapes, evaluates, and serves the Prometheus API and `/alerts` on
 * a free port of 127.0.0.1. Any message from the parent thread ends it.
 *
 * @throws SyntaxError when a rule file has a query that the evaluator does not support
 */
export function runEvaluator(settings: EvaluatorSettings, parts: Partial<EvaluatorParts> = {}): void {
  const { job, metricsUrl, ruleFiles, intervalMs, webhookUrl } = settings
  const {
    newStore = (keepMs) => new SeriesStore(keepMs),
    newStates = (rules) => new AlertStates(rules),
    now = Date.now,
    betweenTurns,
  } = parts
  const scrapeTimeoutMs = Math.max(intervalMs, MIN_SCRAPE_TIMEOUT_MS)
  const rules = loadRules(ruleFiles, intervalMs)
  const store = newStore(KEEP_MS)
  const states = newStates(rules)
  let target: TargetState = { lastScrape: undefined, tookMs: 0, error: undefined }
  const sources = { settings, scrapeTimeoutMs, rules, store, states, target: () => target, now }
  const tell = (message: EvaluatorMessage): void => parentPort?.postMessage(message)

  async function scrapeTarget(): Promise<void> {
    const [at, startedAt] = [now(), performance.now()]
    const { samples, error } = await scrape(metricsUrl, { job, timeoutMs: scrapeTimeoutMs })
    store.add(at, samples)
    target = { lastScrape: at, tookMs: performance.now() - startedAt, error }
  }

  function evaluate(): void {
    for (const alert of states.evaluate(store, now())) {
      tell({ type: 'change', alert })
      if (webhookUrl !== undefined) void notifyWebhook(webhookUrl, alert, metricsUrl)
    }
    tell({ type: 'evaluated' })
  }

  const closing = new AbortController()
  async function run(): Promise<void> {
    let next = now()
    while (!closing.signal.aborted) {
      await scrapeTarget()
      evaluate()
      await betweenTurns?.()
      // The pause is shortened by the duration of the turn, which keeps the interval.
      next = Math.max(next + intervalMs, now())
      await wait(next - now(), undefined, { signal: closing.signal }).catch(() => undefined)
    }
  }

  function answer(url: URL): { readonly status: number; readonly body: unknown } {
    if (url.pathname === '/alerts') return { status: 200, body: { alerts: states.active, resolved: states.resolved } }
    try {
      const data = prometheusApi(sources, url)
      if (data !== undefined) return { status: 200, body: { status: 'success', data } }
      return { status: 404, body: { status: 'error', errorType: 'not_found', error: 'Not found.' } }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return { status: 400, body: { status: 'error', errorType: 'bad_data', error: message } }
    }
  }

  const server = createServer((request, response) => {
    const { status, body } = answer(new URL(request.url ?? '/', 'http://alerts'))
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1', () => {
    tell({ type: 'listening', port: (server.address() as AddressInfo).port })
    void run()
  })
  parentPort?.once('message', () => {
    closing.abort()
    server.close()
    server.closeAllConnections()
    parentPort?.close()
  })
}
