import {
  ChaosError,
  type ChaosController,
  type InjectionState,
  type InjectOptions,
  type PortableInjectOptions,
} from '@chaos/core'
import { manualClock, type ManualClock } from '@chaos/core/testing'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { alertsOf, loadReport, shopExperiment, shopOn, type Shop } from '../test/support.js'
import type { AlertReader } from './alerts/reader.js'
import type { Notification } from './alerts/webhook-sink.js'
import type { LoadReport } from './load/report.js'
import type { Experiment, LoadReader } from './model/experiment.js'
import type { Evidence } from './evidence/evidence.js'
import type { VerdictName } from './verdict/exit-codes.js'
import { judge } from './verdict/judge.js'
import type { RunEvent } from './run/events.js'
import { runExperiment } from './run-experiment.js'
import type { RunOptions } from './run/gather-evidence.js'
import type { ExperimentResult } from './verdict/result.js'

let clock: ManualClock
let shop: Shop
let controller: ChaosController

beforeEach(() => {
  clock = manualClock(1_000_000)
  ;({ shop, controller } = shopOn(clock))
})

/** Runs an experiment to its end, however long that takes on the test's clock. */
async function run(experiment: Experiment, options: Partial<RunOptions> = {}): Promise<ExperimentResult> {
  let result: ExperimentResult | undefined
  let failure: unknown
  void runExperiment(experiment, { controller, clock, ...options }).then(
    (value) => (result = value),
    (error: unknown) => (failure = error ?? 'nothing'),
  )
  for (let second = 0; second < 300 && result === undefined && failure === undefined; second += 1)
    await clock.advance(1_000)
  if (result === undefined) throw failure
  return result
}
const live = async (): Promise<number> =>
  (await controller.injections()).filter(({ status }) => status !== 'ended').length
const withAlert = {
  alerts: { mustFire: [{ name: 'StockLow', labels: { severity: 'page' }, withinMs: 2_000 }], resolveWithinMs: 3_000 },
}
const stockLow = (options: Parameters<typeof alertsOf>[2] = {}): AlertReader =>
  alertsOf(clock, () => shop.read() === 0, options)

describe('a standing fault', () => {
  it('proves nothing when its controller has cut it short', async () => {
    const stop = new AbortController()
    const cutting: ChaosController = {
      ...controller,
      inject: (target, fault, options, how) => {
        clock.after(500, () => stop.abort())
        const cut: InjectOptions = { ...how, signal: stop.signal }
        return controller.inject(target, fault, options, cut as PortableInjectOptions)
      },
    }
    const { verdict } = await run(shopExperiment(shop), { controller: cutting })
    expect(verdict).toMatchObject({ name: 'inconclusive', recovery: 'not-observed' })
    expect(verdict.cause).toContain('shop/empty-shelves was cut short')
  })

  it('is followed from its landing to the steady state that held again', async () => {
    const { verdict, evidence } = await run(shopExperiment(shop, withAlert), { alerts: stockLow() })
    expect(verdict).toMatchObject({
      name: 'pass',
      recovery: 'by-itself',
      alerts: [{ name: 'StockLow', outcome: 'detected' }],
    })
    const { t0, t4, t7 } = verdict.marks
    expect(Object.keys(verdict.marks).sort()).toEqual(['t0', 't1', 't2', 't4', 't5', 't6', 't7'])
    expect(evidence.injections).toMatchObject([
      { status: 'ended', outcome: 'lease-expired', affected: expect.any(Number) as number },
    ])
    expect(t4?.at).toBe(evidence.injections[0]?.endedAt)
    expect(verdict.timeToDetectMs).toBeGreaterThanOrEqual(500)
    expect(verdict.timeToRecoverMs).toBe((t7?.at ?? 0) - (t4?.at ?? 0))
    expect(verdict.timeToRecoverMs).toBeGreaterThanOrEqual(1_000)
    expect(t0?.at).toBe(evidence.injections[0]?.landedAt)
    expect(await live()).toBe(0)
  })

  it('is not taken as landed because it is armed', async () => {
    const blind = shopExperiment({ read: () => 7 })
    expect((await run(blind)).verdict).toMatchObject({
      name: 'fault-did-not-land',
      cause: expect.stringContaining('0 of 0 operations') as string,
    })
  })

  it('that hits nothing is said to have done so, with how much it let pass', async () => {
    const skipping = shopExperiment(shop, {
      method: [{ inject: { target: 'shop', fault: 'empty-shelves', leaseMs: 2_000, skip: 1_000 } }],
    })
    const { verdict } = await run(skipping)
    expect(verdict.name).toBe('fault-did-not-land')
    expect(verdict.cause).toMatch(/0 of \d\d? operations/)
  })

  it('makes the same decisions in every run of the same seed', async () => {
    const experiment = shopExperiment(shop, {
      method: [{ inject: { target: 'shop', fault: 'shop/empty-shelves', leaseMs: 3_000, rate: 0.5, seed: 7 } }],
    })
    const good = async (): Promise<readonly boolean[]> => {
      const { evidence } = await run(experiment)
      const from = evidence.methodAt ?? 0
      return (
        evidence.curves[0]?.samples.filter(({ at }) => at > from && at <= from + 3_000).map(({ isGood }) => isGood) ??
        []
      )
    }
    const first = await good()
    expect(new Set(first).size).toBe(2)
    expect(await good()).toEqual(first)
  })

  it('stopped early makes recovery assisted', async () => {
    const { verdict, evidence } = await run(
      shopExperiment(shop, {
        method: [{ inject: { target: 'shop', fault: 'empty-shelves', leaseMs: 30_000, forMs: 2_000 } }],
      }),
    )
    expect(verdict).toMatchObject({ name: 'pass', recovery: 'assisted' })
    expect(evidence.injections).toMatchObject([{ outcome: 'stopped' }])
  })

  it('stopped by somebody else makes recovery assisted too', async () => {
    const { verdict } = await run(shopExperiment(shop), {
      onEvent: (event) => {
        if (event.type === 'mark' && event.mark === 't0') void controller.stopAll()
      },
    })
    expect(verdict).toMatchObject({
      name: 'inconclusive',
      recovery: 'assisted',
      cause: expect.stringContaining('something outside this run stopped it') as string,
    })
  })

  it('from which the system does not come back is a weakness', async () => {
    let isBroken = false
    const stuck = {
      read: () => {
        isBroken ||= shop.read() === 0
        return isBroken ? 0 : 7
      },
    }
    const { verdict } = await run(shopExperiment(stuck))
    expect(verdict).toMatchObject({
      name: 'weakness-found',
      recovery: 'not-recovered',
      timeToRecoverMs: undefined,
      cause: expect.stringContaining('stock was 0, expected > 0') as string,
    })
  })

  it('must be recovered from while it is in force, where that is asked for', async () => {
    let since: number | undefined
    const healing = {
      read: () => {
        if (shop.read() === 0) since ??= clock.now()
        return since !== undefined && clock.now() < since + 1_000 ? 0 : 7
      },
    }
    const wanted = { recovery: { withinMs: 5_000, duringFault: { probes: ['stock'], withinMs: 1_500 } } }
    expect((await run(shopExperiment(healing, wanted))).verdict.name).toBe('pass')
    expect((await run(shopExperiment(shop, wanted))).verdict).toMatchObject({
      name: 'weakness-found',
      cause: expect.stringContaining('from 1500 ms after the fault landed') as string,
    })
  })
})

