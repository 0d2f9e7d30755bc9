import fc from 'fast-check'
import { expect, it, onTestFinished, vi } from 'vitest'
import { areOpen, DAYS, isTimeZone, type Window } from './windows.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const office: Window = {
  days: ['mon', 'tue', 'wed', 'thu', 'fri'],
  from: '09:00',
  to: '17:00',
  timeZone: 'Europe/Berlin',
}
const isOpen = (window: Window, at: string, forMs = MINUTE): boolean => areOpen([window], Date.parse(at), forMs)

it.each([
  ['before it begins', '2026-11-30T07:59:59Z', false],
  ['when it begins', '2026-11-30T08:00:00Z', true],
  ['in its last minute', '2026-11-30T15:59:00Z', true],
  ['when it ends', '2026-11-30T16:00:00Z', false],
  ['on a Sunday', '2026-11-29T10:00:00Z', false],
  ['in summer time, an hour earlier', '2026-07-01T07:00:00Z', true],
  ['in summer time, at the end', '2026-07-01T15:00:00Z', false],
])('decides by the clocks of its place: %s', (_when, at, open) => {
  expect(isOpen(office, at)).toBe(open)
})

it('must be open to the end of the run', () => {
  expect(isOpen(office, '2026-11-30T15:00:00Z', HOUR)).toBe(true)
  expect(isOpen(office, '2026-11-30T15:00:01Z', HOUR)).toBe(false)
})

it('may be continued by another window, and not beyond a gap of a minute', () => {
  const morning: Window = { ...office, to: '12:00' }
  const noon = Date.parse('2026-11-30T10:30:00Z')
  expect(areOpen([morning, { ...office, from: '12:00' }], noon, HOUR)).toBe(true)
  expect(areOpen([morning, { ...office, from: '12:01' }], noon, HOUR)).toBe(false)
})

it('goes on after midnight where it ends before it begins, from Sunday into Monday too', () => {
  const night: Window = { days: ['sun'], from: '22:00', to: '04:00', timeZone: 'UTC' }
  expect(isOpen(night, '2026-11-29T21:59:00Z')).toBe(false)
  expect(isOpen(night, '2026-11-29T22:00:00Z', 6 * HOUR)).toBe(true)
  expect(isOpen(night, '2026-11-30T04:00:00Z')).toBe(false)
  expect(isOpen(night, '2026-11-30T22:00:00Z')).toBe(false)
})

it('covers a whole day to midnight', () => {
  const day: Window = { days: ['mon'], from: '00:00', to: '24:00', timeZone: 'UTC' }
  expect(isOpen(day, '2026-11-30T00:00:00Z', 24 * HOUR)).toBe(true)
  expect(isOpen(day, '2026-12-01T00:00:00Z')).toBe(false)
})

it('stays shut where the clocks skip it, and opens twice where they repeat it', () => {
  const small: Window = { days: [...DAYS], from: '02:00', to: '03:00', timeZone: 'Europe/Berlin' }
  const minutesOpen = (day: string): number =>
    Array.from({ length: 24 * 60 }, (_, minute) => Date.parse(day) + minute * MINUTE).filter((at) =>
      areOpen([small], at, 1),
    ).length
  expect(minutesOpen('2026-03-29T00:00:00Z')).toBe(0)
  expect(minutesOpen('2026-06-01T00:00:00Z')).toBe(60)
  expect(minutesOpen('2026-10-25T00:00:00Z')).toBe(120)
})

it('is a window of the same length on every day of a week without a change of clocks', () =>
  fc.assert(
    fc.property(
      fc.constantFrom(...DAYS),
      fc.integer({ min: 0, max: 1_439 }),
      fc.integer({ min: 1, max: 1_439 }),
      fc.constantFrom('UTC', 'Asia/Kathmandu', 'America/Los_Angeles'),
      (day, begin, length, timeZone) => {
        const shown = (minute: number): string =>
          `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
        const window: Window = { days: [day], from: shown(begin), to: shown((begin + length) % 1_440), timeZone }
        const start = Date.parse('2026-06-01T00:00:00Z')
        const open = Array.from({ length: 2 * 7 * 24 }, (_, half) => start + half * 30 * MINUTE).filter((at) =>
          areOpen([window], at, 1),
        )
        expect(Math.abs(open.length * 30 - length)).toBeLessThanOrEqual(30)
      },
    ),
    { numRuns: 20 },
  ))

it('reads the clocks of a place once for all windows there: the processes that check a policy have other work', () => {
  const read = vi.spyOn(Intl.DateTimeFormat.prototype, 'formatToParts')
  onTestFinished(() => read.mockRestore())
  const day: Window = { days: [...DAYS], from: '00:00', to: '24:00', timeZone: 'Europe/Paris' }
  expect(areOpen(Array<Window>(50).fill(day), Date.parse('2026-11-30T00:00:00Z'), 24 * HOUR)).toBe(true)
  expect(read).toHaveBeenCalledTimes(24 * 4)
})

it('knows the time zones of this Node.js', () => {
  expect(isTimeZone('Europe/Berlin')).toBe(true)
  expect(isTimeZone('Europe/Bertin')).toBe(false)
})
