import { describe, expect, it } from 'vitest'
import { refusalOf } from './data/request.js'
import { pauseMs } from './data/stream.js'
import type { InjectionState } from './data/types.js'
import { fieldsOf } from './form/fields.js'
import { controlOfProblem } from './form/request-of.js'
import { MAX_ENDED, trackInjections } from './model/injections.js'
import { rateWindow } from './model/rate-window.js'
import { timelineRecord } from './model/record.js'
import { relativeTime, span } from './model/times.js'
import { rowsOf } from './timeline/rows.js'
import { ticksOf, zoomed } from './timeline/window.js'

function state(id: string, given: Partial<InjectionState> = {}): InjectionState {
  return {
    ...{ id, fault: 'a/b', kind: 'standing', target: 'bus', options: {}, seed: '1', status: 'active' },
    ...{ outcome: undefined, armedAt: 1_000, leaseMs: 60_000, leaseEndsAt: 61_000, landedAt: undefined },
    ...{ endedAt: undefined, seen: 0, affected: 0, passed: 0, held: 0, queued: 0, account: {} },
    ...{ evidence: [], failures: [] },
    ...given,
  }
}
const ended = (id: string, endedAt: number): InjectionState =>
  state(id, { status: 'ended', outcome: 'stopped', endedAt })

describe('the injections', () => {
  it('never go back from ended to active, when an answer is older than an entry', () => {
    const injections = trackInjections()
    injections.take({ type: 'armed', at: 1_000, injection: state('a') })
    injections.take({ type: 'ended', at: 2_000, injection: ended('a', 2_000) })
    injections.replace([state('a')])
    expect(injections.live).toEqual([])
    expect(injections.ended).toHaveLength(1)
  })

  it('keep one that a single list lacks, and forget one that two lists lack', () => {
    const injections = trackInjections()
    injections.take({ type: 'armed', at: 1_000, injection: state('a') })
    injections.replace([])
    expect(injections.live).toHaveLength(1)
    injections.replace([])
    expect(injections.live).toHaveLength(0)
  })

  it('give a hit to the newest injection of an id, and keep the last five', () => {
    const injections = trackInjections()
    injections.take({ type: 'ended', at: 500, injection: { ...ended('a', 500), armedAt: 100 } })
    injections.take({ type: 'armed', at: 1_000, injection: state('a') })
    for (let call = 1; call <= 7; call += 1)
      injections.take({ type: 'hit', at: 1_000 + call, id: 'a', operation: 'get', call })
    expect(injections.live[0]?.lastHits.map(({ call }) => call)).toEqual([7, 6, 5, 4, 3])
    expect(injections.ended[0]?.lastHits).toEqual([])
  })

  it('are bounded', () => {
    const injections = trackInjections()
    for (let index = 0; index < 300; index += 1)
      injections.take({ type: 'ended', at: index, injection: ended(`a${index}`, index) })
    expect(injections.ended).toHaveLength(MAX_ENDED)
    expect(injections.ended[0]?.state.id).toBe('a299')
  })
})

describe('the hits per second', () => {
  it('are those of the last minute, oldest first', () => {
    const rate = rateWindow()
    for (let second = 0; second < 500; second += 1)
      for (let hit = 0; hit <= second % 3; hit += 1) rate.add(second * 1_000)
    const counts = rate.counts(499_900)
    expect(counts).toHaveLength(60)
    expect(counts.slice(-3)).toEqual([(497 % 3) + 1, (498 % 3) + 1, (499 % 3) + 1])
    expect(rate.counts(520_000).slice(-20)).toEqual(Array.from({ length: 20 }, () => 0))
  })
})

describe('the record', () => {
  it('counts the hits of an injection in a second as one moment', () => {
    const record = timelineRecord()
    for (const at of [1_000, 1_500, 1_999, 2_000])
      record.takeEntry({ type: 'hit', at, id: 'a', operation: 'get', call: 1 })
    expect(record.moments.map((moment) => moment.type === 'hits' && [moment.at, moment.count])).toEqual([
      [1_000, 3],
      [2_000, 1],
    ])
  })

  it('keeps the newest moments and says how many it dropped', () => {
    const record = timelineRecord(100)
    for (let at = 0; at < 1_234; at += 1) record.note(at, 'x')
    expect(record.moments).toHaveLength(100)
    expect(record.moments[99]?.at).toBe(1_233)
    expect(record.dropped).toBe(1_134)
  })

  it('learns from a list what was armed before, and what has ended meanwhile, once', () => {
    const record = timelineRecord()
    record.takeStates([state('a'), ended('old', 900)])
    record.takeStates([state('a')])
    record.takeStates([ended('a', 3_000)])
    record.takeStates([ended('a', 3_000)])
    expect(record.moments.map(({ type, at }) => [type, at])).toEqual([
      ['armed', 1_000],
      ['ended', 900],
      ['ended', 3_000],
    ])
  })
})

