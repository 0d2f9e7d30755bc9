import { manualClock } from '@chaos/core/testing'
import { expect, it } from 'vitest'
import type { AlertRule } from '../../alerts/reader.js'
import { monitorLog } from './monitor-log.js'

const rule = (intervalMs: number): AlertRule => ({ name: 'A', forMs: 0, intervalMs, rangeMs: 0, isHealthy: true })
const intervalOf = (...intervals: readonly number[]): number =>
  monitorLog({ source: 's' }, manualClock(), { rules: intervals.map(rule), timing: {} }).monitor().ruleIntervalMs

it('tells what is wrong that was well at first, before what was wrong all the while', async () => {
  const clock = manualClock()
  const [other, app] = ['The target other cannot be scraped: refused', 'The target app cannot be scraped: refused']
  const told = [[other], [other.replace('refused', 'timed out'), app], [], [other]]
  const log = monitorLog(
    {
      source: 's',
      health: () =>
        Promise.resolve({ now: undefined, nowErrorMs: 0, evaluatedAt: 1, scrapedAt: 1, problems: told.shift() ?? [] }),
    },
    clock,
    { rules: [], timing: {} },
  )
  for (let reading = 0; reading < 4; reading += 1) await log.read()
  expect(log.monitor().readings.map(({ problem }) => problem)).toEqual([other, app, undefined, other])
})

it('expects rules as often as the slowest of those that a run can wait for', () => {
  expect(intervalOf(500, 60_000, 3_600_000)).toBe(60_000)
  expect(intervalOf(3_600_000, 300_000)).toBe(3_600_000)
  expect(intervalOf()).toBe(0)
})
