import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createChaos, target, type ChaosController, type Clock } from '@chaos/core'
import { defineFault } from '@chaos/core/authoring'
import { onTestFinished } from 'vitest'
import {
  defineExperiment,
  judge,
  type ActiveAlert,
  type AlertReader,
  type AlertRule,
  type Evidence,
  type Experiment,
  type ExperimentInput,
  type ExperimentResult,
} from '../src/index.js'
import type { LoadReading, LoadReport } from '../src/load/report.js'
import type { Sample } from '../src/probes/read.js'
import {
  inventoryOf,
  type AlertStretch,
  type Curve,
  type Monitor,
  type RunInjection,
} from '../src/evidence/evidence.js'

/** A server on loopback that is gone when the test is over. @returns Its address, without a slash at the end. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A server that answers each path with what stands for it. */
export function serveAnswers(answers: Readonly<Record<string, unknown>>): Promise<string> {
  return serve((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    if (!(path in answers)) response.writeHead(404).end()
    else if (typeof answers[path] === 'string') response.end(answers[path])
    else response.setHeader('content-type', 'application/json').end(JSON.stringify(answers[path]))
  })
}

/** Something small that can be broken: its stock reads 0 while the fault is in force. */
export interface Shop {
  read(): number
  /** Set by an instant fault; the shop restocks by itself, `restockMs` later. */
  soldOut: boolean
}

const emptyShelves = defineFault({
  name: 'shop/empty-shelves',
  kind: 'standing',
  summary: 'Reading the stock finds nothing.',
  options: {},
  target: { expects: 'a shop', accepts: (value) => typeof value === 'object' && value !== null && 'soldOut' in value },
  inject(shop: Shop, _options, context) {
    context.patch(
      shop,
      'read',
      (below) =>
        function read(this: unknown, ...args: unknown[]): unknown {
          return context.operation('read').shouldInject(args) ? 0 : below.call.apply(this, args)
        },
    )
  },
})

const sellOut = defineFault({
  name: 'shop/sell-out',
  kind: 'instant',
  summary: 'Sells everything at once.',
  options: {},
  target: { expects: 'a shop', accepts: (value) => typeof value === 'object' && value !== null && 'soldOut' in value },
  inject(shop: Shop, _options, context) {
    if (!context.operation('sell').shouldInject([])) return
    shop.soldOut = true
    context.landed({ sold: 7 })
  },
})

/** A shop with a controller, on a clock of the test. */
export function shopOn(
  clock: Clock,
  { restockMs = 1_000 }: { readonly restockMs?: number } = {},
): { readonly shop: Shop; readonly controller: ChaosController } {
  let soldOut = false
  const shop: Shop = {
    read: () => (soldOut ? 0 : 7),
    get soldOut() {
      return soldOut
    },
    set soldOut(value) {
      soldOut = value
      if (value) clock.after(restockMs, () => void (soldOut = false))
    },
  }
  const chaos = createChaos({
    environment: 'test',
    seed: 1,
    clock,
    targets: { shop: target(shop, [emptyShelves, sellOut]) },
  })
  onTestFinished(() => chaos.close())
  return { shop, controller: chaos.controller }
}

/** An experiment on a shop. */
export function shopExperiment(shop: Pick<Shop, 'read'>, more: Partial<ExperimentInput> = {}): Experiment {
  return defineExperiment({
    title: 'the shop',
    steadyState: {
      holdForMs: 1_000,
      timeoutMs: 5_000,
      probes: [{ name: 'stock', type: 'function', read: () => shop.read(), timeoutMs: 1_000, tolerance: { above: 0 } }],
      mayBreach: ['stock'],
    },
    method: [{ inject: { target: 'shop', fault: 'empty-shelves', leaseMs: 3_000 } }],
    recovery: { withinMs: 5_000 },
    ...more,
  })
}