describe('an instant fault', () => {
  it('has ended when it landed; recovery counts from there', async () => {
    const { verdict, evidence } = await run(
      shopExperiment(shop, { method: [{ inject: { target: 'shop', fault: 'sell-out' } }] }),
    )
    expect(verdict).toMatchObject({ name: 'pass', recovery: 'by-itself' })
    expect(verdict.marks.t4).toEqual(verdict.marks.t0)
    expect(evidence.injections[0]?.evidence).toEqual([{ sold: 7 }])
    expect(verdict.timeToRecoverMs).toBeGreaterThanOrEqual(2_000)
  })

  it('done again and again ends with the last one', async () => {
    const kill = { inject: { target: 'shop', fault: 'sell-out' } }
    const { verdict, evidence } = await run(
      shopExperiment(shop, { method: [kill, { waitMs: 2_000 }, kill, { waitMs: 2_000 }, kill] }),
    )
    expect(evidence.injections.map(({ id }) => id)).toEqual(['the-shop:1', 'the-shop:3', 'the-shop:5'])
    expect((verdict.marks.t4?.at ?? 0) - (verdict.marks.t0?.at ?? 0)).toBe(4_000)
  })
})

describe('the gate', () => {
  it('breaks nothing where the steady state does not hold', async () => {
    const inject = vi.spyOn(controller, 'inject')
    const { verdict } = await run(shopExperiment({ read: () => 0 }))
    expect(verdict).toMatchObject({
      name: 'gate-unmet',
      cause: expect.stringContaining('stock was 0, expected > 0') as string,
    })
    expect(inject).not.toHaveBeenCalled()
  })

  it('waits for a system that is getting there', async () => {
    const readyAt = clock.now() + 3_000
    const { verdict } = await run(shopExperiment({ read: () => (clock.now() < readyAt ? 0 : shop.read()) }))
    expect(verdict.name).toBe('pass')
  })

  it('takes a probe without data as not holding', async () => {
    const { verdict } = await run(
      shopExperiment({
        read: () => {
          throw new Error('closed on Mondays')
        },
      }),
    )
    expect(verdict).toMatchObject({
      name: 'gate-unmet',
      cause: expect.stringContaining('without data (closed on Mondays)') as string,
    })
  })

  it('takes a probe that never answers as one without data', async () => {
    const silent = shopExperiment(shop, {
      steadyState: {
        holdForMs: 0,
        timeoutMs: 5_000,
        probes: [
          {
            name: 'stock',
            type: 'function',
            read: () => new Promise<number>(() => undefined),
            timeoutMs: 100,
            tolerance: { above: 0 },
          },
        ],
      },
    })
    expect((await run(silent)).verdict.cause).toContain('no answer within 100 ms')
  })

  it('waits for alerts of the last run to be gone', async () => {
    const calmAt = clock.now() + 3_000
    const { verdict } = await run(shopExperiment(shop, withAlert), {
      alerts: alertsOf(clock, () => clock.now() < calmAt || shop.read() === 0),
    })
    expect(verdict.name).toBe('pass')
  })

  it('breaks nothing while an alert is active', async () => {
    const inject = vi.spyOn(controller, 'inject')
    const { verdict } = await run(shopExperiment(shop, withAlert), { alerts: alertsOf(clock, () => true) })
    expect(verdict).toMatchObject({ name: 'inconclusive', alerts: [{ outcome: 'already-firing' }] })
    expect(inject).not.toHaveBeenCalled()
  })
})

