import type { ChaosController, FaultInfo, InjectionState } from '@chaos/core'
import { faults as adapterFaults } from '@chaos/adapter/faults'
import { faults as eventbusFaults } from '@chaos/eventbus/faults'
import { faults as proxyFaults } from '@chaos/proxy/faults'
import { faults as workerFaults } from '@chaos/worker/faults'

/** Every fault of all injectors. */
export const everyFault: readonly FaultInfo[] = [
  ...adapterFaults,
  ...eventbusFaults,
  ...proxyFaults,
  ...workerFaults,
].map((fault) => fault.catalog.info)

/** What a controller was asked. */
export interface Asked {
  readonly target: string
  readonly fault: string
  readonly options: unknown
  readonly how: Readonly<Record<string, unknown>>
}

/** A controller that has every fault on one target, and only writes down what is asked of it. */
export function recordingController(): { readonly controller: ChaosController; readonly asked: Asked[] } {
  const asked: Asked[] = []
  const controller: ChaosController = {
    info: () =>
      Promise.resolve({ environment: 'test', refusal: undefined, seed: '1', maxLeaseMs: 600_000, now: Date.now() }),
    targets: () => Promise.resolve([{ name: 'all', faults: everyFault.map(({ name }) => name) }]),
    faults: () => Promise.resolve(everyFault),
    injections: () => Promise.resolve([]),
    inject: () => Promise.reject<InjectionState>(new Error('It only writes down.')),
    check(target, fault, options = {}, how = {}) {
      asked.push({ target, fault, options, how })
      return Promise.resolve()
    },
    renew: () => Promise.reject<InjectionState>(new Error('Nothing is in force.')),
    stop: () => Promise.reject<InjectionState>(new Error('Nothing is in force.')),
    stopAll: () => Promise.resolve({ stopped: [] }),
    follow: () => () => undefined,
  }
  return { controller, asked }
}
