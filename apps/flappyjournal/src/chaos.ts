/**
 * All chaos code of this app: the targets, the control endpoints, and the metrics and events about faults. To remove
 * chaos from the app, delete this file, and its import and use in main.ts.
 *
 * Chaos is on only if the environment is development and CHAOS=on. Then the app opens a control socket for the `chaos`
 * command, and HTTP and WebSocket endpoints under /chaos with the token in CHAOS_TOKEN (default: a random token, which
 * is printed). While chaos is off, /chaos answers 404 like any unknown path. Where the storage is a Redis, the app reaches
 * it through a proxy of its own, whose faults break the network between the two.
 *
 * With CHAOS_FLEET_REDIS the app also joins a fleet: CHAOS_FLEET names it, and CHAOS_FLEET_PUBLIC_KEY the file with the
 * public key of those who may run experiments on it. Without, it belongs to none.
 */
import { randomBytes } from 'node:crypto'
import { delayCalls, failAfterCall, hangCalls, refuseCalls } from '@chaos/adapter'
import { mountEndpoint, openSocket } from '@chaos/control'
import { createChaos, target, type Chaos } from '@chaos/core'
import { delayEvents, dropEvents, duplicateEvents, reorderEvents } from '@chaos/eventbus'
import { joinFleet, readPublicKeyFile, type FleetMember } from '@chaos/fleet'
import {
  closeConnections,
  createProxy,
  delayConnections,
  delayData,
  dropData,
  limitBandwidth,
  limitData,
  refuseConnections,
  resetConnections,
  retransmitData,
  type Proxy,
} from '@chaos/proxy'
import { blockEventLoop, crashWorker, exitWorker, killReturningWorkers, terminateWorker } from '@chaos/worker'
import { Counter, Gauge } from 'prom-client'
import type { App, Wired, Wiring } from './app.js'
import { intervalMs, ruleFile, type Config } from './config.js'
import { Recoveries } from './recovery.js'

/** The longest wait for a check of the steady state, in ms. */
const LOOK_TIMEOUT_MS = 2_000
/** The port of a Redis whose address names none. */
const REDIS_PORT = 6_379
/** What can happen to the network between the app and its Redis. */
const networkFaults = [
  closeConnections,
  delayConnections,
  refuseConnections,
  resetConnections,
  delayData,
  dropData,
  limitBandwidth,
  limitData,
  retransmitData,
] as const
/** The number of evaluations for which the final recovery time is shown. */
const FINAL_EVALUATIONS = 3

/** What chaos needs before the app opens its storage. */
export interface PreparedChaos {
  /** The configuration to start the app with. */
  readonly config: Config
  readonly wire: Wiring
  /** Call it when the app has closed: until then, the app writes to its storage. */
  readonly close: () => Promise<void>
}

/**
 * Prepares chaos for an app that is about to start. If the storage is a Redis at a `redis:` address and chaos is on, the
 * configuration leads to it through a proxy, which is the target `redis`.
 */
export async function prepareChaos(config: Config): Promise<PreparedChaos> {
  const url = config.redisUrl === undefined ? undefined : new URL(config.redisUrl)
  if (!isOn(config) || url?.protocol !== 'redis:')
    return { config, wire: (app) => wireChaos(app), close: () => Promise.resolve() }
  const proxy = await createProxy({ name: 'redis', upstream: `${url.hostname}:${url.port || REDIS_PORT}` })
  url.host = proxy.listen
  return {
    config: { ...config, redisUrl: url.href },
    wire: (app) => wireChaos(app, proxy),
    close: () => proxy.close(),
  }
}

const isOn = ({ environment }: Config): boolean => environment === 'development' && process.env['CHAOS'] === 'on'