describe('the load', () => {
  /** A load that has sent 20 requests a second since the clock began, half of them writes that were acknowledged. */
  const report = (more: Partial<LoadReport> = {}): LoadReport =>
    loadReport(clock.now(), { verified: clock.now() / 100, ...more })
  const under = (read: LoadReader, more: Parameters<typeof shopExperiment>[1] = {}): Experiment =>
    shopExperiment(shop, { load: { report: read }, ...more })

  it('is evidence, from the gate to the full look at the end', async () => {
    const { verdict, evidence } = await run(under(() => report()))
    expect(verdict.name).toBe('pass')
    expect(evidence.load?.readings.length).toBeGreaterThan(20)
    expect(evidence.load?.final?.at).toBeGreaterThanOrEqual(evidence.watchedUntil)
  })

  it.each([
    ['is dead', () => ({ requests: 5, acknowledged: 5 }), /sent 0\.0 requests a second/],
    ['is answered with errors only', () => ({ acknowledged: 5 }), /had acknowledged 0\.0 writes a second/],
  ] as const)('that %s before anything is broken does not meet the gate', async (_what, more, cause) => {
    const inject = vi.spyOn(controller, 'inject')
    const { verdict } = await run(under(() => report(more())))
    expect(verdict).toMatchObject({ name: 'gate-unmet', cause: expect.stringMatching(cause) as string })
    expect(inject).not.toHaveBeenCalled()
  })

  it('that cannot be read does not meet the gate', async () => {
    expect((await run(under(() => Promise.reject(new Error('refused'))))).verdict).toMatchObject({
      name: 'gate-unmet',
      cause: expect.stringContaining('the load could not be read (refused)') as string,
    })
    expect((await run(under(() => ({ at: 1 }) as LoadReport))).verdict.cause).toContain(
      '`requests` of the report of the load is missing',
    )
  })

  it('that its own machine delays makes the run inconclusive', async () => {
    expect((await run(under(() => report({ ownDelayMs: 400 })))).verdict).toMatchObject({
      name: 'inconclusive',
      cause: expect.stringContaining('the event loop of the load was 400 ms late') as string,
    })
  })

  const fromNowOn = (value: Partial<LoadReport>): (() => Partial<LoadReport> | undefined) => {
    const from = clock.now() + 2_500
    return () => (clock.now() > from ? value : undefined)
  }
  it.each([
    ['requests fail', 'weakness-found', { failed: 3 }, /3 requests failed, expected at most 0/],
    ['requests are rejected', 'weakness-found', { rejected: 9 }, /9 requests were rejected/],
    [
      'writes are lost',
      'weakness-found',
      { lost: 230, offenders: ['entry 7 is missing'] },
      /230 acknowledged writes were lost, expected at most 0 \(entry 7 is missing\)/,
    ],
    [
      'writes are damaged',
      'weakness-found',
      { damaged: 1, offenders: ['entry 7: content'] },
      /1 acknowledged writes were damaged/,
    ],
    ['writes are there twice', 'weakness-found', { duplicated: 1 }, /delivered more than once/],
    ['writes are delivered out of order', 'weakness-found', { reordered: 1 }, /out of order/],
    ['deliveries do not come', 'weakness-found', { undelivered: 93 }, /93 writes were not delivered in time/],
    [
      'a request hangs for good',
      'weakness-found',
      { underWay: 4, oldestUnderWayMs: 12_000 },
      /4 requests were under way without an answer, the oldest for 12\.0 s/,
    ],
    [
      'nothing is acknowledged any more',
      'weakness-found',
      { acknowledged: 10_030 },
      /0\.0 writes a second were acknowledged/,
    ],
    [
      'nothing is sent any more',
      'inconclusive',
      { requests: 20_060, acknowledged: 10_030, underWay: 0 },
      /The load sent/,
    ],
    ['another load takes over', 'inconclusive', { requests: 3 }, /restarted during the run/],
    ['the report stands still', 'inconclusive', { at: 1_002_500 }, /stood still/],
  ] satisfies readonly (readonly [string, VerdictName, Partial<LoadReport>, RegExp])[])(
    'under which %s in mid-run: %s',
    async (_what, name, change, cause) => {
      const changed = fromNowOn(change)
      const { verdict } = await run(under(() => report(changed())))
      expect(verdict.cause).toMatch(cause)
      expect(verdict.name).toBe(name)
    },
  )

  it('may do what the experiment allows', async () => {
    const changed = fromNowOn({ failed: 3 })
    expect(
      (await run(under(() => report(changed()), { load: { report: () => report(changed()), atMost: { failed: 3 } } })))
        .verdict.name,
    ).toBe('pass')
  })

  it.each([
    ['sends one write in two seconds', 2_000, 0.5, 1],
    ['sends one write in ten seconds', 10_000, 0.1, 1],
    ['sends as much as it must, a write in every other request', 1_000, 0.5, 2],
    ['is asked for nothing', 8_000, 0, 1],
  ])('that %s is not accused of too little', async (_what, everyMs, atLeastPerSecond, requestsPerWrite) => {
    const slow: LoadReader = () => {
      const requests = Math.floor(clock.now() / everyMs)
      return report({
        requests,
        acknowledged: Math.floor(requests / requestsPerWrite),
        verified: requests,
        underWay: 0,
        oldestUnderWayMs: 0,
      })
    }
    const { verdict } = await run(
      under(slow, {
        load: { report: slow, atLeastPerSecond },
        steadyState: { ...shopExperiment(shop).steadyState, timeoutMs: 60_000 },
      }),
    )
    expect(verdict).toMatchObject({ name: 'pass' })
  })

  it('that pauses while a short fault is in force shows nothing of it', async () => {
    let [requests, acknowledged, sentAt] = [0, 0, clock.now()]
    const pausing: LoadReader = async () => {
      const isBroken = (await live()) > 0
      if (!isBroken)
        [requests, acknowledged] = [requests + (clock.now() - sentAt) / 50, acknowledged + (clock.now() - sentAt) / 100]
      sentAt = clock.now()
      return report({ requests, acknowledged, verified: acknowledged, underWay: 0, oldestUnderWayMs: 0 })
    }
    expect((await run(under(pausing))).verdict).toMatchObject({
      name: 'inconclusive',
      cause: expect.stringMatching(/The load sent nothing for 2\.\d s while the fault was in force/) as string,
    })
  })

  it('that looks only for what was acknowledged before anything was broken leaves the run inconclusive', async () => {
    const from = clock.now()
    expect((await run(under(() => report({ verified: from / 100 + 30 })))).verdict).toMatchObject({
      name: 'inconclusive',
      cause: expect.stringMatching(/verified 10030 of 10\d+ acknowledged writes/) as string,
    })
  })

  it('that does not look for everything at the end leaves the run inconclusive', async () => {
    expect((await run(under(() => report({ verified: 1 })))).verdict).toMatchObject({
      name: 'inconclusive',
      cause: expect.stringMatching(/verified 1 of 10\d+ acknowledged writes/) as string,
    })
  })
})

