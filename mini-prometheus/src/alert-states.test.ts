import { describe, expect, it } from 'vitest'
import { AlertStates } from './alert-states.js'
import { compile } from './promql.js'
import { SeriesStore } from './series.js'

const rule = (forMs: number) => ({
  group: 'g',
  file: 'f',
  intervalMs: 1_000,
  name: 'Low',
  query: 'hz < 95',
  expression: compile('hz < 95'),
  forMs,
  labels: { severity: 'critical' },
  annotations: {},
})

/** Evaluates once a second against the values of `hz`. @returns What changed, second by second. */
function play(forMs: number, values: readonly number[]): string[][] {
  const store = new SeriesStore(60_000)
  const states = new AlertStates([rule(forMs)])
  return values.map((value, second) => {
    store.add(second * 1_000, [{ name: 'hz', labels: {}, value }])
    return states.evaluate(store, second * 1_000).map(({ state }) => state)
  })
}

describe('AlertStates', () => {
  it('fires after the condition has lasted, and resolves when it is over', () => {
    expect(play(2_000, [100, 0, 0, 0, 0, 100, 100])).toEqual([[], [], [], ['firing'], [], ['resolved'], []])
  })

  it('fires at once without `for`', () => {
    expect(play(0, [0, 100])).toEqual([['firing'], ['resolved']])
  })

  it('starts anew when the condition was interrupted', () => {
    expect(play(2_000, [0, 0, 100, 0, 0, 0])).toEqual([[], [], [], [], [], ['firing']])
  })

  it('knows since when an alert has been active, and its labels', () => {
    const store = new SeriesStore(60_000)
    const states = new AlertStates([rule(5_000)])
    store.add(7_000, [{ name: 'hz', labels: { job: 'j' }, value: 1 }])
    states.evaluate(store, 7_000)
    expect(states.active).toMatchObject([
      {
        name: 'Low',
        state: 'pending',
        activeAt: 7_000,
        value: 1,
        labels: { alertname: 'Low', severity: 'critical', job: 'j' },
      },
    ])
  })
})
