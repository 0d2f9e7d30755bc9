import { AlertStates, loadRules, SeriesStore, type Sample } from '@chaos/mini-prometheus'
import { describe, expect, it } from 'vitest'
import { ruleFile, type Config } from '../src/config.js'

const SECOND = 1_000
const MINUTE = 60 * SECOND

/** When each alert fires: how far its rule looks back, and how long its condition must last, as the brief has it. */
const WINDOWS: Readonly<
  Record<
    Config['windows'],
    { readonly rangeMs: number; readonly stepMs: number; readonly forMs: Readonly<Record<string, number>> }
  >
> = {
  full: {
    rangeMs: 5 * MINUTE,
    stepMs: 5 * SECOND,
    forMs: {
      HighLatency: 2 * MINUTE,
      HighErrorRate: 2 * MINUTE,
      RequestsStuck: MINUTE,
      LowConsciousnessHz: MINUTE,
      WorkerDown: MINUTE,
      WorkerRestarted: 0,
      SpiralEventLagHigh: 5 * MINUTE,
      EventBusBacklogHigh: MINUTE,
      StorageErrorsHigh: 2 * MINUTE,
      CircuitBreakerOpen: 2 * MINUTE,
      SlowRecovery: 0,
      JournalDown: MINUTE,
    },
  },
  demo: {
    rangeMs: 10 * SECOND,
    stepMs: 500,
    forMs: {
      HighLatency: 2 * SECOND,
      HighErrorRate: 2 * SECOND,
      RequestsStuck: 2 * SECOND,
      LowConsciousnessHz: 2 * SECOND,
      WorkerDown: SECOND,
      WorkerRestarted: 0,
      SpiralEventLagHigh: 2 * SECOND,
      EventBusBacklogHigh: 2 * SECOND,
      StorageErrorsHigh: 2 * SECOND,
      CircuitBreakerOpen: SECOND,
      SlowRecovery: 0,
      JournalDown: 2 * SECOND,
    },
  },
}

/** The journal's metrics, well or in breach of every SLI at once. Each scrape adds what happened since the last one. */
function journal(slowSeconds: number) {
  const counts = new Map<string, number>()
  const count = (name: string, labels: Readonly<Record<string, string>>, by: number): Sample => {
    const key = `${name}${JSON.stringify(labels)}`
    counts.set(key, (counts.get(key) ?? 0) + by)
    return { name, labels, value: counts.get(key) ?? 0 }
  }
  const histogram = (
    name: string,
    labels: Readonly<Record<string, string>>,
    bounds: readonly number[],
    value: number,
  ): Sample[] =>
    [...bounds.map(String), '+Inf'].map((le) =>
      count(`${name}_bucket`, { ...labels, le }, value <= (le === '+Inf' ? Infinity : Number(le)) ? 10 : 0),
    )
  return (isBad: boolean): Sample[] => [
    ...histogram(
      'http_request_duration_seconds',
      { method: 'GET', route: '/api/journal/:id', status: '200' },
      [0.1, 0.15, 0.2, 1.5, 3],
      isBad ? 1 : 0.05,
    ),
    count('http_requests_total', { method: 'GET', route: '/api/journal/:id', status: '200' }, 10),
    count('http_requests_total', { method: 'GET', route: '/api/journal/:id', status: '503' }, isBad ? 2 : 0),
    { name: 'http_request_oldest_seconds', labels: { route: '/api/journal' }, value: isBad ? 10.1 : 10 },
    { name: 'consciousness_loop_hz', labels: {}, value: isBad ? 0 : 98 },
    { name: 'consciousness_worker_up', labels: { worker: 'consciousness-loop' }, value: isBad ? 0 : 1 },
    count('consciousness_worker_restarts_total', { worker: 'consciousness-loop' }, isBad ? 1 : 0),
    ...histogram('eventbus_publish_lag_ms', {}, [50, 100, 250, 1_000, 2_500], isBad ? 900 : 20),
    { name: 'eventbus_backlog', labels: {}, value: isBad ? 101 : 100 },
    count('spiral_storage_calls_total', { method: 'get', backend: 'level' }, 20),
    count('spiral_storage_errors_total', { method: 'get', backend: 'level' }, isBad ? 4 : 0),
    { name: 'spiral_cb_state', labels: { backend: 'level' }, value: isBad ? 2 : 0 },
    { name: 'resonance_mttr_seconds', labels: { fault: 'f' }, value: isBad ? slowSeconds : slowSeconds - 1 },
    { name: 'up', labels: { job: 'flappyjournal' }, value: isBad ? 0 : 1 },
  ]
}

describe.each(['full', 'demo'] as const)('the rules with %s windows', (windows) => {
  const { rangeMs, stepMs, forMs } = WINDOWS[windows]
  const rules = loadRules([ruleFile('alerts', windows), ruleFile('chaos', windows)], SECOND)

  it('are those of the brief, each with its `for`', () => {
    expect(Object.fromEntries(rules.map((rule) => [rule.name, rule.forMs]))).toEqual(forMs)
    expect(rules.every(({ intervalMs }) => intervalMs === stepMs)).toBe(true)
  })

  it('are quiet while all is well, fire when their condition has lasted, not before, and resolve', () => {
    const [store, states, scrape] = [
      new SeriesStore(rangeMs + MINUTE),
      new AlertStates(rules),
      journal(windows === 'full' ? 120 : 20),
    ]
    let at = 0
    const play = (forSoLongMs: number, isBad: boolean): { name: string; state: string; afterMs: number }[] => {
      const from = at
      const changes = []
      for (; at < from + forSoLongMs; at += stepMs) {
        store.add(at, scrape(isBad))
        changes.push(...states.evaluate(store, at).map(({ name, state }) => ({ name, state, afterMs: at - from })))
      }
      return changes
    }
    expect(play(2 * rangeMs, false)).toEqual([])
    const fired = play(2 * rangeMs + 6 * MINUTE, true)
    expect(fired.map(({ name, state }) => `${name} ${state}`).sort()).toEqual(
      Object.keys(forMs)
        .map((name) => `${name} firing`)
        .sort(),
    )
    for (const { name, afterMs } of fired) {
      expect(afterMs, name).toBeGreaterThanOrEqual(forMs[name] ?? 0)
      expect(afterMs, name).toBeLessThanOrEqual((forMs[name] ?? 0) + rangeMs)
    }
    expect(
      play(2 * rangeMs, false)
        .map(({ name, state }) => `${name} ${state}`)
        .sort(),
    ).toEqual(
      Object.keys(forMs)
        .map((name) => `${name} resolved`)
        .sort(),
    )
    expect(states.active).toEqual([])
  })
})
