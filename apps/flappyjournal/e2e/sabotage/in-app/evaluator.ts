import type { Moment, Moments } from '../moments.js'
import type { AppSabotage, AppSabotages } from './app-sabotage.js'
import { substituteThread } from './worker.js'

/** What the evaluator's thread is told beside its settings. */
export interface EvaluatorOrders {
  readonly sabotage: string
  /** Turns 1 when it is time. */
  readonly isTime: Int32Array<SharedArrayBuffer>
}

/** Has the evaluator sabotaged in its own thread from a moment on; `undefined`: from its start. */
function inThread(sabotage: string, moment?: Moment): AppSabotage {
  return {
    before(moments: Moments) {
      const isTime = new Int32Array(new SharedArrayBuffer(4))
      if (moment === undefined) isTime[0] = 1
      else moments.at(moment, () => (isTime[0] = 1))
      substituteThread('alert-evaluator', ({ workerData }) => ({
        file: 'sabotaged-evaluator',
        options: { workerData: { ...(workerData as object), orders: { sabotage, isTime } satisfies EvaluatorOrders } },
      }))
    },
  }
}

export const evaluatorSabotages: AppSabotages = {
  'evaluator-frozen': inThread('frozen', 'method'),
  'evaluator-stale-store': inThread('stale-store', 'method'),
  'evaluator-never-resolves': inThread('never-resolves'),
  'evaluator-blocked-for-6-s': inThread('blocked', 'landed'),
  'evaluator-clock-behind': inThread('clock-behind'),
  'evaluator-restarted': {
    before: (moments) =>
      substituteThread(
        'alert-evaluator',
        () => ({}),
        (worker) => moments.at('landed', () => worker.terminate(), 500),
      ),
  },
}
