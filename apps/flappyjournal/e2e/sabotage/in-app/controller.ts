import { EventEmitter } from 'node:events'
import { type ChaosController, type InjectionState } from '@chaos/core'
import { registeredControllers } from '@chaos/core/authoring'
import { Worker } from 'node:worker_threads'
import { loopWorkerFile } from '../../../src/config.js'
import { ConsciousnessEventBus } from '../../../src/event-bus.js'
import { MemoryAdapter } from '../../../src/storage/memory-adapter.js'
import type { AppSabotages } from './app-sabotage.js'

/** The controller that the endpoints serve. */
function served(): ChaosController {
  const [controller] = registeredControllers()
  if (controller === undefined) throw new Error('Expected the app to have a controller.')
  return controller
}

/** A copy that does not change any more. */
function plain({
  id,
  fault,
  kind,
  target,
  options,
  seed,
  status,
  outcome,
  armedAt,
  leaseMs,
  leaseEndsAt,
  landedAt,
  endedAt,
  seen,
  affected,
  passed,
  held,
  queued,
  account,
  evidence,
  failures,
}: InjectionState): InjectionState {
  return {
    id,
    fault,
    kind,
    target,
    options,
    seed,
    status,
    outcome,
    armedAt,
    leaseMs,
    leaseEndsAt,
    landedAt,
    endedAt,
    seen,
    affected,
    passed,
    held,
    queued,
    account,
    evidence: [...evidence],
    failures: [...failures],
  }
}

/** Changes every state of an injection that the endpoints tell, by answer and by event. */
function tellOtherwise(change: (state: InjectionState) => InjectionState): void {
  const controller = served()
  const original = { ...controller }
  const others: Partial<ChaosController> = {
    injections: async () => (await original.injections()).map((state) => change(plain(state))),
    follow: (listener) =>
      original.follow((entry) =>
        listener('injection' in entry ? { ...entry, injection: change(plain(entry.injection)) } : entry),
      ),
    inject: async (...args) => change(plain(await original.inject(...args))),
  }
  Object.assign(controller, others)
}

/** Moves a fault in time, by so many ms. */
const moved = (state: InjectionState, byMs: number): InjectionState => ({
  ...state,
  ...(state.landedAt === undefined ? {} : { landedAt: state.landedAt + byMs }),
  ...(state.endedAt === undefined ? {} : { endedAt: state.endedAt + byMs }),
})

export const controllerSabotages: AppSabotages = {
  'state-frozen-in-force': {
    apply(_app, moments) {
      const known = new Map<string, InjectionState>()
      tellOtherwise((state) => {
        if (!moments.has('landed') || state.landedAt === undefined) return state
        const frozen = known.get(state.id) ?? { ...state, status: 'active' as const }
        known.set(state.id, frozen)
        return frozen
      })
    },
  },
  'ends-30-s-early-it-says': { apply: () => tellOtherwise((state) => moved(state, -30_000)) },
  'landed-a-minute-ahead-it-says': { apply: () => tellOtherwise((state) => moved(state, 60_000)) },
  'nobody-is-told': { apply: () => void Object.assign(served(), { follow: () => () => undefined }) },
  'fault-undone-early': { apply: (_app, moments) => moments.at('landed', () => served().stopAll(), 500) },
  'fault-undone-behind-its-back': {
    apply: ({ bus }, moments) =>
      moments.at('landed', () => {
        Object.setPrototypeOf(bus, ConsciousnessEventBus.prototype)
        Object.setPrototypeOf(ConsciousnessEventBus.prototype, EventEmitter.prototype)
      }),
  },
  'another-bus-is-broken': {
    wiring: (app) => Object.create(app, { bus: { value: new ConsciousnessEventBus() } }) as typeof app,
  },
  'another-storage-is-broken': {
    wiring: (app) => Object.create(app, { storageBackend: { value: new MemoryAdapter() } }) as typeof app,
  },
  'another-worker-is-killed': {
    wiring(app) {
      const decoy = new Worker(loopWorkerFile, { workerData: { hz: 1 } })
      decoy.unref()
      return Object.create(app, { workers: { value: () => [decoy] } }) as typeof app
    },
  },
}
