/**
 * All of chaos in this app: what can be broken, who may break it, and what is told about it. To take chaos out of the app, remove this file, and its
 * import and use in main.ts.
 *
 * Off unless the environment is development and CHAOS=on. Then: a control socket for the `chaos` command, and HTTP and WebSocket endpoints under
 * /chaos, with the token in CHAOS_TOKEN (one is drawn and printed otherwise). While it is off, /chaos is 404 like any other unknown path.
 */
import { randomBytes } from 'node:crypto'
import { delayCalls, failAfterCall, hangCalls, refuseCalls } from '@chaos/adapter'
import { createHandler, openSocket } from '@chaos/control'
import { createChaos, target, type InjectionState } from '@chaos/core'
import { delayEvents, dropEvents, duplicateEvents, reorderEvents } from '@chaos/eventbus'
import { blockEventLoop, crashWorker, exitWorker, killReturningWorkers, terminateWorker } from '@chaos/worker'
import { Counter, Gauge } from 'prom-client'
import type { App, Wired } from './app.js'
import { ruleFile } from './config.js'

/** The steady state must have held for so long, in ms, before the app counts as recovered. */
const HOLD_MS = 5_000
/** How often recovery is looked at, in ms. */
const LOOK_EVERY_MS = 500

export async function wireChaos(app: App): Promise<Wired> {
  const { environment, windows } = app.config
  if (environment !== 'development' || process.env['CHAOS'] !== 'on') return { ruleFiles: [] }

  const chaos = createChaos({
    environment,
    targets: {
      worker: target(app.workers, [terminateWorker, killReturningWorkers, crashWorker, exitWorker, blockEventLoop]),
      eventbus: target(app.bus, [delayEvents, dropEvents, duplicateEvents, reorderEvents]),
      adapter: target(app.storageBackend, [refuseCalls, failAfterCall, delayCalls, hangCalls]),
    },
  })

  const token = process.env['CHAOS_TOKEN'] ?? randomBytes(24).toString('hex')
  const handler = createHandler(chaos.controller, { token })
  app.mount(handler)
  const socket = await openSocket(chaos.controller, { name: 'flappyjournal' })
  if (process.env['CHAOS_TOKEN'] === undefined) console.log(JSON.stringify({ event: 'chaos endpoint open', path: '/chaos', token }))

  /** Whoever follows is told, beside what chaos does, what the app says of itself. */
  const notify = (topic: string, data: Readonly<Record<string, unknown>>): void => {
    handler.notify(topic, data)
    socket.notify(topic, data)
  }

  const registers = [app.registry]
  const active = new Gauge({ name: 'chaos_fault_active', help: 'Faults in force.', labelNames: ['kind', 'target'], registers })
  const injected = new Counter({ name: 'chaos_faults_injected_total', help: 'Faults that landed.', labelNames: ['kind', 'target'], registers })
  const mttr = new Gauge({ name: 'resonance_mttr_seconds', help: 'Time from the end of the last fault until the app had recovered; counts on while it has not.', labelNames: ['fault'], registers })
  for (const { name, faults } of await chaos.targets()) for (const fault of faults) {
    active.set({ kind: fault, target: name }, 0)
    injected.inc({ kind: fault, target: name }, 0)
    mttr.set({ fault }, 0)
  }

  const recoveries = new Set<() => void>()
  const unfollow = chaos.follow((entry) => {
    if (!('injection' in entry)) return
    const { fault, target: name } = entry.injection
    const labels = { kind: fault, target: name }
    if (entry.type === 'landed') injected.inc(labels)
    if (entry.type === 'armed') active.inc(labels)
    if (entry.type !== 'ended') return
    active.dec(labels)
    if (entry.injection.landedAt === undefined) return
    notify('recovery', { ...labels, state: 'recovering' })
    const stop = watchRecovery(app, entry.injection, (seconds, isDone) => {
      mttr.set({ fault }, seconds)
      if (!isDone) return
      recoveries.delete(stop)
      notify('recovery', { ...labels, state: 'recovered', seconds })
    })
    recoveries.add(stop)
  })

  app.onClose(async () => {
    unfollow()
    for (const stop of recoveries) stop()
    await handler.close()
    await socket.close()
    await chaos.close()
  })
  return { ruleFiles: [ruleFile('chaos', windows)], onAlert: ({ name, state, labels, value }) => notify('alert', { alert: name, state, severity: labels['severity'] ?? '', value }) }
}

/** Counts from the end of a fault until every SLI has been good, and the app healthy, for so long. @returns Stops counting. */
function watchRecovery(app: App, { endedAt = Date.now() }: InjectionState, tell: (seconds: number, isDone: boolean) => void): () => void {
  let goodSince: number | undefined
  let isOver = false
  let timer = setTimeout(() => void look(), LOOK_EVERY_MS).unref()
  /** One look after another: a slow one must not come after a later one, nor after the last. */
  async function look(): Promise<void> {
    const isGood = await isSteady(app)
    if (isOver) return
    const now = Date.now()
    if (isGood) goodSince ??= now
    else goodSince = undefined
    isOver = goodSince !== undefined && now - goodSince >= HOLD_MS
    tell((now - endedAt) / 1_000, isOver)
    if (!isOver) timer = setTimeout(() => void look(), LOOK_EVERY_MS).unref()
  }
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}

/** Gives something while any SLI is out of bounds, looking back over a window shorter than the alerts', which go on for as long as theirs. */
const breach = (window: string): string =>
  [
    'up == 0',
    'consciousness_loop_hz < 95',
    'consciousness_worker_up == 0',
    'eventbus_backlog > 100',
    'spiral_cb_state > 0',
    `histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{route=~"/api/.*"}[${window}]))) > 0.15`,
    `sum(rate(http_requests_total{route=~"/api/.*",status=~"5.."}[${window}])) / sum(rate(http_requests_total{route=~"/api/.*"}[${window}])) > 0.001`,
    `histogram_quantile(0.95, sum by (le) (rate(eventbus_publish_lag_ms_bucket[${window}]))) > 100`,
    `sum(rate(spiral_storage_errors_total[${window}])) / sum(rate(spiral_storage_calls_total[${window}])) > 0.05`,
  ].join(' or ')

async function isSteady({ url, alertsUrl, config }: App): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(LOOK_EVERY_MS * 4)
    const query = encodeURIComponent(breach(config.windows === 'demo' ? '3s' : '30s'))
    const [health, answer] = await Promise.all([fetch(`${url}/healthz`, { signal }), fetch(`${alertsUrl}/api/v1/query?query=${query}`, { signal })])
    const { data } = (await answer.json()) as { readonly data: { readonly result: readonly unknown[] } }
    return health.ok && data.result.length === 0
  } catch {
    return false
  }
}
