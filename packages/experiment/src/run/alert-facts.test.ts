import { manualClock } from '@chaos/core/testing'
import { describe, expect, it } from 'vitest'
import type { AlertReader, AlertRule } from '../alerts/reader.js'
import { alertFacts } from './alert-facts.js'

const rule: AlertRule = { name: 'A', forMs: 0, intervalMs: 1, rangeMs: 0, isHealthy: true }
const reader = (more: Partial<AlertReader>): AlertReader => ({ source: 'x', read: () => Promise.resolve([]), ...more })

describe('what is known of alerts', () => {
  it('comes from every reader that knows any', async () => {
    const rules = reader({
      rules: () => Promise.resolve([rule]),
      timing: () => Promise.resolve({ scrapeIntervalMs: 5 }),
    })
    const routes = reader({ timing: () => Promise.resolve({ groupWaitMs: 7 }) })
    expect(await alertFacts([rules, routes], manualClock())).toMatchObject({
      rules: [rule],
      timing: { scrapeIntervalMs: 5, groupWaitMs: 7 },
      rulesProblems: [],
    })
    expect(await alertFacts([routes], manualClock())).toMatchObject({ rules: undefined })
  })

  it('is the slower where sources tell different intervals', async () => {
    const [slow, quick] = [60_000, 5_000].map((scrapeIntervalMs) =>
      reader({ timing: () => Promise.resolve({ scrapeIntervalMs }) }),
    ) as [AlertReader, AlertReader]
    expect((await alertFacts([slow, quick], manualClock())).timing).toEqual({ scrapeIntervalMs: 60_000 })
  })

  it('holds the timing of a monitoring that only probes ask, and none of its rules', async () => {
    const probed = reader({
      source: 'probed',
      rules: () => Promise.reject(new Error('refused')),
      timing: () => Promise.resolve({ scrapeIntervalMs: 60_000 }),
    })
    const facts = await alertFacts([], manualClock(), [probed])
    expect(facts).toMatchObject({ rules: undefined, timing: {}, rulesProblems: [] })
    expect(facts.of('probed').timing).toEqual({ scrapeIntervalMs: 60_000 })
  })

  it('says which rules could not be read, also from a source that hangs', async () => {
    const clock = manualClock()
    const facts = alertFacts(
      [
        reader({ rules: () => Promise.reject(new Error('refused')) }),
        reader({ rules: () => new Promise(() => undefined) }),
      ],
      clock,
    )
    await clock.advance(10_000)
    expect(await facts).toMatchObject({
      rules: undefined,
      timing: {},
      rulesProblems: ['refused', 'no answer within 10000 ms'],
    })
  })
})
