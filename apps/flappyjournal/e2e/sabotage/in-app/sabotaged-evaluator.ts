// The thread of the evaluator, sabotaged as its orders say.
import { workerData } from 'node:worker_threads'
import {
  AlertStates,
  runEvaluator,
  SeriesStore,
  type AlertState,
  type EvaluatorParts,
  type EvaluatorSettings,
} from '@chaos/mini-prometheus'
import type { EvaluatorOrders } from './evaluator.js'

const settings = workerData as EvaluatorSettings & { readonly orders: EvaluatorOrders }
const { sabotage, isTime } = settings.orders
const isNow = (): boolean => Atomics.load(isTime, 0) === 1

class StaleStore extends SeriesStore {
  override add(...args: Parameters<SeriesStore['add']>): void {
    if (!isNow()) super.add(...args)
  }
}

class NeverResolved extends AlertStates {
  readonly #fired = new Map<string, AlertState>()

  override get active(): readonly AlertState[] {
    const now = super.active
    for (const alert of now) if (alert.state === 'firing') this.#fired.set(alert.name, alert)
    return [...now, ...[...this.#fired.values()].filter(({ name }) => now.every((alert) => alert.name !== name))]
  }
}

let wasBlocked = false
const sabotages: Readonly<Record<string, Partial<EvaluatorParts>>> = {
  frozen: { betweenTurns: () => (isNow() ? new Promise(() => undefined) : undefined) },
  'stale-store': { newStore: (keepMs) => new StaleStore(keepMs) },
  'never-resolves': { newStates: (rules) => new NeverResolved(rules) },
  blocked: {
    betweenTurns() {
      if (!isNow() || wasBlocked) return
      wasBlocked = true
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6_000)
    },
  },
  'clock-behind': { now: () => Date.now() - 12_000 },
}

runEvaluator(settings, sabotages[sabotage])