describe('alerts', () => {
  it('that do not fire fail the run, after their deadline', async () => {
    const { verdict } = await run(shopExperiment(shop, withAlert), { alerts: alertsOf(clock, () => false) })
    expect(verdict).toMatchObject({ name: 'alert-failed', cause: 'StockLow missed: It never fired.' })
  })

  it('that have no rule are refused before anything is broken', async () => {
    const inject = vi.spyOn(controller, 'inject')
    const reader: AlertReader = { source: 'empty', read: () => Promise.resolve([]), rules: () => Promise.resolve([]) }
    await expect(run(shopExperiment(shop, withAlert), { alerts: reader })).rejects.toThrow('Unknown alert "StockLow"')
    expect(inject).not.toHaveBeenCalled()
  })

  it('that nobody expected fail the run', async () => {
    const { verdict } = await run(shopExperiment(shop, { alerts: {} }), { alerts: stockLow() })
    expect(verdict).toMatchObject({ name: 'alert-failed', alerts: [{ name: 'StockLow', outcome: 'unexpected' }] })
  })

  it('that may fire and did before anything was broken neither hold the run up nor fail it', async () => {
    const reader = alertsOf(clock, () => true, { name: 'Watchdog', forMs: 0 })
    const { verdict, evidence } = await run(shopExperiment(shop, { alerts: { mayFire: ['Watchdog'] } }), {
      alerts: reader,
    })
    expect(verdict).toMatchObject({ name: 'pass', alerts: [{ name: 'Watchdog', outcome: 'allowed' }] })
    expect(evidence.watchedUntil - (verdict.marks.t7?.at ?? 0)).toBeLessThan(5_000)
  })

  it('that are looked at once a minute are waited for, so that their silence says something', async () => {
    const minute = (): number => Math.floor(clock.now() / 60_000) * 60_000
    const reader: AlertReader = {
      source: 'slow',
      read: () => Promise.resolve([]),
      timing: () => Promise.resolve({ evaluationIntervalMs: 60_000, scrapeIntervalMs: 60_000 }),
      health: () =>
        Promise.resolve({ now: clock.now(), nowErrorMs: 0, evaluatedAt: minute(), scrapedAt: minute(), problems: [] }),
    }
    const { verdict, evidence } = await run(shopExperiment(shop, { alerts: {} }), { alerts: reader })
    expect(verdict.name).toBe('pass')
    expect(Math.floor(evidence.watchedUntil / 60_000)).toBeGreaterThan(Math.floor((verdict.marks.t4?.at ?? 0) / 60_000))
  })

  const minute = (): number => Math.floor(clock.now() / 60_000) * 60_000
  /** Rules that are evaluated once a minute, an alert that fires for one minute, and answers that take 3 s. */
  const onceAMinute = (from: () => number): AlertReader => ({
    source: 'slow',
    read: async () => {
      const isTrue = minute() === from()
      await new Promise<void>((resolve) => void clock.after(3_000, resolve))
      return isTrue ? [{ name: 'Fire', labels: {}, state: 'firing' }] : []
    },
    timing: () => Promise.resolve({ evaluationIntervalMs: 60_000, scrapeIntervalMs: 60_000 }),
    health: () =>
      Promise.resolve({ now: clock.now(), nowErrorMs: 0, evaluatedAt: minute(), scrapedAt: minute(), problems: [] }),
  })

  it('that may fire, and do when the rules are evaluated once more, are waited for until they have resolved', async () => {
    const from = minute() + 60_000
    const { verdict } = await run(shopExperiment(shop, { alerts: { mayFire: ['Fire'], resolveWithinMs: 150_000 } }), {
      alerts: onceAMinute(() => from),
    })
    expect(verdict).toMatchObject({ name: 'pass', alerts: [{ name: 'Fire', outcome: 'allowed' }] })
  })

  it('are read once more when the rules have been evaluated, also where an answer takes its time', async () => {
    let from = 0
    const reader = onceAMinute(() => from)
    for (const experiment of [
      shopExperiment(shop, { alerts: {} }),
      shopExperiment(shop, { alerts: {}, method: [{ waitMs: 2_000 }] }),
    ]) {
      from = minute() + 60_000
      expect((await run(experiment, { alerts: reader })).verdict).toMatchObject({
        name: 'alert-failed',
        alerts: [{ name: 'Fire', outcome: 'unexpected' }],
      })
    }
  })

  it('that cannot be read make the run inconclusive', async () => {
    const reader: AlertReader = { source: 'down', read: () => Promise.reject(new Error('refused')) }
    expect((await run(shopExperiment(shop, withAlert), { alerts: reader })).verdict).toMatchObject({
      name: 'inconclusive',
      alerts: [{ outcome: 'monitoring-down' }],
    })
  })

  it('whose source hangs leave probes their sight', async () => {
    const reader: AlertReader = { source: 'hanging', read: () => new Promise(() => undefined) }
    const { verdict, evidence } = await run(
      shopExperiment(shop, { steadyState: { ...shopExperiment(shop).steadyState, timeoutMs: 30_000 } }),
      { alerts: reader },
    )
    expect(verdict.name).toBe('inconclusive')
    expect(verdict.marks).toHaveProperty('t7')
    expect(evidence.curves[0]?.samples.length).toBeGreaterThan(20)
  })

  it('must arrive at the webhook, where there is one', async () => {
    const notifications: Notification[] = []
    const sink = { notifications }
    const silent = await run(shopExperiment(shop, withAlert), { alerts: stockLow(), sink })
    expect(silent.verdict).toMatchObject({ name: 'alert-failed', alerts: [{ outcome: 'silenced' }] })

    clock.after(3_000, () =>
      notifications.push({ at: clock.now(), name: 'StockLow', labels: { severity: 'page' }, status: 'firing' }),
    )
    const heard = await run(shopExperiment(shop, withAlert), { alerts: stockLow(), sink })
    expect(heard.verdict.name).toBe('pass')
    expect(heard.verdict.marks.t3?.at).toBe(notifications[0]?.at)
  })

  it('must reach each place where alerts are sent', async () => {
    const receiver = (): AlertReader => ({ ...stockLow(), source: 'alertmanager', isReceiver: true })
    const lost = await run(shopExperiment(shop, withAlert), {
      alerts: [stockLow(), { ...receiver(), read: () => Promise.resolve([]) }],
    })
    expect(lost.verdict).toMatchObject({
      name: 'alert-failed',
      cause: 'StockLow silenced: It fired, but never reached alertmanager, so nobody was notified.',
    })
    expect((await run(shopExperiment(shop, withAlert), { alerts: [stockLow(), receiver()] })).verdict.name).toBe('pass')
  })

  it('can be read in several places', async () => {
    const other: AlertReader = {
      source: 'other',
      read: () =>
        Promise.resolve(
          [{ name: 'StockLow', labels: { severity: 'page' }, state: 'firing' as const, isSilenced: true }].slice(
            shop.read() === 0 ? 0 : 1,
          ),
        ),
    }
    const { verdict, evidence } = await run(shopExperiment(shop, withAlert), { alerts: [stockLow(), other] })
    expect(verdict.alerts).toMatchObject([{ outcome: 'silenced' }])
    expect(evidence.alertReadings.map(({ source }) => source)).toEqual(['the test', 'other'])
  })
})