describe('the rows of the timeline', () => {
  it('have a bar from armed to ended, and alerts from firing to resolved', () => {
    const record = timelineRecord()
    const alert = (state: string, at: number): void =>
      record.takeAppEvent({ topic: 'alert', at, data: { alert: 'Late', state } })
    record.takeEntry({ type: 'armed', at: 1_000, injection: state('a') })
    alert('firing', 1_500)
    alert('firing', 1_600)
    record.takeEntry({ type: 'hit', at: 1_700, id: 'a', operation: 'get', call: 1 })
    record.takeEntry({ type: 'ended', at: 2_000, injection: ended('a', 2_000) })
    alert('resolved', 2_500)
    record.takeAppEvent({ topic: 'recovery', at: 2_600, data: {} })
    const rows = rowsOf(record.moments)
    expect(rows.map(({ label, bars, marks }) => [label, bars.map(({ from, to }) => [from, to]), marks.length])).toEqual(
      [
        ['alert Late', [[1_500, 2_500]], 0],
        ['recovery', [], 1],
        ['a/b on bus', [[1_000, 2_000]], 1],
      ],
    )
  })
})

describe('the window of the timeline', () => {
  it('zooms around a time, which stays in its place', () => {
    expect(zoomed({ from: 0, to: 60_000 }, 0.5, 15_000)).toEqual({ from: 7_500, to: 37_500 })
    expect(zoomed({ from: 0, to: 2_000 }, 0.1, 0)).toEqual({ from: 0, to: 2_000 })
  })

  it('has a bounded number of ticks at whole steps', () => {
    expect(ticksOf({ from: 1_500, to: 61_500 }, 12)).toEqual(
      [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60].map((s) => s * 1_000),
    )
    expect(ticksOf({ from: 0, to: 1e12 }, 10).length).toBeLessThanOrEqual(11)
  })
})

describe('a refusal', () => {
  const controls = [{ name: 'delayMs' }, { name: 'rate' }] as unknown as Parameters<typeof controlOfProblem>[0]

  it('reads problem details and the error alone, and survives anything else', () => {
    expect(refusalOf(400, '{"error":{"code":"X","message":"m"},"field":"/options/delayMs","hint":"h"}')).toMatchObject({
      message: 'm h',
      field: '/options/delayMs',
      status: 400,
    })
    expect(refusalOf(502, '<html>').message).toBe('The server answered with status 502.')
    expect(refusalOf(500, 'null').field).toBeUndefined()
  })

  it('finds the control by the field that the server names, else by the message', () => {
    expect(controlOfProblem(controls, '/options/delayMs', '')?.name).toBe('delayMs')
    expect(controlOfProblem(controls, 'rate', '')?.name).toBe('rate')
    expect(controlOfProblem(controls, undefined, 'Expected `rate` to be …')?.name).toBe('rate')
    expect(controlOfProblem(controls, undefined, 'The process is busy.')).toBeUndefined()
  })
})

describe('the fields of a schema', () => {
  it('survive a schema that is none', () => {
    expect(fieldsOf({ properties: 'x', required: 7 })).toEqual([])
    expect(
      fieldsOf({ properties: { a: null, b: { type: 7, enum: [1], anyOf: 'x' } } }).map(({ kind }) => kind),
    ).toEqual([{ type: 'json' }, { type: 'json' }])
  })

  it('begin with what is required, then what has presets', () => {
    const schema = {
      properties: {
        host: { type: 'string' },
        error: { type: 'string', enum: ['net/econnreset', 'fail-fast'] },
        delayMs: { type: 'number' },
        seam: { type: 'string', enum: ['a', 'b'] },
      },
      required: ['delayMs'],
    }
    expect(fieldsOf(schema).map(({ name }) => name)).toEqual(['delayMs', 'error', 'host', 'seam'])
  })
})

it('pauses longer after each failed attempt, up to 10 s', () => {
  expect([0, 1, 2, 3, 4, 5, 50].map(pauseMs)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
})

it('writes spans in their two largest units', () => {
  expect([0, 999, 1_000, 60_000, 200_000, 3_600_000, 7_500_000].map(span)).toEqual([
    ...['0 ms', '999 ms', '1 s', '1 min', '3 min 20 s', '1 h', '2 h 5 min'],
  ])
  expect(relativeTime(1_000, 4_000)).toBe('3 s ago')
  expect(relativeTime(4_000, 1_000)).toBe('in 3 s')
})
