import { manualClock } from '@chaos/core/testing'
import { expect, it } from 'vitest'
import type { AlertRule } from '../alerts/reader.js'
import { monitorLog } from './monitor-log.js'

const rule = (intervalMs: number): AlertRule => ({ name: 'A', forMs: 0, intervalMs, rangeMs: 0, isHealthy: true })
const intervalOf = (...intervals: readonly number[]): number => monitorLog({ source: 's' }, manualClock(), { rules: intervals.map(rule), timing: {} }).monitor().ruleIntervalMs

it('expects rules as often as the slowest of those that a run can wait for', () => {
  expect(intervalOf(500, 60_000, 3_600_000)).toBe(60_000)
  expect(intervalOf(3_600_000, 300_000)).toBe(3_600_000)
  expect(intervalOf()).toBe(0)
})