describe('a control run', () => {
  const control = (more: Parameters<typeof shopExperiment>[1] = {}): Experiment =>
    shopExperiment(shop, { method: [{ waitMs: 5_000 }], alerts: {}, ...more })

  it('watches its whole window, and passes when nothing is to be seen', async () => {
    const { verdict, evidence } = await run(control(), { alerts: stockLow() })
    expect(verdict.name).toBe('pass')
    expect((evidence.curves[0]?.samples.at(-1)?.at ?? 0) - (evidence.methodAt ?? 0)).toBeGreaterThanOrEqual(5_000)
  })

  it('finds what goes wrong by itself', async () => {
    clock.after(3_000, () => {
      shop.soldOut = true
    })
    const { verdict } = await run(control(), { alerts: stockLow() })
    expect(verdict).toMatchObject({
      name: 'weakness-found',
      cause: expect.stringContaining('although nothing was broken') as string,
    })
  })

  it('finds an alert that fires for nothing', async () => {
    const from = clock.now() + 3_000
    expect((await run(control(), { alerts: alertsOf(clock, () => clock.now() > from) })).verdict).toMatchObject({
      name: 'alert-failed',
      alerts: [{ outcome: 'unexpected' }],
    })
  })
})

describe('whatever happens, nothing of the run stays in force', () => {
  const long = (more: Parameters<typeof shopExperiment>[1] = {}): Experiment =>
    shopExperiment(shop, { method: [{ inject: { target: 'shop', fault: 'empty-shelves', leaseMs: 60_000 } }], ...more })

  it('when it is aborted', async () => {
    const abort = new AbortController()
    clock.after(3_000, () => abort.abort())
    const { verdict, evidence } = await run(long(), { signal: abort.signal })
    expect(verdict).toMatchObject({
      name: 'inconclusive',
      cause: 'The run was aborted: the caller stopped it.',
      recovery: 'not-observed',
    })
    expect(evidence.endedAt).toBeLessThanOrEqual(1_004_000)
    expect(evidence.injections).toMatchObject([{ status: 'ended', outcome: 'stopped' }])
    expect(shop.read()).toBe(7)
  })

  it('when it is aborted before it began', async () => {
    const inject = vi.spyOn(controller, 'inject')
    expect((await run(long(), { signal: AbortSignal.abort() })).verdict.name).toBe('inconclusive')
    expect(inject).not.toHaveBeenCalled()
  })

  it('when a guardrail trips', async () => {
    const guardrails = [{ name: 'till', type: 'function' as const, read: () => shop.read(), tolerance: { above: 0 } }]
    const { verdict, evidence } = await run(long({ guardrails }))
    expect(verdict).toMatchObject({
      name: 'guardrail-tripped',
      cause: 'The guardrail till was 0, expected > 0: the run was ended.',
    })
    expect(evidence.endedAt).toBeLessThanOrEqual(1_004_000)
    expect(await live()).toBe(0)
  })

  it.each([
    ['cannot be read', () => Promise.reject(new Error('gone')), 'without data (gone)'],
    ['does not answer', () => new Promise<number>(() => undefined), 'without data (no answer within 2000 ms)'],
  ])('when a guardrail %s', async (_what, unread, why) => {
    const from = clock.now() + 5_000
    const read = (): Promise<number> => (clock.now() < from ? Promise.resolve(1) : unread())
    const guardrails = [{ name: 'till', type: 'function' as const, read, tolerance: { above: 0 } }]
    const { verdict, evidence } = await run(long({ guardrails }))
    expect(verdict).toMatchObject({
      name: 'guardrail-tripped',
      cause: `The guardrail till was ${why}, expected > 0: the run was ended.`,
    })
    expect(evidence.endedAt).toBeLessThanOrEqual(from + 3_000)
    expect(await live()).toBe(0)
  })

  describe('when an alert that must not fire', () => {
    const stopping = { alerts: { mustNotFire: [{ name: 'StockLow', labels: { severity: 'page' } }] } }

    it('fires', async () => {
      const { verdict, evidence } = await run(long(stopping), { alerts: stockLow() })
      expect(verdict).toMatchObject({
        name: 'guardrail-tripped',
        cause: 'The alert StockLow, which must not fire, fired: the run was ended.',
        recovery: 'not-observed',
      })
      expect(evidence.endedAt).toBeLessThanOrEqual(1_005_000)
      expect(evidence.injections).toMatchObject([{ status: 'ended', outcome: 'stopped' }])
      expect(await live()).toBe(0)
      expect(judge(long(stopping), JSON.parse(JSON.stringify(evidence)) as Evidence).name).toBe('guardrail-tripped')
    })

    it('does not fire, nor one with other labels, nothing ends', async () => {
      const other = {
        ...stopping,
        alerts: { ...stopping.alerts, mayFire: [{ name: 'StockLow', labels: { severity: 'ticket' } }] },
      }
      const { verdict } = await run(shopExperiment(shop, other), {
        alerts: stockLow({ labels: { severity: 'ticket' } }),
      })
      expect(verdict.name).toBe('pass')
    })

    it.each<[string, (from: number) => Partial<AlertReader>, string, number]>([
      [
        'cannot be read',
        (from) => ({ read: () => (clock.now() < from ? Promise.resolve([]) : Promise.reject(new Error('gone'))) }),
        'alerts could not be read from the test (gone): the run was ended.',
        1_000,
      ],
      [
        'hangs',
        (from) => ({ read: () => (clock.now() < from ? Promise.resolve([]) : new Promise(() => undefined)) }),
        'alerts could not be read from the test (no answer within 10000 ms): the run was ended.',
        11_000,
      ],
      [
        'is not evaluated any more',
        (from) => ({
          read: () => Promise.resolve([]),
          health: () =>
            Promise.resolve({
              now: clock.now(),
              nowErrorMs: 0,
              evaluatedAt: Math.min(clock.now(), from),
              scrapedAt: clock.now(),
              problems: [],
            }),
        }),
        'the test did not evaluate its rules for more than 5750 ms: the run was ended.',
        8_000,
      ],
    ])('%s', async (_what, reader, why, withinMs) => {
      const from = clock.now() + 5_000
      const { verdict, evidence } = await run(long(stopping), { alerts: { ...stockLow(), ...reader(from) } })
      expect(verdict).toMatchObject({
        name: 'guardrail-tripped',
        cause: `Whether an alert that must not fire was firing is unknown: ${why}`,
      })
      expect(evidence.endedAt).toBeLessThanOrEqual(from + withinMs)
      expect(await live()).toBe(0)
    })

    it.each<[string, Partial<Record<keyof AlertReader, unknown>>, string]>([
      [
        'cannot be read',
        { read: () => Promise.reject(new Error('gone')) },
        'alerts could not be read from the test (gone)',
      ],
      [
        'has not been evaluated for long',
        {
          health: () =>
            Promise.resolve({
              now: clock.now(),
              nowErrorMs: 0,
              evaluatedAt: 900_000,
              scrapedAt: clock.now(),
              problems: [],
            }),
        },
        'the test did not evaluate its rules for more than 5750 ms',
      ],
      ['is evaluated by nobody', { health: undefined }, 'no source of alerts shows that rules are evaluated'],
    ])('%s from the start: then nothing is broken', async (_what, reader, why) => {
      const inject = vi.spyOn(controller, 'inject')
      const { verdict } = await run(long(stopping), { alerts: { ...stockLow(), ...reader } as AlertReader })
      expect(verdict).toMatchObject({
        name: 'gate-unmet',
        cause: `The steady state did not hold before anything was broken: ${why}.`,
      })
      expect(inject).not.toHaveBeenCalled()
    })

    it('was firing before: then nothing is broken', async () => {
      const inject = vi.spyOn(controller, 'inject')
      const { verdict } = await run(long(stopping), { alerts: alertsOf(clock, () => true) })
      expect(verdict.name).toBe('inconclusive')
      expect(inject).not.toHaveBeenCalled()
    })
  })

  it('when a guardrail was out of its bounds from the start: then nothing is broken', async () => {
    const inject = vi.spyOn(controller, 'inject')
    const guardrails = [{ name: 'till', type: 'function' as const, read: () => 0, tolerance: { above: 0 } }]
    expect((await run(long({ guardrails }))).verdict).toMatchObject({
      name: 'gate-unmet',
      cause: expect.stringContaining('till was 0') as string,
    })
    expect(inject).not.toHaveBeenCalled()
  })

  it('when a listener throws', async () => {
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'mark') throw new Error('the terminal is gone')
    }
    const { verdict } = await run(long(), { onEvent })
    expect(verdict).toMatchObject({
      name: 'inconclusive',
      cause: 'The run was aborted: a listener failed: the terminal is gone.',
    })
    expect(await live()).toBe(0)
  })

  it('when a later fault of the method is refused', async () => {
    const inject = controller.inject.bind(controller)
    vi.spyOn(controller, 'inject').mockImplementation((target, fault, ...rest) =>
      fault === 'sell-out' ? Promise.reject(new ChaosError('CHAOS_TEST', 'no')) : inject(target, fault, ...rest),
    )
    const { verdict } = await run(
      long({ method: [...long().method, { inject: { target: 'shop', fault: 'sell-out' } }] }),
    )
    expect(verdict).toMatchObject({
      name: 'fault-did-not-land',
      cause: 'A fault could not be injected: sell-out into shop: no.',
    })
    expect(await live()).toBe(0)
  })

  it('when it is aborted while a fault is still being armed', async () => {
    const inject = controller.inject.bind(controller)
    vi.spyOn(controller, 'inject').mockImplementation(async (...given) => {
      await new Promise<void>((resolve) => void clock.after(4_000, resolve))
      return inject(...given)
    })
    const abort = new AbortController()
    clock.after(3_000, () => abort.abort())
    expect((await run(long(), { signal: abort.signal })).verdict.name).toBe('inconclusive')
    expect(await live()).toBe(0)
  })

  it('when it does not end with its lease: it is stopped, and nobody claims to have seen recovery', async () => {
    const injections = async (): Promise<InjectionState[]> =>
      (await controller.injections()).map((state) => ({ ...state, leaseMs: 1_000 }))
    const inject: ChaosController['inject'] = async (...given) => {
      await controller.inject(...given)
      return (await injections()).at(-1) as InjectionState
    }
    const { verdict } = await run(long(), {
      controller: { ...controller, injections, inject, follow: () => () => undefined },
    })
    expect(verdict).toMatchObject({
      name: 'inconclusive',
      cause: 'The run was aborted: a fault had not ended when its lease had.',
    })
    expect(await live()).toBe(0)
  })

  it('and a failed rollback is the verdict', async () => {
    const stop = vi.fn(() => Promise.reject(new ChaosError('CHAOS_ROLLBACK_FAILED', 'the shelf is stuck')))
    const abort = new AbortController()
    clock.after(3_000, () => abort.abort())
    expect((await run(long(), { controller: { ...controller, stop }, signal: abort.signal })).verdict).toMatchObject({
      name: 'rollback-failed',
      cause: 'Not everything could be rolled back: the-shop:1: the shelf is stuck.',
    })
  })

  it('and a controller that does not answer is not waited for without end', async () => {
    const abort = new AbortController()
    clock.after(3_000, () => abort.abort())
    const { verdict } = await run(long(), {
      controller: { ...controller, stop: () => new Promise(() => undefined) },
      signal: abort.signal,
    })
    expect(verdict.cause).toContain('no answer within 12000 ms')
  })

  it('and a process that knows nothing of the fault any more has nothing to take back', async () => {
    const abort = new AbortController()
    clock.after(3_000, () => abort.abort())
    const stop = (): Promise<never> => Promise.reject(new ChaosError('CHAOS_UNKNOWN_INJECTION', 'a new process'))
    expect((await run(long(), { controller: { ...controller, stop }, signal: abort.signal })).verdict.name).toBe(
      'inconclusive',
    )
  })
})