/** An alert rule of a shop, evaluated whenever it is read, on a clock of the test. */
export function alertsOf(
  clock: Clock,
  isTrue: () => boolean,
  {
    forMs = 500,
    labels = { severity: 'page' },
    name = 'StockLow',
  }: { readonly forMs?: number; readonly labels?: Record<string, string>; readonly name?: string } = {},
): AlertReader {
  let activeAt: number | undefined
  const rule: AlertRule = { name, forMs, intervalMs: 250, rangeMs: 0, isHealthy: true }
  return {
    source: 'the test',
    read: () => {
      const now = clock.now()
      activeAt = isTrue() ? (activeAt ?? now) : undefined
      const alerts: ActiveAlert[] =
        activeAt === undefined
          ? []
          : [{ name, labels, state: now - activeAt >= forMs ? 'firing' : 'pending', activeAt }]
      return Promise.resolve(alerts)
    },
    rules: () => Promise.resolve([rule]),
    // It is evaluated whenever it is read, so it is always up to date.
    health: () =>
      Promise.resolve({
        now: clock.now(),
        nowErrorMs: 0,
        evaluatedAt: clock.now(),
        scrapedAt: clock.now(),
        problems: [],
      }),
  }
}

const INJECTION: RunInjection = {
  id: 'the-shop:1',
  fault: 'shop/empty-shelves',
  kind: 'standing',
  target: 'shop',
  options: {},
  seed: '1',
  status: 'ended',
  outcome: 'lease-expired',
  armedAt: 10_000,
  leaseMs: 20_000,
  leaseEndsAt: 30_000,
  landedAt: 10_100,
  endedAt: 30_000,
  seen: 80,
  affected: 80,
  passed: 0,
  held: 0,
  queued: 0,
  account: {},
  evidence: [],
  failures: [],
  askedAt: 9_990,
  landedSeenAt: 10_300,
  activeSeenAt: 29_800,
  endedSeenAt: 30_200,
}

/** One reading of a probe. */
export function sample(n: number, at: number, value: number | undefined, isGood: boolean): Sample {
  return {
    n,
    askedAt: at - 5,
    at,
    value,
    isGood,
    quality: value === undefined ? 'none' : 'measured',
    ...(value === undefined ? { problem: 'refused' } : {}),
  }
}

/** Readings every 500 ms, from 4 s to 46 s; bad ones from 11 s to 31 s. */
export function curve(probe = 'stock', more: Partial<Curve> = {}): Curve {
  const samples = Array.from({ length: 85 }, (_, index) => {
    const at = 4_000 + index * 500
    const isGood = at < 11_000 || at > 31_000
    return sample(index, at, isGood ? 7 : 0, isGood)
  })
  return {
    probe,
    source: 'function',
    origin: undefined,
    unit: undefined,
    bounds: '> 0',
    thresholds: [0],
    maxGapMs: 4_250,
    maxAgeMs: 15_000,
    samples,
    ...more,
  }
}

export function stretch(more: Partial<AlertStretch> = {}): AlertStretch {
  return {
    name: 'StockLow',
    labels: { severity: 'page' },
    state: 'firing',
    source: 'the test',
    from: 14_000,
    fromErrorMs: 500,
    to: 33_000,
    toErrorMs: 500,
    activeAt: 11_000,
    isSilenced: false,
    ...more,
  }
}

/** A monitoring that evaluated and scraped every 500 ms, and whose clock is ours. */
export function monitor(more: Partial<Monitor> = {}): Monitor {
  const times = Array.from({ length: 43 }, (_, index) => 3_500 + index * 1_000)
  return {
    source: 'the test',
    ruleIntervalMs: 250,
    scrapeIntervalMs: 500,
    readings: times.map((at) => ({
      askedAt: at - 10,
      at,
      evaluatedAt: at - 200,
      scrapedAt: at - 300,
      isBlind: false,
      problem: undefined,
    })),
    clock: times.map((at) => ({ at, offsetMs: 0, errorMs: 5 })),
    ...more,
  }
}

/** What a load says that has sent 20 requests a second since 0, half of them writes. */
export function loadReport(at: number, more: Partial<LoadReport> = {}): LoadReport {
  return {
    at,
    requests: Math.floor(at / 50),
    acknowledged: Math.floor(at / 100),
    failed: 0,
    rejected: 0,
    lost: 0,
    damaged: 0,
    duplicated: 0,
    reordered: 0,
    undelivered: 0,
    underWay: 1,
    oldestUnderWayMs: 20,
    verified: 0,
    ownDelayMs: 2,
    offenders: [],
    ...more,
  }
}

