import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { ConsciousnessEventBus } from './event-bus.js'
import { BREAKER_STATES } from './storage/circuit-breaker.js'
import type { ResilientStorage } from './storage/resilient-storage.js'
import type { Supervisor } from './supervisor.js'

/** The label value of the worker. */
const WORKER = 'consciousness-loop'

/** The interface through which the server reports to the metrics. */
export interface Metrics {
  readonly registry: Registry
  /**
   * Counts a new request.
   *
   * @returns Records its end with a status. `undefined`: the client disconnected before the answer.
   */
  request(method: string, route: string): (status: number | undefined) => void
  close(): void
}

/** The route labels of the metrics. */
const ROUTES = ['/api/journal', '/api/journal/:id', '/healthz', '/readyz', '/metrics', '/alerts', 'unknown']
/** The status of a request whose client disconnected. nginx uses the same status. */
const CLIENT_GONE = '499'

/** Registers all metrics of the app. Histogram buckets reach at least ten times the alert threshold. */
export function appMetrics(bus: ConsciousnessEventBus, storage: ResilientStorage, supervisor: Supervisor): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const { backend } = storage.backend

  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Answered requests.',
    labelNames: ['method', 'route', 'status'],
    registers,
  })
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the request to its answer, in seconds.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.3, 0.5, 1, 1.5, 2, 3, 5],
    registers,
  })

  // Failure counters are initialised to 0, because a counter that first appears with a failure shows no increase.
  for (const [route, methods] of [
    ['/api/journal', ['GET', 'POST']],
    ['/api/journal/:id', ['GET', 'PUT', 'DELETE']],
  ] as const) {
    for (const method of methods) for (const status of ['500', '503']) requests.inc({ method, route, status }, 0)
  }

  const underWay = new Set<{ readonly route: string; readonly since: number }>()
  new Gauge({
    name: 'http_requests_in_flight',
    help: 'Requests without an answer yet.',
    labelNames: ['route'],
    registers,
    collect() {
      for (const route of ROUTES) this.set({ route }, 0)
      for (const { route } of underWay) this.inc({ route })
    },
  })
  new Gauge({
    name: 'http_request_oldest_seconds',
    help: 'Age of the oldest request without an answer, in seconds; 0 if there is none.',
    labelNames: ['route'],
    registers,
    collect() {
      for (const route of ROUTES) this.set({ route }, 0)
      // Iterates newest first, so that the oldest request of each route sets the final value.
      for (const { route, since } of [...underWay].reverse()) this.set({ route }, (performance.now() - since) / 1_000)
    },
  })

  new Gauge({
    name: 'consciousness_loop_hz',
    help: 'Turns of the loop per second; 0 without a report.',
    registers,
    collect() {
      this.set(supervisor.hz)
    },
  })
  new Gauge({
    name: 'consciousness_worker_up',
    help: 'Whether the worker is alive.',
    labelNames: ['worker'],
    registers,
    collect() {
      this.set({ worker: WORKER }, supervisor.isUp ? 1 : 0)
    },
  })
  new Counter({
    name: 'consciousness_worker_restarts_total',
    help: 'Restarts of the worker.',
    labelNames: ['worker'],
    registers,
    collect() {
      this.reset()
      this.inc({ worker: WORKER }, supervisor.restarts)
    },
  })
  new Gauge({
    name: 'heartbeat_skew_ms',
    help: 'Deviation of the last turn of the loop from its planned time, in ms; NaN without a report.',
    registers,
    collect() {
      this.set(supervisor.skewMs)
    },
  })

  const lag = new Histogram({
    name: 'eventbus_publish_lag_ms',
    help: 'Time from publishing an event to the end of its last handler, in ms.',
    buckets: [1, 2, 5, 10, 25, 50, 75, 100, 150, 250, 500, 1_000, 1_500, 2_500, 5_000],
    registers,
  })
  bus.onLag = (lagMs) => lag.observe(lagMs)
  new Gauge({
    name: 'eventbus_backlog',
    help: 'Published events that are not yet handled by all subscribers.',
    registers,
    collect() {
      this.set(bus.backlog)
    },
  })
  new Counter({
    name: 'eventbus_lost_total',
    help: 'Events that counted as lost, because they were not handled within a minute.',
    registers,
    collect() {
      this.reset()
      this.inc(bus.lost)
    },
  })

  const labelNames = ['method', 'backend'] as const
  const calls = new Counter({
    name: 'spiral_storage_calls_total',
    help: 'Calls of the storage backend, including retries.',
    labelNames,
    registers,
  })
  const errors = new Counter({
    name: 'spiral_storage_errors_total',
    help: 'Failed calls of the storage backend, including retries.',
    labelNames,
    registers,
  })
  const latency = new Histogram({
    name: 'spiral_storage_latency_ms',
    help: 'Duration of a call of the storage backend, in ms.',
    labelNames,
    buckets: [0.5, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500],
    registers,
  })
  // Initialised to 0, as above.
  for (const method of ['get', 'set', 'del', 'keys'])
    for (const counter of [calls, errors]) counter.inc({ method, backend }, 0)
  storage.onAttempt = ({ method, tookMs, failed }) => {
    calls.inc({ method, backend })
    latency.observe({ method, backend }, tookMs)
    if (failed) errors.inc({ method, backend })
  }
  new Gauge({
    name: 'spiral_cb_state',
    help: 'State of the storage breaker: 0 closed, 1 open, 2 half open.',
    labelNames: ['backend'],
    registers,
    collect() {
      this.set({ backend }, BREAKER_STATES[storage.breaker.state])
    },
  })
  const opened = new Counter({
    name: 'spiral_cb_open_total',
    help: 'Number of times the storage breaker opened.',
    labelNames: ['backend'],
    registers,
  })
  opened.inc({ backend }, 0)
  storage.breaker.onChange = (state) => {
    if (state === 'open') opened.inc({ backend })
    if (state === 'half-open') return
    bus.emit(state === 'open' ? 'storage:circuit_open' : 'storage:circuit_close', { backend })
  }

  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  new Gauge({
    name: 'event_loop_delay_p95_ms',
    help: 'Event loop delay of the main thread since the last scrape, 95th percentile in ms.',
    registers,
    collect() {
      this.set(Math.max(0, delay.percentile(95) / 1e6 - 10))
      delay.reset()
    },
  })

  return {
    registry,
    request(method, route) {
      const own = { route, since: performance.now() }
      underWay.add(own)
      return (status) => {
        if (!underWay.delete(own)) return
        const labels = { method, route, status: status === undefined ? CLIENT_GONE : String(status) }
        requests.inc(labels)
        durations.observe(labels, (performance.now() - own.since) / 1_000)
      }
    },
    close: () => delay.disable(),
  }
}