describe('at the end', () => {
  it('rollbacks are done after recovery was watched, and stock is taken after them', async () => {
    const order: string[] = []
    const experiment = shopExperiment(shop, {
      rollbacks: [{ name: 'restock', type: 'function', run: () => void order.push('rollback') }],
      afterwards: [
        {
          name: 'orders lost',
          type: 'function',
          read: () => {
            order.push('afterwards')
            return 0
          },
          tolerance: { equals: 0 },
        },
      ],
    })
    const { verdict } = await run(experiment, {
      onEvent: (event) => {
        if (event.type === 'mark' && event.mark === 't7') order.push('t7')
      },
    })
    expect(verdict.name).toBe('pass')
    expect(order).toEqual(['t7', 'rollback', 'afterwards'])
  })

  it('a rollback that fails is the verdict', async () => {
    const experiment = shopExperiment(shop, {
      rollbacks: [{ name: 'restock', type: 'function', run: () => Promise.reject(new Error('the lorry broke down')) }],
    })
    expect((await run(experiment)).verdict).toMatchObject({
      name: 'rollback-failed',
      cause: expect.stringContaining('restock: the lorry broke down') as string,
    })
  })

  it('what was lost is a weakness', async () => {
    const experiment = shopExperiment(shop, {
      afterwards: [{ name: 'orders lost', type: 'function', read: () => 2, tolerance: { equals: 0 } }],
    })
    expect((await run(experiment)).verdict).toMatchObject({
      name: 'weakness-found',
      cause: 'orders lost was 2 afterwards, expected = 0.',
    })
  })

  it('no timer and no listener of the run is left', async () => {
    const before = clock.pending
    const unfollow = vi.fn()
    const follow = controller.follow.bind(controller)
    await run(shopExperiment(shop, withAlert), {
      alerts: stockLow(),
      controller: {
        ...controller,
        follow: (listener) => {
          const stop = follow(listener)
          return () => {
            unfollow()
            stop()
          }
        },
      },
    })
    expect(clock.pending).toBe(before)
    expect(unfollow).toHaveBeenCalledOnce()
  })
})

