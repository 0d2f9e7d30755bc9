import type { AddressInfo } from 'node:net'
import type { Worker } from 'node:worker_threads'
import type { AlertState } from '@chaos/mini-prometheus'
import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import { requester } from './bus-request.js'
import { intervalMs, type Config } from './config.js'
import { superviseEvaluator, type Evaluator } from './evaluator.js'
import { ConsciousnessEventBus } from './event-bus.js'
import { watchHealth } from './health.js'
import { addJournalApi } from './journal-api.js'
import { appMetrics } from './metrics.js'
import { addRoutes, newServer } from './secure-server.js'
import { startSpiralMemory } from './spiral-memory.js'
import { openStorage } from './storage/open-storage.js'
import type { StorageAdapter } from './storage/adapter.js'
import { superviseLoop } from './supervisor.js'

/** The running app, and the parts that a wiring may access. */
export interface App {
  readonly config: Config
  /** The HTTP server. A wiring gets it before the routes are added and the server listens. */
  readonly server: FastifyInstance
  /** The address of the server; empty before it listens. */
  readonly url: string
  readonly bus: ConsciousnessEventBus
  /** The storage adapter beneath breaker, retries and fallback. */
  readonly storageBackend: StorageAdapter
  readonly workers: () => readonly Worker[]
  readonly registry: Registry
  readonly alertsUrl: string
  /** Registers a function that runs before the app closes. */
  onClose(close: () => Promise<void>): void
  close(): Promise<void>
}

/**
 * How long an API request waits for the memory, in ms. A bus that is 1,000 ms late delays both request and answer, so
 * this is more than twice as long.
 */
const REQUEST_TIMEOUT_MS = 5_000
const MODULE = 'journal'

/** What a wiring adds to the app. */
export interface Wired {
  readonly ruleFiles: readonly string[]
  /** Receives every change of an alert. */
  readonly onAlert?: (alert: AlertState) => void
}

/** Adds parts to the app from outside, before it listens. */
export type Wiring = (app: App) => Promise<Wired>

/**
 * Starts the app.
 *
 * @param wire Adds parts from outside the app: server hooks, metrics, rule files.
 */
export async function startApp(config: Config, wire?: Wiring, bus = new ConsciousnessEventBus()): Promise<App> {
  const storage = await openStorage(config)
  const supervisor = superviseLoop({
    restarts: config.supervisorRestarts,
    onReport: (report) => bus.emit('consciousness:update', report),
  })
  const metrics = appMetrics(bus, storage, supervisor)
  const stopMemory = startSpiralMemory(bus, storage)
  const memory = requester(bus, MODULE, REQUEST_TIMEOUT_MS)
  const health = watchHealth(bus, storage, supervisor)
  const alerting: { evaluator?: Evaluator } = {}
  const server = await newServer()
  const tick = setInterval(() => bus.emit('system_tick', Date.now()), 1_000)
  bus.subscribe(MODULE, 'system_tick', () => undefined)

  const closing: (() => Promise<void>)[] = []
  let url = ''
  const app: App = {
    config,
    server,
    get url() {
      return url
    },
    bus,
    storageBackend: storage.backend,
    workers: () => supervisor.workers(),
    registry: metrics.registry,
    get alertsUrl() {
      return alerting.evaluator?.url ?? ''
    },
    onClose: (close) => void closing.push(close),
    async close() {
      for (const close of closing.splice(0).reverse()) await close()
      clearInterval(tick)
      await alerting.evaluator?.close()
      await server.close()
      memory.close()
      health.close()
      stopMemory()
      metrics.close()
      await supervisor.stop()
      await storage.close()
      bus.removeAllListeners()
    },
  }
  try {
    const wired = await wire?.(app)
    addRoutes(server, {
      jwtSecret: config.jwtSecret,
      journal: (journal) => addJournalApi(journal, memory, (change) => bus.emit('journal:changed', change)),
      health,
      metrics,
      bus,
      alertsUrl: () => alerting.evaluator?.url,
    })
    await server.listen({ port: config.port, host: config.host })
    url = `http://${config.host}:${(server.server.address() as AddressInfo).port}`
    alerting.evaluator = await evaluate(app, wired)
  } catch (error) {
    // A failed start must not leave parts of the app running.
    await app.close()
    throw error
  }
  return app
}

function evaluate({ config, url }: App, wired: Wired | undefined): Promise<Evaluator> {
  const settings = {
    job: 'flappyjournal',
    metricsUrl: `${url}/metrics`,
    ruleFiles: [...config.ruleFiles, ...(wired?.ruleFiles ?? [])],
    intervalMs: intervalMs(config),
    webhookUrl: config.alertWebhookUrl,
  }
  return superviseEvaluator(settings, (alert) => {
    logAlert(alert)
    wired?.onAlert?.(alert)
  })
}

/** Logs a change of an alert as one line. */
function logAlert({ name, state, labels, value }: AlertState): void {
  console.log(
    JSON.stringify({
      event: `alert ${state}`,
      alert: name,
      severity: labels['severity'],
      value,
      at: new Date().toISOString(),
    }),
  )
}