/** @param redis The proxy through which the app reaches its Redis. */
export async function wireChaos(app: App, redis?: Proxy): Promise<Wired> {
  if (!isOn(app.config)) return { ruleFiles: [] }

  const { environment, windows } = app.config
  const chaos = createChaos({
    environment,
    targets: {
      worker: target(app.workers, [terminateWorker, killReturningWorkers, crashWorker, exitWorker, blockEventLoop]),
      eventbus: target(app.bus, [delayEvents, dropEvents, duplicateEvents, reorderEvents]),
      adapter: target(app.storageBackend, [refuseCalls, failAfterCall, delayCalls, hangCalls]),
    },
  })
  if (redis !== undefined) chaos.target('redis', redis, networkFaults)

  // A fleet that cannot be joined as asked must leave no endpoint and no controller open.
  let member: FleetMember | undefined
  try {
    member = fleetMember(chaos)
  } catch (error) {
    await chaos.close()
    throw error
  }
  const token = process.env['CHAOS_TOKEN'] ?? randomBytes(24).toString('hex')
  const handler = mountEndpoint(app.server.server, chaos, { token })
  const socket = await openSocket(chaos, { name: 'flappyjournal' })
  if (process.env['CHAOS_TOKEN'] === undefined)
    console.log(JSON.stringify({ event: 'chaos endpoint open', path: '/chaos', token }))

  /** Sends an app event to the clients of both endpoints. */
  const notify = (topic: string, data: Readonly<Record<string, unknown>>): void => {
    handler.notify(topic, data)
    socket.notify(topic, data)
  }

  const registers = [app.registry]
  const inForce = new Map<string, { readonly kind: string; readonly target: string }>()
  const kinds: { readonly kind: string; readonly target: string }[] = []
  new Gauge({
    name: 'chaos_fault_active',
    help: 'Faults in force.',
    labelNames: ['kind', 'target'],
    registers,
    collect() {
      for (const labels of kinds) this.set(labels, 0)
      for (const labels of inForce.values()) this.inc(labels)
    },
  })
  const injected = new Counter({
    name: 'chaos_faults_injected_total',
    help: 'Faults that landed.',
    labelNames: ['kind', 'target'],
    registers,
  })
  const mttr = new Gauge({
    name: 'resonance_mttr_seconds',
    help: 'Seconds since the end of the last fault while the app has not recovered, then the final value for a moment; 0: nothing to recover from; NaN: the state cannot be read.',
    labelNames: ['fault'],
    registers,
  })
  for (const { name, faults } of await chaos.targets())
    for (const fault of faults) {
      kinds.push({ kind: fault, target: name })
      injected.inc({ kind: fault, target: name }, 0)
      mttr.set({ fault }, 0)
    }

  const recoveries = new Recoveries({
    isSteady: () => isSteady(app),
    show: (fault, seconds) => mttr.set({ fault }, seconds),
    onRecovered: ({ fault, target: name }, seconds) =>
      notify('recovery', { kind: fault, target: name, state: 'recovered', seconds }),
    showFinalMs: FINAL_EVALUATIONS * intervalMs(app.config),
  })
  const unfollow = chaos.follow((entry) => {
    if (!('injection' in entry)) return
    const { id, fault, target: name } = entry.injection
    const labels = { kind: fault, target: name }
    if (entry.type === 'landed') {
      injected.inc(labels)
      recoveries.landed(id)
    }
    if (entry.type === 'armed') inForce.set(id, labels)
    if (entry.type !== 'ended') return
    inForce.delete(id)
    if (recoveries.ended({ id, fault, target: name })) notify('recovery', { ...labels, state: 'recovering' })
  })

  app.onClose(async () => {
    unfollow()
    recoveries.close()
    await member?.leave()
    await handler.close()
    await socket.close()
    await chaos.close()
  })
  return {
    ruleFiles: [ruleFile('chaos', windows)],
    onAlert: ({ name, state, labels, value }) =>
      notify('alert', { alert: name, state, severity: labels['severity'] ?? '', value }),
  }
}

/**
 * Joins the fleet that the environment names, as an instance of the service `journal`.
 *
 * @throws TypeError when a variable is missing, and the errors of `joinFleet` and `readPublicKeyFile`
 */
function fleetMember(chaos: Chaos): FleetMember | undefined {
  const { CHAOS_FLEET_REDIS: redis, CHAOS_FLEET: fleet, CHAOS_FLEET_PUBLIC_KEY: keyFile } = process.env
  if (redis === undefined) return undefined
  if (fleet === undefined || keyFile === undefined)
    throw new TypeError(`Set ${fleet === undefined ? 'CHAOS_FLEET' : 'CHAOS_FLEET_PUBLIC_KEY'} to join a fleet.`)
  const { keyId, publicKey } = readPublicKeyFile(keyFile)
  const log = (line: string): void =>
    console.log(JSON.stringify({ event: 'fleet', line, at: new Date().toISOString() }))
  const member = joinFleet(chaos, { redis, fleet, service: 'journal', keys: { [keyId]: publicKey }, log })
  console.log(JSON.stringify({ event: 'fleet joined', fleet, instance: member.id }))
  return member
}

/** A query with a non-empty result while any SLI is breached. Its window is shorter than the windows of the alerts. */
const breach = (window: string): string =>
  [
    'up == 0',
    'consciousness_loop_hz < 95',
    'consciousness_worker_up == 0',
    'http_request_oldest_seconds{route=~"/api/.*"} > 10',
    'eventbus_backlog > 100',
    'spiral_cb_state > 0',
    `histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{route=~"/api/.*"}[${window}]))) > 0.15`,
    `sum(rate(http_requests_total{route=~"/api/.*",status=~"5.."}[${window}])) / sum(rate(http_requests_total{route=~"/api/.*"}[${window}])) > 0.001`,
    `histogram_quantile(0.95, sum by (le) (rate(eventbus_publish_lag_ms_bucket[${window}]))) > 100`,
    `sum(rate(spiral_storage_errors_total[${window}])) / sum(rate(spiral_storage_calls_total[${window}])) > 0.05`,
  ].join(' or ')

/** Whether the app is healthy and no SLI is breached; `undefined` if the evaluator does not answer. */
async function isSteady({ url, alertsUrl, config }: App): Promise<boolean | undefined> {
  const signal = AbortSignal.timeout(LOOK_TIMEOUT_MS)
  const isHealthy = fetch(`${url}/healthz`, { signal }).then(
    ({ ok }) => ok,
    () => false,
  )
  const query = encodeURIComponent(breach(config.windows === 'demo' ? '3s' : '30s'))
  const isInBounds = fetch(`${alertsUrl}/api/v1/query?query=${query}`, { signal })
    .then(async (answer) => {
      const { data } = (await answer.json()) as { readonly data: { readonly result: readonly unknown[] } }
      return data.result.length === 0
    })
    .catch(() => undefined)
  const [healthy, inBounds] = await Promise.all([isHealthy, isInBounds])
  return healthy ? inBounds : inBounds === undefined ? undefined : false
}