/** A load that was read every 500 ms. */
export function load(change: (report: LoadReport) => Partial<LoadReport> = () => ({})): NonNullable<Evidence['load']> {
  const reading = (at: number, more: Partial<LoadReport> = {}): LoadReading => {
    const report = loadReport(at, more)
    return { askedAt: at - 5, at, report: { ...report, ...change(report) }, problem: undefined }
  }
  return {
    readings: Array.from({ length: 85 }, (_, index) => reading(4_000 + index * 500)),
    final: reading(46_500, { verified: 465 }),
  }
}

/** An experiment that wants everything a run can show. */
export const thorough: Experiment = defineExperiment({
  title: 'the shop <b>& co</b>',
  description: 'Shelves are empty for 20 s.',
  load: { report: () => loadReport(0) },
  steadyState: {
    holdForMs: 5_000,
    probes: [{ name: 'stock', type: 'function', read: () => 7, unit: 'items', tolerance: { above: 0 } }],
    mayBreach: ['stock'],
  },
  method: [{ inject: { target: 'shop', fault: 'empty-shelves', leaseMs: 20_000 } }],
  alerts: {
    mustFire: [{ name: 'StockLow', labels: { severity: 'page' }, withinMs: 10_000 }],
    mayFire: ['Restocking'],
    resolveWithinMs: 20_000,
  },
  recovery: { withinMs: 20_000 },
  guardrails: [{ name: 'orders', type: 'function', read: () => 20, tolerance: { above: 10 } }],
  afterwards: [{ name: 'orders left', type: 'function', read: () => 0, tolerance: { equals: 0 } }],
})

/** What a run of {@link thorough} that passes shows. */
export function passingEvidence(more: Partial<Omit<Evidence, 'inventory'>> = {}): Evidence {
  return sealed({
    startedAt: 3_000,
    endedAt: 46_600,
    watchedUntil: 46_050,
    pollMs: 500,
    gate: { isMet: true, from: 4_000 },
    methodAt: 10_000,
    isMethodDone: true,
    firingBefore: [],
    rulesFound: ['StockLow'],
    brokenRules: [],
    injections: [INJECTION],
    curves: [curve()],
    guards: [
      curve('orders', {
        bounds: '> 10',
        thresholds: [10],
        samples: curve().samples.map((one) => ({ ...one, value: 20, isGood: true })),
      }),
    ],
    alerts: [stretch({ state: 'pending', from: 11_500, to: 14_000 }), stretch()],
    alertReadings: [{ source: 'the test', succeeded: 86, failed: 0, longestGapMs: 500, problem: undefined }],
    monitors: [monitor()],
    appClock: [4_000, 14_000, 24_000, 34_000, 44_000].map((at) => ({ at, offsetMs: 0, errorMs: 0 })),
    notifications: [
      { at: 15_000, name: 'StockLow', labels: { severity: 'page' }, status: 'firing' },
      { at: 34_000, name: 'StockLow', labels: { severity: 'page' }, status: 'resolved' },
    ],
    load: load(),
    own: Array.from({ length: 43 }, (_, index) => ({ at: 3_500 + index * 1_000, lateMs: 3 })),
    afterwards: [{ name: 'orders left', bounds: '= 0', sample: sample(0, 46_500, 0, true) }],
    failures: [],
    rollbackFailures: [],
    brokenOff: undefined,
    ...more,
  })
}

/** Evidence with its inventory: as a run would have recorded it. */
export function sealed(evidence: Omit<Evidence, 'inventory'>): Evidence {
  return { ...evidence, inventory: inventoryOf(evidence) }
}

/** The injection of {@link passingEvidence}. */
export function injection(more: Partial<RunInjection> = {}): RunInjection {
  return { ...INJECTION, ...more }
}

/** A result made from evidence. */
export function resultOf(evidence: Evidence = passingEvidence(), experiment: Experiment = thorough): ExperimentResult {
  return {
    title: experiment.title,
    description: experiment.description,
    experiment,
    evidence,
    verdict: judge(experiment, evidence),
  }
}
