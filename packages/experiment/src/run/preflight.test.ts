import { createChaos } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { shopExperiment, shopOn } from '../../test/support.js'
import type { AlertRule } from '../alerts/reader.js'
import type { ExperimentInput } from '../model/experiment.js'
import { preflight, type PreflightFacts } from './preflight.js'

const rule: AlertRule = { name: 'StockLow', forMs: 2_000, intervalMs: 1_000, rangeMs: 10_000, isHealthy: true }
const standing = (how: object = {}): Partial<ExperimentInput> => ({ method: [{ inject: { target: 'shop', fault: 'empty-shelves', leaseMs: 15_000, ...how } }] })
const instant: Partial<ExperimentInput> = { method: [{ inject: { target: 'shop', fault: 'shop/sell-out' } }] }
const mustFire = { alerts: { mustFire: [{ name: 'StockLow', withinMs: 20_000 }] } }

async function checked(more: Partial<ExperimentInput>, facts: Partial<PreflightFacts> = {}): Promise<string> {
  const { shop, controller } = shopOn(manualClock())
  try {
    await preflight(shopExperiment(shop, more), { controller, rules: [rule], timing: { scrapeIntervalMs: 1_000 }, needsNotification: false, problems: [], hasAlerts: true, ...facts })
    return 'fine'
  } catch (error) {
    expect(error).toMatchObject({ code: 'CHAOS_EXPERIMENT_REFUSED' })
    return (error as Error).message
  }
}

describe('a standing fault', () => {
  it('must last for scrape, range, `for` and evaluation of its alert', async () => {
    expect(await checked({ ...standing({ leaseMs: 14_000 }), ...mustFire })).toBe('fine')
    expect(await checked({ ...standing({ leaseMs: 13_999 }), ...mustFire })).toBe(
      'StockLow may need 14000 ms to fire (scrape 1000 + range 10000 + for 2000 + evaluation 1000), and its condition cannot be expected to last longer than 13999 ms. Lengthen the lease.',
    )
  })

  it('must last for the group wait too, where a notification has to arrive', async () => {
    const timing = { scrapeIntervalMs: 1_000, groupWaitMs: 2_000 }
    expect(await checked({ ...standing(), ...mustFire }, { timing })).toBe('fine')
    expect(await checked({ ...standing(), ...mustFire }, { timing, needsNotification: true })).toContain('may need 16000 ms')
  })

  it('lasts as long as it is left in force', async () => {
    expect(await checked({ ...standing({ leaseMs: 60_000, forMs: 13_000 }), ...mustFire })).toContain('13000 ms')
    expect(await checked({ ...standing({ leaseMs: undefined }), ...mustFire })).toBe('fine')
  })

  it('must outlast what has to recover under it', async () => {
    const under = (withinMs: number): Partial<ExperimentInput> => ({ ...standing(), recovery: { duringFault: { probes: ['stock'], withinMs } } })
    expect(await checked(under(14_999))).toBe('fine')
    expect(await checked(under(15_000))).toContain('stock must hold 15000 ms after the fault landed')
  })
})

describe('an instant fault', () => {
  it('is long enough for a rule whose range outlasts its `for`', async () => {
    expect(await checked({ ...instant, ...mustFire })).toBe('fine')
    expect(await checked({ ...instant, ...mustFire }, { rules: [{ ...rule, rangeMs: 3_000 }] })).toContain('Say `expectedOutageMs` if it does.')
  })

  it('stays long enough for such a rule when its effect is said to last as well', async () => {
    expect(await checked({ ...instant, ...mustFire, expectedOutageMs: 10_000 })).toBe('fine')
  })

  it('is long enough for any rule when it is said that its effect lasts', async () => {
    const rules = [{ ...rule, rangeMs: 0 }]
    expect(await checked({ ...instant, ...mustFire }, { rules })).toContain('may need 4000 ms to fire')
    expect(await checked({ ...instant, ...mustFire, expectedOutageMs: 4_000 }, { rules })).toBe('fine')
  })

  it('done again and again lasts from the first to the last', async () => {
    const [kill] = instant.method ?? []
    const again = kill === undefined ? [] : [kill, { waitMs: 2_000 }, kill, { waitMs: 2_000 }, kill, { waitMs: 60_000 }]
    expect(await checked({ method: again, ...mustFire }, { rules: [{ ...rule, rangeMs: 0 }] })).toBe('fine')
    expect(await checked({ method: again, ...mustFire }, { rules: [{ ...rule, rangeMs: 0, forMs: 3_000 }] })).toContain('longer than 4000 ms')
  })
})

describe('refused up front is', () => {
  it.each([
    ['a deadline that is shorter than `for`', { ...standing(), alerts: { mustFire: [{ name: 'StockLow', withinMs: 1_999 }] } }, {}, 'StockLow cannot fire within 1999 ms: its condition must last 2000 ms.'],
    ['an alert that nobody reads', { ...standing(), ...mustFire }, { hasAlerts: false }, 'StockLow must fire, and nobody reads alerts. Pass a reader as `alerts`.'],
    ['an unknown target', standing({ target: 'shpo' }), {}, 'Expected a target of the process (`shop`), got `shpo`. Did you mean `shop`?'],
    ['an unknown fault', standing({ fault: 'empty-shelfs' }), {}, 'Expected a fault of `shop` (`shop/empty-shelves`, `shop/sell-out`), got `empty-shelfs`.'],
  ])('%s', async (_title, more: Partial<ExperimentInput>, facts: Partial<PreflightFacts>, message) => {
    expect(await checked(more, facts)).toContain(message)
  })

  it('a process that allows no faults', async () => {
    const { controller } = createChaos({ environment: 'production' })
    onTestFinished(() => void controller.stopAll())
    expect(await checked(standing(), { controller })).toMatch(/^The process does not allow faults: /)
  })

  it('nothing for a rule that is not there, or not known: that shows as a missed alert', async () => {
    expect(await checked({ ...standing({ leaseMs: 1 }), ...mustFire }, { rules: [] })).toBe('fine')
    expect(await checked({ ...standing({ leaseMs: 1 }), ...mustFire }, { rules: undefined })).toBe('fine')
  })
})
