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
import { superviseLoop, type Supervisor } from './supervisor.js'
import { every, realTime, type Time } from './time/time.js'

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
  /** Listens on the configured port, and starts the evaluator of the alerts. */
  listen(): Promise<void>
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

/** Parts that the app otherwise makes by itself. */
export interface Parts {
  readonly bus?: ConsciousnessEventBus
  readonly time?: Time
  readonly backend?: StorageAdapter
  /** The period of `system_tick`, in ms. Default 1,000. */
  readonly tickMs?: number
  /** A loop that the app uses, and does not stop. */
  readonly loop?: Supervisor
}

/**
 * Starts the app.
 *
 * @param wire Adds parts from outside the app: server hooks, metrics, rule files.
 */
export async function startApp(config: Config, wire?: Wiring, parts: Parts = {}): Promise<App> {
  const app = await assembleApp(config, wire, parts)
  try {
    await app.listen()
  } catch (error) {
    // A failed start must not leave parts of the app running.
    await app.close()
    throw error
  }
  return app
}

/** Builds the app, which works but does not listen yet. */
export async function assembleApp(config: Config, wire: Wiring | undefined, parts: Parts): Promise<App> {
  const { time = realTime, tickMs = 1_000, bus = new ConsciousnessEventBus(() => time.now()) } = parts
  const storage = await openStorage(config, time, parts.backend)
  const supervisor =
    parts.loop ??
    superviseLoop({
      restarts: config.supervisorRestarts,
      onReport: (report) => bus.emit('consciousness:update', report),
    })
  const metrics = appMetrics(bus, storage, supervisor)
  const stopMemory = startSpiralMemory(bus, storage, time)
  const memory = requester(bus, MODULE, REQUEST_TIMEOUT_MS, time)
  const health = watchHealth(bus, storage, supervisor, time)
  const alerting: { evaluator?: Evaluator } = {}
  const server = await newServer()
  const stopTicks = every(time, tickMs, () => bus.emit('system_tick', Date.now()))
  bus.subscribe(MODULE, 'system_tick', () => undefined)

  const closing: (() => Promise<void>)[] = []
  let url = ''
  let wired: Wired | undefined
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
    async listen() {
      await server.listen({ port: config.port, host: config.host })
      url = `http://${config.host}:${(server.server.address() as AddressInfo).port}`
      alerting.evaluator = await evaluate(app, wired)
    },
    onClose: (close) => void closing.push(close),
    async close() {
      for (const close of closing.splice(0).reverse()) await close()
      stopTicks()
      await alerting.evaluator?.close()
      await server.close()
      memory.close()
      health.close()
      stopMemory()
      metrics.close()
      if (parts.loop === undefined) await supervisor.stop()
      await storage.close()
      bus.removeAllListeners()
    },
  }
  try {
    wired = await wire?.(app)
    addRoutes(server, {
      jwtSecret: config.jwtSecret,
      journal: (journal) => addJournalApi(journal, memory, (change) => bus.emit('journal:changed', change)),
      health,
      metrics,
      bus,
      alertsUrl: () => alerting.evaluator?.url,
    })
  } catch (error) {
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
