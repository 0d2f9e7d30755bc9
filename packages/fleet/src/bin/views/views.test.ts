import { expect, it } from 'vitest'
import { columns } from './columns.js'
import { plan } from '../../../test/fixtures.js'
import { waitingFor } from '../../controller/outcomes.js'
import type { RunState } from '../../controller/run-state.js'
import { instanceTable, runJson, runLines, type InstanceRow } from './run-table.js'
import { span, timeOf } from './span.js'

it('aligns columns, and makes cells printable and short', () => {
  const lines = columns([
    ['A', 'B'],
    ['x'.repeat(100), '\u001b[2J\n'],
    ['y', 'z'],
  ])
  expect(lines).toEqual([`A${' '.repeat(62)}B`, `${'x'.repeat(60)}…  \\u001b[2J\\u000a`, `y${' '.repeat(62)}z`])
  expect(columns([])).toEqual([])
})

it.each([
  [0, '0.0 s'],
  [-5, '0.0 s'],
  [1_234, '1.2 s'],
  [59_000, '59 s'],
  [60_000, '1 min'],
  [3_599_000, '59 min 59 s'],
  [7_200_000, '2 h'],
  [90_000_000, '1 d 1 h'],
  [Number.POSITIVE_INFINITY, 'ever'],
])('shows %d ms as %s', (ms, text) => expect(span(ms)).toBe(text))

it('shows times in UTC, and none for what is none', () => {
  expect(timeOf(0)).toBe('1970-01-01T00:00:00Z')
  for (const at of [Number.NaN, 1e20, Number.POSITIVE_INFINITY]) expect(timeOf(at)).toBe('an unknown time')
})

it('shows first what deserves a look, and counts the rest', () => {
  const row = (id: string, status: InstanceRow['status']): InstanceRow => ({ id, status, hits: 0, why: undefined })
  const rows = [
    row('a', 'reverted'),
    row('b', 'applied'),
    row('c', 'refused'),
    row('d', 'waiting'),
    row('e', 'reverted'),
  ]
  expect(instanceTable(rows, 3).map((line) => line.trim().split(/ +/).slice(0, 2).join(' '))).toEqual([
    'INSTANCE STATUS',
    'c refused',
    'd no',
    'b applied',
    'and 2',
  ])
  expect(instanceTable(rows, 3).at(-1)).toBe('  and 2 more: 2 reverted')
  expect(instanceTable(rows)).toHaveLength(6)
})

it('does not say that a fault is in force in an instance that was not heard of again', () => {
  const outcomes = [...waitingFor(['i-0', 'i-1']).values()].map((one) => ({ ...one, status: 'applied' as const }))
  const run: RunState = {
    plan: plan(),
    status: 'active',
    end: undefined,
    why: undefined,
    openedAt: 0,
    activeAt: 0,
    landedAt: 0,
    endedAt: undefined,
    instances: outcomes.map((one) => ({ ...one, isGone: one.id === 'i-1' })),
  }
  const statuses = (state: RunState) => runJson(state).instances.map(({ status }) => status)
  expect(statuses(run)).toEqual(['applied', 'gone'])
  const ended: RunState = { ...run, status: 'ended', end: 'halted', endedAt: 5_000 }
  expect(statuses(ended)).toEqual(['unconfirmed', 'gone'])
  expect(runLines(ended).slice(-2)).toEqual([
    expect.stringMatching(/^ {2}i-1 +gone +0 +it left the fleet/),
    expect.stringMatching(/^ {2}i-0 +unconfirmed +0 +its lease has passed/),
  ])
})
