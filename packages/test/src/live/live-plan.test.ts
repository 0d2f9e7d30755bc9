import type { InjectionState, ObservedCalls } from '@chaos/core'
import { describe, expect, it } from 'vitest'
import { pointText } from '../search/model.js'
import { placeOf, pointsOf } from './live-plan.js'

const kind = { target: 'db', name: 'refuse', fault: 'adapter/refuse-calls', options: {} }
const watch = (calls: readonly ObservedCalls[], unlisted = 0) => ({
  kind,
  state: { observed: { calls, unlisted } } as InjectionState,
})
const texts = (calls: readonly ObservedCalls[]): readonly string[] =>
  pointsOf([watch(calls)]).reached.map(({ point }) => pointText(point))

describe('the points of a live app', () => {
  it('are the calls of each operation in each scope', () => {
    const calls = [
      { operation: 'get', scope: 'job', seen: 2, affected: 0 },
      { operation: 'put', seen: 1, affected: 0 },
    ]
    expect(texts(calls)).toEqual(['job: db.get #1', 'job: db.get #2', 'db.put #1'])
  })

  it('are one chain if an operation is called outside of scopes as well, since no injection is for no scope', () => {
    const calls = [
      { operation: 'get', scope: 'job', seen: 1, affected: 0 },
      { operation: 'get', seen: 2, affected: 0 },
    ]
    expect(texts(calls)).toEqual(['db.get #1', 'db.get #2', 'db.get #3'])
  })

  it('are told to be cut if there are too many', () => {
    expect(pointsOf([watch([{ operation: 'get', seen: 1_000_000, affected: 0 }])]).isCut).toBe(true)
    expect(pointsOf([watch([], 1)]).isCut).toBe(true)
    expect(pointsOf([watch([{ operation: 'get', seen: 1, affected: 0 }])]).isCut).toBe(false)
  })

  it('are hit by ordinary injections', () => {
    const point = { scope: 'job', target: 'db', operation: 'get', call: 3 }
    expect(placeOf({ point, kind: 'refuse' })).toEqual({ only: 'get', scope: 'job', skip: 2, limit: 1 })
    expect(placeOf({ point: { ...point, scope: '', call: 1 }, kind: 'refuse', times: 'always' })).toEqual({
      only: 'get',
    })
  })
})
