// The thread of the evaluator, sabotaged as its orders say.
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { workerData } from 'node:worker_threads'
import { AlertStates, type AlertState } from '../../../src/alerts/alert-states.js'
import { SeriesStore } from '../../../src/alerts/series.js'
import type { EvaluatorOrders } from './evaluator.js'

const { sabotage, isTime } = (workerData as { readonly orders: EvaluatorOrders }).orders
const timers = createRequire(import.meta.url)('node:timers/promises') as {
  setTimeout: (...args: unknown[]) => Promise<unknown>
}
const isNow = (): boolean => Atomics.load(isTime, 0) === 1

/** Changes what stands between two turns of the evaluator. */
function betweenTurns(change: (pause: () => Promise<unknown>) => Promise<unknown>): void {
  const { setTimeout: pause } = timers
  timers.setTimeout = (...args) => change(() => pause(...args))
  syncBuiltinESMExports()
}

const sabotages: Readonly<Record<string, () => void>> = {
  frozen: () => betweenTurns((pause) => (isNow() ? new Promise(() => undefined) : pause())),
  'stale-store'() {
    const { add } = Object.getOwnPropertyDescriptors(SeriesStore.prototype)
    SeriesStore.prototype.add = function (...args) {
      if (!isNow()) (add.value as SeriesStore['add']).apply(this, args)
    }
  },
  'never-resolves'() {
    const { active } = Object.getOwnPropertyDescriptors(AlertStates.prototype)
    const fired = new Map<string, AlertState>()
    Object.defineProperty(AlertStates.prototype, 'active', {
      get(this: AlertStates) {
        const now = active.get?.call(this) as readonly AlertState[]
        for (const alert of now) if (alert.state === 'firing') fired.set(alert.name, alert)
        return [...now, ...[...fired.values()].filter(({ name }) => now.every((alert) => alert.name !== name))]
      },
    })
  },
  blocked() {
    let hasBeen = false
    betweenTurns((pause) => {
      if (isNow() && !hasBeen) {
        hasBeen = true
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6_000)
      }
      return pause()
    })
  },
  'clock-behind'() {
    const { now } = Date
    Date.now = () => now() - 12_000
  },
}

sabotages[sabotage]?.()
await import('../../../src/alerts/evaluator-worker.js')