it('tells what happens as it happens: each phase and each mark once, in order', async () => {
  const events: RunEvent[] = []
  const { verdict } = await run(shopExperiment(shop, withAlert), {
    alerts: stockLow(),
    onEvent: (event) => events.push(event),
  })
  const phases = events.flatMap((event) => (event.type === 'phase' ? [event.phase] : []))
  expect(phases.filter((phase, index) => phase !== phases[index - 1])).toEqual([
    'preflight',
    'steady-state',
    'method',
    'recovery',
    'afterwards',
    'done',
  ])
  const marks = events.flatMap((event) => (event.type === 'mark' ? [event.mark] : []))
  expect([...marks].sort()).toEqual(Object.keys(verdict.marks).sort())
  expect(new Set(marks).size).toBe(marks.length)
  expect(events.filter(({ type }) => type === 'alert').length).toBeGreaterThanOrEqual(3)
})

it('fills in variables, and refuses an unknown one before anything is done', async () => {
  const experiment = shopExperiment(shop, { description: 'in ${CITY}' })
  expect((await run(experiment, { variables: { CITY: 'Bern' } })).description).toBe('in Bern')
  await expect(run(experiment, { variables: { CTIY: 'Bern' } })).rejects.toThrow(
    'Unknown variable "CITY". Did you mean "CTIY"?',
  )
})

it('has error bars as wide as the time between two readings', async () => {
  const slow = await run(shopExperiment(shop, withAlert), { alerts: stockLow(), pollMs: 400 })
  expect(slow.verdict.marks.t2?.errorMs).toBe(400)
  expect(slow.verdict.marks.t5?.errorMs).toBeLessThanOrEqual(400)
})

it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('does not begin with readings %s ms apart', async (pollMs) => {
  await expect(run(shopExperiment(shop), { pollMs })).rejects.toMatchObject({
    code: 'CHAOS_INVALID_OPTION',
    message: `Expected \`pollMs\` to be a number of ms from 1 to 86400000, got \`${pollMs}\`.`,
  })
  expect(await controller.injections()).toEqual([])
})
